"""Every way a request can fail without the policy's doing: one table, each row a defined result.

`docs/faults.md` explains the rows to operators; a test checks that this table, that page and the fault tests name
the same kinds. A fault is never a policy decision: those end a response as its protocol says that a filter ended it.
"""

from __future__ import annotations

import enum

from guardrail.errors import GuardrailError


class Fault(enum.Enum):
    """kind = (HTTP status before the first byte, OpenAI error type, message to the client)."""

    # The client's request
    UNAUTHORIZED = (401, "invalid_request_error", "No valid credentials.")
    UNKNOWN_PATH = (404, "invalid_request_error", "This path is not served.")
    METHOD_NOT_ALLOWED = (405, "invalid_request_error", "This method is not allowed here.")
    UPGRADE_REFUSED = (400, "invalid_request_error", "WebSockets are not relayed, so this one is refused.")
    REQUEST_STALLED = (408, "invalid_request_error", "The request body did not arrive in time.")
    BAD_REQUEST = (400, "invalid_request_error", "The request is none of this protocol.")
    REQUEST_TOO_LARGE = (413, "invalid_request_error", "The request body is too large.")
    UNSUPPORTED_ENCODING = (415, "invalid_request_error", "The request's content-encoding is not supported.")
    TENANT_BUSY = (429, "rate_limit_error", "Too many concurrent responses for this tenant.")
    PROXY_FULL = (503, "server_error", "Too many concurrent responses.")
    STATE_UNAVAILABLE = (503, "server_error", "What this service must know to answer cannot be asked just now.")
    AUDIT_UNAVAILABLE = (
        503,
        "server_error",
        "What this service must take down of an answer cannot be written just now.",
    )
    DRAINING = (503, "server_error", "The proxy is shutting down.")
    # The upstream, before or after the first byte
    CONNECT_FAILED = (502, "server_error", "The model server cannot be reached.")
    CONNECT_TIMEOUT = (504, "server_error", "The model server did not accept a connection in time.")
    FIRST_BYTE_TIMEOUT = (504, "server_error", "The model server did not begin to answer in time.")
    IDLE_TIMEOUT = (504, "server_error", "The model server fell silent.")
    TOTAL_TIMEOUT = (504, "server_error", "The response took too long.")
    UPSTREAM_CLOSED = (502, "server_error", "The model server closed the connection.")
    UPSTREAM_BAD_HTTP = (502, "server_error", "The model server's answer is not valid HTTP.")
    UPSTREAM_REDIRECT = (502, "server_error", "The model server answered with a redirect.")
    UPSTREAM_BAD_TYPE = (502, "server_error", "The model server's answer is neither JSON nor an event stream.")
    UPSTREAM_BAD_ENCODING = (502, "server_error", "The model server's content-encoding cannot be decoded.")
    UPSTREAM_MALFORMED = (502, "server_error", "The model server's answer is malformed.")
    RESPONSE_TOO_LARGE = (502, "server_error", "The model server's answer is too large.")
    INTERNAL = (500, "server_error", "The proxy failed; nothing unscanned was delivered.")

    def __init__(self, status: int, type_: str, message: str) -> None:
        self.status = status
        self.type = type_
        self.message = message

    @property
    def kind(self) -> str:
        """The name in records, metrics and the `code` of error bodies."""
        return self.name.lower()


class Failed(GuardrailError):
    """A request ended in a fault. `detail` says more than the table's message; it is fit for the client."""

    def __init__(
        self, fault: Fault, detail: str | None = None, *, code: str | None = None, retry_after: int | None = None
    ) -> None:
        self.fault = fault
        self.detail = detail or fault.message
        self.code = code or fault.kind
        self.retry_after = retry_after
        super().__init__(self.detail)
