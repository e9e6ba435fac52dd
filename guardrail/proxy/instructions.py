"""The system prompts of requests as fingerprints, for policies that keep them from the answer.

Many requests carry the same prompt, so the latest are kept, bounded by their size. A long one is read on a thread.
Keeps hashes, and no text.
"""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from collections import OrderedDict

from guardrail.policy.policy import Policy
from guardrail.text.protected import PromptFingerprints
from guardrail.text.ruleset import Matchers, RuleSet, with_scores
from guardrail.wire.request import ModelRequest

KEPT_SHINGLES = 1 << 18
"""Shingles kept in all: about as many words of prompts, and some 40 MB. Each prompt counts as one more."""

OFF_LOOP_CHARACTERS = 1 << 13
"""Prompts from this length on are read on a thread: they take some milliseconds, which every stream would wait."""


class Instructions:
    """The prompts of one process. Lives on one event loop."""

    def __init__(self, kept_shingles: int = KEPT_SHINGLES) -> None:
        self._most = kept_shingles
        self._kept: OrderedDict[bytes, PromptFingerprints] = OrderedDict()
        self._size = 0

    async def kept(self, policy: Policy, request: ModelRequest) -> Policy:
        """The policy for this request: where it protects the system prompt, with that of the request."""
        if not request.instructions or not _reads_prompt(policy.rules):
            return policy
        prompt = await self._fingerprints(request.instructions)
        return dataclasses.replace(policy, rules=_with_prompt(policy.rules, prompt))

    async def _fingerprints(self, texts: tuple[str, ...]) -> PromptFingerprints:
        key = hashlib.sha256(repr(texts).encode()).digest()
        prompt = self._kept.get(key)
        if prompt is not None:
            self._kept.move_to_end(key)
            return prompt
        if sum(map(len, texts)) >= OFF_LOOP_CHARACTERS:
            prompt = await asyncio.to_thread(PromptFingerprints, texts)
        else:
            prompt = PromptFingerprints(texts)
        if key not in self._kept:  # another request may have had the same meanwhile
            self._kept[key] = prompt
            self._size += len(prompt) + 1
        while self._size > self._most:
            _, oldest = self._kept.popitem(last=False)
            self._size -= len(oldest) + 1
        return prompt


def _reads_prompt(rules: RuleSet) -> bool:
    groups = [group for group in (rules.removing, rules.logging) if group is not None]
    return any(rule.fingerprints is None for group in groups for _, rule in group.protecting)


def _with_prompt(rules: RuleSet, prompt: PromptFingerprints) -> RuleSet:
    """The same compiled rules, those for the system prompt with its fingerprints."""

    def known(group: Matchers | None) -> Matchers | None:
        if group is None:
            return None
        protecting = tuple(
            (index, dataclasses.replace(rule, fingerprints=prompt) if rule.fingerprints is None else rule)
            for index, rule in group.protecting
        )
        return dataclasses.replace(group, protecting=protecting)

    plain = RuleSet(known(rules.plain.removing), known(rules.plain.logging))
    return plain if rules.scored is None else with_scores(plain, rules.scored.settings)
