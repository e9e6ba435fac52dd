"""The process settings: what `guardrail.yaml` may say, with every default and its reason.

Plain data. Reading the file, and every check that spans several fields or files, is in `guardrail.policy.load`.
Times are seconds, sizes are bytes. Secrets are never here: a field ending in `_env` names the environment
variable that holds one. Paths are as written until loading makes them absolute.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from guardrail.governance.terms import Terms
from guardrail.governance.transparency import Service
from guardrail.state.settings import State

Port = Annotated[int, Meta(ge=0, le=65535, title="a port number from 0 to 65535")]
Seconds = Annotated[float, Meta(gt=0, le=86400, title="a number of seconds, more than 0 and at most a day")]
Name = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$(?!\n)", title='a name of letters, digits, ".", "_" and "-"')
]
"""A name that may stand in a header, a metric label and a file name: letters, digits, `.`, `_`, `-`."""
Variable = Annotated[
    str, Meta(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$(?!\n)", title="the name of an environment variable")
]
FilePath = Annotated[str, Meta(min_length=1)]
Url = Annotated[
    str,
    Meta(
        pattern=r"^https?://[^\s/?#@]+(/[^\s?#]*)?$(?!\n)",
        title="an address such as http://host:8000, without user, query or fragment",
    ),
]
RequestPath = Annotated[
    str, Meta(pattern=r"^/[^\s?#%*]*\*?$(?!\n)", title="a path such as /v1/models, with no `*` but one at its end")
]


class ListenTls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The certificate that the proxy shows to its clients."""

    cert: Annotated[FilePath, Meta(description="PEM file with the certificate chain.")]
    key: Annotated[FilePath, Meta(description="PEM file with the certificate's private key.")]


class Listen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where clients connect."""

    host: Annotated[str, Meta(min_length=1, description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="Port to listen on; 0 takes a free one.")] = 8080
    tls: Annotated[ListenTls | None, Meta(description="Serve HTTPS with this certificate.")] = None


class Admin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The operator's listener: metrics, health, records, policies."""

    host: Annotated[str, Meta(min_length=1, description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="Port to listen on; 0 takes a free one.")] = 9090
    token_env: Annotated[
        Variable,
        Meta(
            description="Environment variable with the bearer token. When it is unset, a random token is made "
            "at start and printed once to standard error."
        ),
    ] = "GUARDRAIL_ADMIN_TOKEN"  # noqa: S105 (the name of a variable)


class UpstreamTls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How the model server's certificate is checked."""

    ca: Annotated[
        FilePath | None, Meta(description="PEM file of the authorities to trust, instead of the system's.")
    ] = None
    verify: Annotated[bool, Meta(description="Check the certificate. Switch off only for a test.")] = True


