"""A configuration that takes pushed policies, and an operator who pushes them, for tests."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from guardrail.policy.bundle import Bundle, pack
from guardrail.policy.compile import load_policy
from guardrail.policy.distribution import publish, read, write
from guardrail.policy.load import load_policies
from guardrail.policy.signing import SIGNING_KEY, new_key, read_private, signed
from guardrail.policy.versions import PURPOSE, Head, activated, encoded, pushed
from guardrail.state.store import Store
from tests.policy.tree import write as write_files

PRIVATE, PUBLIC_KEY = new_key()
ROOT = f"""\
version: 1
upstreams:
  default: {{url: "http://127.0.0.1:8000"}}
state: {{store: memory, folder: state}}
pushed_policies: {{public_keys: ["{PUBLIC_KEY}"]}}
"""
FILES = {
    "guardrail.yaml": ROOT,
    "policies/p.yaml": "policy: p\nrules:\n  - {id: r, keywords: [fromfile], action: redact}\n",
    "tenants/acme.yaml": "tenant: acme\npolicy: p\n",
}


def policy_that_finds(word: str, name: str = "p") -> str:
    return f"policy: {name}\nrules:\n  - {{id: r, keywords: [{word}], action: redact}}\n"


def bundle_of(folder: Path, policy: str = "", files: Mapping[str, str] | None = None) -> Bundle:
    """The bundle of a policy `p`, packed in a folder of its own."""
    write_files(folder, {"policies/p.yaml": policy, **(files or {})})
    compiled = load_policy(folder / "policies/p.yaml", environ={})
    return pack(load_policies(folder / "policies"), compiled)


def envelope(head: Head, private: str = PRIVATE) -> bytes:
    return signed(PURPOSE, encoded(head), read_private(None, {SIGNING_KEY: private}))


@dataclass
class Operator:
    """Pushes versions of `p` that find one word each."""

    store: Store
    folder: Path
    head: Head = field(default_factory=Head)

    async def push(self, word: str) -> int:
        bundle = bundle_of(self.folder / word, policy_that_finds(word))
        await publish(self.store, bundle)
        self.head, number = pushed(self.head, "p", bundle.digest, bundle.manifest.policy_digest, now=time.time())
        await self.write()
        return number

    async def activate(self, number: int, percent: float = 100) -> None:
        self.head = activated(self.head, "p", number, percent=percent, now=time.time())
        await self.write()

    async def write(self, head: Head | None = None, private: str = PRIVATE) -> None:
        await self.put(envelope(self.head if head is None else head, private))

    async def put(self, data: bytes) -> None:
        found = await read(self.store)
        assert await write(self.store, data, 0 if found is None else found.version)
