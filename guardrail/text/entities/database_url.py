"""Addresses of databases and message brokers with a password in them: `postgresql://user:password@host/name`.

Manuals print such addresses on every page, so the password must not be one of theirs: a word for a password, the
user's name, a variable, or letters alone.
"""

import re

from guardrail.text.entities.entity import Entity
from guardrail.text.entities.generated import is_typed

_SCHEME = (
    "(?:postgres(?:ql)?|mysqlx?|mariadb|mongodb|rediss?|valkey|amqps?|mssql|sqlserver|oracle|db2|clickhouse|cockroachdb|"
    "cassandra|neo4js?|bolt|influxdb|nats|mqtts?|ldaps?|couchdb)"
)
_PARTS = re.compile("://([^:@/]*):([^@/]*)@")

# Passwords of manuals, beside those that `is_typed` knows; in lower case.
_MANUALS = frozenset(
    {"pass", "pwd", "password", "root", "toor", "guest", "user", "postgres", "mysql", "tiger", "welcome1"}
)
_SHORTEST = 6


def _accept(match: str) -> bool:
    parts = _PARTS.search(match)
    if parts is None:
        return False
    user, password = parts[1].lower(), parts[2]
    lower = password.lower()
    if len(password) < _SHORTEST or lower == user or any(word in lower for word in ("pass", "pwd")):
        return False
    if lower.rstrip("0123456789!@#") in _MANUALS or is_typed(password) or password[0] in "$%{<[*":
        return False
    return not password.isalpha()


ENTITY = Entity(
    name="database_url",
    label="[DATABASE_URL]",
    category="secret",
    severity="critical",
    expressions=(
        rf"{_SCHEME}(?:\+[a-z0-9]{{2,16}})?://[A-Za-z0-9._%+-]{{0,64}}:[^\s:@/'\"`<>()]{{1,128}}@[A-Za-z0-9_.:,-]{{0,200}}[A-Za-z0-9](?:/[A-Za-z0-9_-]{{1,64}})?",
    ),
    left="word",
    accept=_accept,
    hits=(
        "postgres://app:q9V2mZ8r@db.example.com:5432/shop",
        "DATABASE_URL=postgresql+asyncpg://svc_user:Wx7-kP2_nB@10.0.3.7/orders",
        "mysql://root:8fJ2qLw9@localhost/app",
        'client = MongoClient("mongodb+srv://reader:Zt5vRq81@cluster0.ab1cd.mongodb.net/shop")',
        "redis://:k3Jd82hs@cache:6379/0",
        "连接串是mysql+pymysql://app:Vb6%40tz91@db:3306/main谢谢",
        "amqps://svc:aa81-kd2-7fq@broker.example.org",
        "ｐｏｓｔｇｒｅｓ：／／app:q9V2mZ8r@db/shop",
        "jdbc is not needed: mariadb://app:q9V2mZ8r@db.",
    ),
    misses=(
        "postgresql://user:password@localhost:5432/mydb",
        "postgres://postgres:postgres@db:5432/app",
        "mysql://root:root@localhost/app",
        "mysql://scott:tiger1@localhost/test",
        "mongodb+srv://<username>:<password>@cluster0.mongodb.net",
        "mongodb://user:pass123@localhost",
        "postgresql://${DB_USER}:${DB_PASSWORD}@${DB_HOST}/app",
        "postgres://app:$PGPASS@db/app",
        "postgres://app:%s@db/app",
        "redis://localhost:6379/0",
        "postgresql://app@db/app",
        "mysql://user:your_password_1@host/db",
        "amqp://guest:guest@rabbit:5672/",
        "mysql://app:secret@db/app",
        "postgres://u:p1@h/d",
        "https://user:q9V2mZ8r@example.com",
    ),
)