class Timeouts(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long the model server may take, in seconds."""

    connect: Annotated[Seconds, Meta(description="To open a connection.")] = 5
    first_byte: Annotated[Seconds, Meta(description="From the request to the first byte of the answer.")] = 60
    idle: Annotated[Seconds, Meta(description="Between two reads of a running answer.")] = 60
    total: Annotated[Seconds, Meta(description="For the whole answer.")] = 600


PASSED = (
    "/",
    "/v1/models",
    "/v1/models/*",
    "/v1/embeddings",
    "/v1/responses/input_tokens",
    "/v1/messages/count_tokens",
    "/v1beta/models",
    "/v1beta/models/*",
    "/api/version",
    "/api/tags",
    "/api/ps",
    "/api/show",
    "/api/embed",
    "/api/embeddings",
    "/tokenize",
    "/detokenize",
)
"""What passes by default: a heartbeat, names of models, embeddings, counts of tokens. None of it is text of a model."""


class Upstream(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A model server behind the proxy."""

    url: Annotated[
        Url,
        Meta(
            description="Base of the server; the client's path is appended to it. A base that ends in /v1 is not "
            "given a second one."
        ),
    ]
    api_key_env: Annotated[
        Variable | None,
        Meta(description="Environment variable with the server's own key, sent in place of the client's."),
    ] = None
    api_key_header: Annotated[
        Literal["authorization", "x-api-key", "api-key", "x-goog-api-key"] | None,
        Meta(
            description="Header for the server's own key. Unset: the one of the protocol that the client speaks "
            "(`Authorization: Bearer`, `x-api-key` for Anthropic, `x-goog-api-key` for Gemini); Azure takes `api-key`."
        ),
    ] = None
    tls: Annotated[UpstreamTls, Meta(description="How the server's certificate is checked.")] = UpstreamTls()
    timeouts: Annotated[Timeouts, Meta(description="How long the server may take.")] = Timeouts()
    retries: Annotated[
        int,
        Meta(
            ge=0,
            le=5,
            description="How often a request is tried again; only before the first byte of an answer.",
        ),
    ] = 1
    pass_through: Annotated[
        tuple[RequestPath, ...],
        Meta(
            description="Paths that go to the server unscanned, beside those that do by default; a `*` at the end "
            "stands for the rest. Every other path that is not guarded is refused."
        ),
    ] = ()
    pass_through_defaults: Annotated[
        bool,
        Meta(
            description="Also pass what carries no text of a model: names of models, embeddings, counts of tokens. "
            "`false`: only the paths of `pass_through`."
        ),
    ] = True

    @property
    def passed(self) -> tuple[str, ...]:
        """Every path that goes to the server unscanned."""
        return (PASSED if self.pass_through_defaults else ()) + self.pass_through


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Caps on what a peer can make the proxy do or hold."""

    request_bytes: Annotated[int, Meta(ge=1024, description="Longest request body, in bytes.")] = 10 * 2**20
    event_bytes: Annotated[int, Meta(ge=1024, description="Longest event of a stream, in bytes.")] = 2**20
    response_bytes: Annotated[int, Meta(ge=1024, description="Longest answer, decoded, in bytes.")] = 32 * 2**20
    streams: Annotated[int, Meta(ge=1, description="Answers in flight, in one process.")] = 1000
    streams_per_tenant: Annotated[int, Meta(ge=1, description="Answers in flight for one tenant.")] = 200
    keep_alive: Annotated[
        Seconds,
        Meta(description="Silence after which a stream that withholds text sends a comment, in seconds."),
    ] = 10
    drain: Annotated[
        Annotated[float, Meta(ge=0, le=86400)],
        Meta(description="How long running answers may go on after a stop was asked for, in seconds."),
    ] = 30
    check_sessions: Annotated[int, Meta(ge=1, description="Sessions of the Check API, in one process.")] = 1000
    check_sessions_per_tenant: Annotated[int, Meta(ge=1, description="Sessions of the Check API of one tenant.")] = 200
    check_session_characters: Annotated[
        int, Meta(ge=1, description="Text of one session of the Check API, in code points.")
    ] = 1_000_000
    check_session_idle: Annotated[
        Seconds, Meta(description="Silence after which a session of the Check API is forgotten, in seconds.")
    ] = 300


class Gateway(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Trust in a gateway that names the tenant in a signed header."""

    secret_env: Annotated[Variable, Meta(description="Environment variable with the secret shared with the gateway.")]
    max_age: Annotated[Seconds, Meta(description="How old, in seconds, a signature may be.")] = 60


PublicKey = Annotated[
    str,
    Meta(
        pattern=r"^ed25519:[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$(?!\n)",
        title="a public key as `guardrail policy keygen` prints it",
    ),
]


class PushedPolicies(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Versions of policies that come through the state store and stand in the place of those in files."""

    public_keys: Annotated[
        tuple[PublicKey, ...],
        Meta(min_length=1, description="Keys of the operators whose signature is believed, and nobody else's."),
    ]
    models: Annotated[
        FilePath,
        Meta(
            description="Folder with the classifier models that pushed policies may use beside those of the package, "
            "relative to this file; a policy names one by the name of its folder."
        ),
    ] = "models"
    at_least: Annotated[
        int,
        Meta(
            ge=0,
            description="Serial below which nothing that was signed is believed, as `guardrail policy list` shows it: "
            "for replicas that start with an empty folder.",
        ),
    ] = 0
    shadow_cpu: Annotated[
        float,
        Meta(
            gt=0,
            le=1,
            description="The share of one processor that shadow policies may take in one process; beyond it, answers "
            "are not shadowed.",
        ),
    ] = 0.1


class Anonymous(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a client without a key gets. Without this section a key is required."""

    policy: Annotated[Name, Meta(description="Policy for clients without a key.")] = "default"
    upstream: Annotated[Name, Meta(description="Upstream for clients without a key.")] = "default"


class Records(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The records of finished answers that the admin listener shows."""

    keep: Annotated[int, Meta(ge=0, le=1_000_000, description="How many of the last records stay in memory.")] = 1000


class AuditSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The audit log: hash-chained records of what was answered and decided (docs/audit.md)."""

    enabled: Annotated[bool, Meta(description="Keep an audit log.")] = True
    folder: Annotated[
        FilePath | None,
        Meta(description="Its folder, relative to this file. Unset: `audit` in the folder of the state."),
    ] = None
    fail: Annotated[
        Literal["open", "closed"],
        Meta(
            description="While it cannot be written: `open` goes on and writes later what fits in memory, `closed` "
            "refuses requests with 503."
        ),
    ] = "open"
    fsync: Annotated[
        Literal["always", "interval", "never"],
        Meta(
            description="When the disk must have it: with every record, every `interval` seconds, or when the system "
            "likes. All three outlive the process; they differ in what a power failure takes."
        ),
    ] = "interval"
    interval: Annotated[Seconds, Meta(description="Seconds between two writes to disk, with `fsync: interval`.")] = 1
    rotate_bytes: Annotated[
        int, Meta(ge=4096, le=2**34, description="Size at which a new file is begun; after a day one is in any case.")
    ] = 64 * 2**20
    retention_days: Annotated[
        int,
        Meta(ge=1, le=36500, description="Days after which whole files are removed; the chain says which."),
    ] = 1095


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`guardrail.yaml`: one process and what it serves."""

    version: Annotated[Literal[1], Meta(description="Version of this file format.")]
    upstreams: Annotated[dict[Name, Upstream], Meta(min_length=1, description="Model servers, by name.")]
    listen: Annotated[Listen, Meta(description="Where clients connect.")] = Listen()
    admin: Annotated[Admin, Meta(description="Where the operator connects.")] = Admin()
    limits: Annotated[Limits, Meta(description="Caps on what a peer can make the proxy do or hold.")] = Limits()
    gateway: Annotated[Gateway | None, Meta(description="Trust a gateway that names the tenant.")] = None
    anonymous: Annotated[Anonymous | None, Meta(description="Serve clients that have no key.")] = None
    policies: Annotated[FilePath, Meta(description="Folder of policy files, relative to this file.")] = "policies"
    tenants: Annotated[FilePath, Meta(description="Folder of tenant files, relative to this file.")] = "tenants"
    state: Annotated[State, Meta(description="What replicas share and what outlives a process.")] = State()
    terms: Annotated[Terms, Meta(description="What holds for every tenant, unless its own file says otherwise.")] = (
        Terms()
    )
    presets: Annotated[
        tuple[FilePath, ...],
        Meta(
            description="Presets, by name or as paths of files relative to this one: their terms lie beneath `terms`, "
            "their bounds hold for what is said anywhere."
        ),
    ] = ()
    service: Annotated[Service | None, Meta(description="What the service says of itself to everybody.")] = None
    pushed_policies: Annotated[
        PushedPolicies | None,
        Meta(description="Take versions of policies from the state store. Without this section none is."),
    ] = None
    records: Annotated[Records, Meta(description="Records kept in memory.")] = Records()
    audit: Annotated[AuditSettings, Meta(description="The audit log.")] = AuditSettings()
    cache: Annotated[
        bool | FilePath,
        Meta(
            description="Folder for what was worked out from long lists, relative to this file. `true`: the user's own "
            "folder of caches. `false`: none."
        ),
    ] = True
