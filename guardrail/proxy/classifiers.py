"""The classifiers of one process: one for each model that a policy names, whoever uses it.

Made when a policy that names the model takes effect, so that no request waits for it; closed when a reload has left it
without a policy and the last answer that used it has ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from guardrail.classify.detector import DetectorEntry
from guardrail.classify.judge import key_of
from guardrail.policy.policy import Policy

if TYPE_CHECKING:
    from guardrail.classify.classifier import Classifier
    from guardrail.classify.model import Model


class Opened:
    """A classifier, and how many answers use it."""

    __slots__ = ("classifier", "in_use")

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        self.in_use = 0


class Classifiers:
    """The classifiers by the digest of what scores. Lives on one event loop."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._open: dict[str, Opened] = {}

    def __iter__(self) -> Iterator[Classifier]:
        return iter([opened.classifier for opened in self._open.values()])

    def get(self, policy: Policy) -> Opened | None:
        """The classifier of a policy; None when it has none."""
        scorer = policy.scorer
        if scorer is None:
            return None
        opened = self._open.get(scorer.digest)
        if opened is None:
            opened = self._open[scorer.digest] = Opened(self._made(scorer))
        return opened

    async def follow(self, policies: Iterable[Policy]) -> None:
        """Have the classifiers of these policies ready, and close those that nothing needs any more."""
        wanted = set()
        for policy in (part for each in policies for part in each.parts):
            if policy.scorer is not None:
                wanted.add(policy.scorer.digest)
                self.get(policy)
        for digest, opened in list(self._open.items()):
            if digest not in wanted and not opened.in_use and self._open.get(digest) is opened:
                del self._open[digest]
                await opened.classifier.close()

    async def close(self) -> None:
        """Close all."""
        while self._open:
            _, opened = self._open.popitem()
            await opened.classifier.close()

    def _made(self, scorer: Model | DetectorEntry) -> Classifier:
        if isinstance(scorer, DetectorEntry):
            from guardrail.classify.remote import RemoteClassifier

            return RemoteClassifier(scorer, key_of(scorer, self._environ))
        from guardrail.classify.classifier import LocalClassifier

        return LocalClassifier(scorer)
