"""How a stream is driven in the tests, whatever its protocol: reads, then the end of the upstream."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

from guardrail.wire.record import StreamRecord
from guardrail.wire.stream import Stream


@dataclass
class Driven:
    """One guarded stream. Clients add how its bytes are read."""

    out: bytes
    writes: list[bytes]
    record: StreamRecord
    abort: bool
    done: bool


AnyRun = TypeVar("AnyRun", bound=Driven)


def drive(run: type[AnyRun], stream: Stream, reads: bytes | Iterable[bytes]) -> AnyRun:
    """Feed reads, then the end of the upstream, as the proxy does: nothing more is read once it is told to stop."""
    writes = []
    for data in [reads] if isinstance(reads, bytes) else reads:
        writes.append(stream.feed(data))
        if stream.done:
            break
    writes.append(stream.finish())
    return run(b"".join(writes), writes, stream.record, stream.abort, stream.done)


def every_way(events: Iterable[bytes]) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """The reads of a stream that comes event by event, whole, and byte by byte."""
    events = list(events)
    stream = b"".join(events)
    return events, [stream], [stream[i : i + 1] for i in range(len(stream))]


def accounted(record: StreamRecord) -> None:
    """Every character of a stream that is over came to something."""
    assert record.held == 0
    assert record.received == record.released + record.removed + record.dropped
