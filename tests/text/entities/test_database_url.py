from guardrail.text.entities.database_url import ENTITY
from tests.text.entities.matching import check

FOUND = (
    "postgres://app:q9V2mZ8r@db.example.com:5432/shop",
    "postgresql+asyncpg://svc_user:Wx7-kP2_nB@10.0.3.7/orders",
    "mysql://root:8fJ2qLw9@localhost/app",
    "mongodb+srv://reader:Zt5vRq81@cluster0.ab1cd.mongodb.net/shop",
    "redis://:k3Jd82hs@cache:6379/0",
    "mysql+pymysql://app:Vb6%40tz91@db:3306/main",
    "amqps://svc:aa81-kd2-7fq@broker.example.org",
    "ｐｏｓｔｇｒｅｓ：／／app:q9V2mZ8r@db/shop",
    "mariadb://app:q9V2mZ8r@db",
)


def test_examples() -> None:
    check(ENTITY, FOUND)
