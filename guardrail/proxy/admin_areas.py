"""How the areas of the operator's listener answer: JSON in, JSON out, a page at a time, and what is wrong in words.

An area is a file `admin_<area>.py` with its paths. Promises: every path needs the listener's token; a list says how to
go on with it (`next`, to be sent as `after`); what cannot be done is told as `{"error": …}` with 400, 404 or 409, and
503 while the state or the audit log cannot be used.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import msgspec
from aiohttp import web

from guardrail.errors import GuardrailError
from guardrail.observe.audit import AuditError
from guardrail.state.store import StateError

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
Guard = Callable[[Handler], Handler]
Answer = Callable[[web.Request], Awaitable[Any]]
"""What a path answers: anything that is JSON to msgspec."""

Body = TypeVar("Body", bound=msgspec.Struct)
Item = TypeVar("Item")

PAGE = 100
MOST = 1000
"""Items on one page."""


class Wrong(GuardrailError):
    """What was asked cannot be answered; the message is for the operator."""

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class Area:
    """Paths of one area."""

    def __init__(self, app: web.Application, guard: Guard) -> None:
        self._router = app.router
        self._guard = guard

    def get(self, path: str, answer: Answer) -> None:
        """Answer GET."""
        self._router.add_get(path, self._guard(_told(answer)))

    def post(self, path: str, answer: Answer) -> None:
        """Answer POST."""
        self._router.add_post(path, self._guard(_told(answer)))


def limit_of(request: web.Request) -> int:
    """How many items a page may have. Raises Wrong."""
    text = request.query.get("limit", str(PAGE))
    if not (text.isascii() and text.isdigit() and 1 <= int(text[:9]) <= MOST):
        raise Wrong(400, f"limit must be a whole number from 1 to {MOST}")
    return int(text)


def choice_of(request: web.Request, name: str, choices: Sequence[str]) -> str:
    """A parameter that is one of `choices`, or not given. Raises Wrong."""
    said = request.query.get(name, "")
    if said and said not in choices:
        raise Wrong(400, f"{name} must be one of {', '.join(choices)}")
    return said


def page(name: str, items: Sequence[Item], limit: int, id_of: Callable[[Item], str]) -> dict[str, Any]:
    """A list, and the id with which it goes on, if it does."""
    return {name: items, "next": id_of(items[-1]) if len(items) == limit else None}


async def body_of(request: web.Request, kind: type[Body]) -> Body:
    """The request's JSON body. Raises Wrong."""
    try:
        return msgspec.json.decode(await request.read(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Wrong(400, f"the body does not fit: {error}") from None


def _told(answer: Answer) -> Handler:
    async def told(request: web.Request) -> web.StreamResponse:
        try:
            status, said = 200, await answer(request)
        except Wrong as error:
            status, said = error.status, {"error": str(error)}
        except (StateError, AuditError) as error:
            status, said = 503, {"error": str(error)}
        except GuardrailError as error:
            status, said = 409, {"error": str(error)}
        return web.Response(status=status, body=msgspec.json.encode(said), content_type="application/json")

    return told
