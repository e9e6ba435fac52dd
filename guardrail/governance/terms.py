"""The terms under which a tenant is served: what may be said in a preset, in `guardrail.yaml` and in a tenant's file.

One section for each duty, whose fields stand in the duty's own file. What is not given is UNSET and comes from the
terms beneath: a tenant's file over `guardrail.yaml` over presets over the section's own defaults. A section that
nobody gives is a duty that is off.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Struct

Section = TypeVar("Section", bound=Struct)


class Terms(Struct, frozen=True, forbid_unknown_fields=True):
    """What holds for a tenant. Every section is off until it is given."""


def merged(beneath: Section, above: Section) -> Section:
    """`above`, with what it does not say taken from `beneath`, at every depth. Lists are taken whole."""
    changes: dict[str, Any] = {}
    for name in above.__struct_fields__:
        low, high = getattr(beneath, name), getattr(above, name)
        if high is UNSET:
            changes[name] = low
        elif isinstance(high, Struct) and type(low) is type(high):
            changes[name] = merged(low, high)
    return msgspec.structs.replace(above, **changes)
