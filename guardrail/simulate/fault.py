"""What can go wrong with a simulated answer, and how a connection is broken off.

A fault is read from `KIND[=STATUS][@TOKENS]`. `status` and `html` come in place of an answer; the others befall a
stream after so many tokens. This module never decides whom a fault befalls.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from dataclasses import dataclass
from typing import Final, Literal, cast, get_args

from aiohttp import web

FAULT_AFTER: Final = 3
"""Tokens sent before a mid-stream fault that names no position."""

FaultKind = Literal["close", "stall", "reset", "malformed", "html", "status"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What goes wrong, after how many tokens of the response (`html` and `status`: before the first)."""

    kind: FaultKind
    after: int = FAULT_AFTER
    status: int = 500

    @classmethod
    def parse(cls, text: str) -> Fault:
        """Read `KIND[=STATUS][@TOKENS]`, such as `close@10` or `status=503`. Raises ValueError."""
        found = re.fullmatch(r"([a-z]+)(?:=([45]\d\d))?(?:@(\d{1,6}))?", text)
        if found is None or found[1] not in get_args(FaultKind) or (found[2] and found[1] != "status"):
            raise ValueError(
                f"found fault {text!r}, expected close, stall, reset, malformed, html or status, "
                "with =STATUS (400-599) or @TOKENS after it if need be"
            )
        kind, status, after = found.groups()
        return cls(cast(FaultKind, kind), FAULT_AFTER if after is None else int(after), int(status or 500))


async def break_off(
    fault: Fault, response: web.StreamResponse, transport: asyncio.Transport | None, *, unsent: bytes, malformed: bytes
) -> None:
    """Let the fault befall a stream. `unsent`: the event that would have come, half of which `close` still sends;
    `malformed`: an event of the protocol that no client can read."""
    if fault.kind == "stall":
        await asyncio.Event().wait()
    elif fault.kind == "malformed":
        await response.write(malformed)
        await response.write_eof()
    elif transport is not None and fault.kind == "close":
        await response.write(unsent[: len(unsent) // 2])
        transport.close()
    elif transport is not None:
        sock = transport.get_extra_info("socket")
        # Linger 0 makes the close a reset instead of an orderly end.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
