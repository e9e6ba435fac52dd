"""What a service says of itself to everybody, at `/.well-known/ai-service.json`. Pure.

Promises: the same for the same configuration, so that it can be cached; policies by their digests, which are those of
the header `x-guardrail-policy`, with the categories that are looked for. Never a secret, never the name of a tenant, a
key, an upstream or a rule, and no word of a list: what would only serve those who want to get around it.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

if TYPE_CHECKING:
    from guardrail.governance.presets import PresetFile
    from guardrail.policy.policy import Policy
    from guardrail.policy.registry import Snapshot

PATH = "/.well-known/ai-service.json"
SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"

Language = Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$(?!\n)", title="a language such as en or zh")]
Said = Annotated[str, Meta(min_length=1, max_length=4000)]
Text = Said | Annotated[dict[Language, Said], Meta(min_length=1)]
"""One text, or the text in several languages."""
Address = Annotated[
    str,
    Meta(
        pattern=r"^(https://[^\s]+|mailto:[^\s@]+@[^\s@]+)$(?!\n)",
        title="an address such as https://example.com/help or mailto:help@example.com",
    ),
]


class Service(Struct, frozen=True, forbid_unknown_fields=True):
    """What the operator says of the service that stands behind guardrail."""

    name: Annotated[Text, Meta(description="What the service is called.")]
    provider: Annotated[Text, Meta(description="Who is responsible for it.")]
    purpose: Annotated[Text, Meta(description="What it is for.")]
    audience: Annotated[Text | UnsetType, Meta(description="Whom it is for, and whom it is not for.")] = UNSET
    limitations: Annotated[tuple[Text, ...], Meta(description="What it cannot do, and when not to rely on it.")] = ()
    languages: Annotated[tuple[Language, ...], Meta(description="The languages it is made for.")] = ()
    model: Annotated[Text | UnsetType, Meta(description="The model behind it, as far as it is told.")] = UNSET
    contact: Annotated[Address | UnsetType, Meta(description="Where the provider is reached.")] = UNSET
    complaints: Annotated[
        Address | UnsetType, Meta(description="Where people complain who do not use the service's own endpoint.")
    ] = UNSET
    terms_of_use: Annotated[Address | UnsetType, Meta(description="The agreement with those who use it.")] = UNSET
    privacy: Annotated[Address | UnsetType, Meta(description="The notice on personal data.")] = UNSET
    crisis_protocol: Annotated[
        Address | UnsetType, Meta(description="The page that says what the service does when somebody is in a crisis.")
    ] = UNSET


class Looked(Struct, frozen=True):
    """What is looked for in texts, by category."""

    categories: Annotated[
        dict[str, list[str]],
        Meta(description="Category to what becomes of it: `log`, `redact`, `replace`, `halt`, sorted."),
    ]
    classifier: Annotated[
        str | UnsetType, Meta(description="Name and digest of the classifier that reads along; left out: none.")
    ] = UNSET


class InForce(Struct, frozen=True):
    """A policy that some client is under."""

    digest: Annotated[str, Meta(description="SHA-256 over all that decides an outcome, hex; the header has 12 of it.")]
    output: Annotated[Looked, Meta(description="In the answers of the model.")]
    input: Annotated[Looked | UnsetType, Meta(description="In what people send; left out: nothing.")] = UNSET
    stores_text: Annotated[bool, Meta(description="Whether records may hold text of the model.")] = False


class PublicDuty(Struct, frozen=True):
    """A duty that the service means to meet."""

    id: Annotated[str, Meta(description="Its name in the preset.")]
    articles: Annotated[tuple[str, ...], Meta(description="Laws and articles.")]
    asks: Annotated[str, Meta(description="What it asks.")]


class PublicPreset(Struct, frozen=True):
    """A preset in effect."""

    preset: Annotated[str, Meta(description="Its name.")]
    title: Annotated[str, Meta(description="The laws it is about.")]
    as_of: Annotated[str, Meta(description="When the texts were read.")]
    notice: Annotated[str, Meta(description="What must be known before relying on it.")]
    duties: Annotated[list[PublicDuty], Meta(description="Its duties.")]


class Complaining(Struct, frozen=True):
    """How to complain."""

    endpoint: Annotated[str | UnsetType, Meta(description="Path on this host; left out: none is open.")] = UNSET
    address: Annotated[str | UnsetType, Meta(description="Address to write to; left out: none is given.")] = UNSET


class Description(Struct, frozen=True):
    """The document."""

    version: Annotated[Literal[1], Meta(description="Version of this format.")]
    generator: Annotated[str, Meta(description="The software that writes it, with its version.")]
    ai: Annotated[bool, Meta(description="True: what the service answers is made by an AI.")]
    policies: Annotated[list[InForce], Meta(description="The policies in force, by digest.")]
    complaints: Annotated[Complaining, Meta(description="How to complain.")]
    presets: Annotated[list[PublicPreset], Meta(description="The presets in effect.")]
    service: Annotated[Service | UnsetType, Meta(description="What the operator says; left out: nothing.")] = UNSET


def describe(snapshot: Snapshot, *, complaints: str | None = None) -> dict[str, Any]:
    """The document, as JSON values. `complaints`: the path at which complaints are taken; None: nowhere."""
    service = snapshot.settings.service
    written = service.complaints if service is not None else UNSET
    whole = Description(
        version=1,
        generator=f"guardrail {version('guardrail')}",
        ai=True,
        policies=_in_force(snapshot),
        complaints=Complaining(complaints if complaints is not None else UNSET, written),
        presets=[_preset(preset) for preset in snapshot.presets.values()],
        service=service if service is not None else UNSET,
    )
    built: dict[str, Any] = msgspec.to_builtins(whole)
    return built


def schema() -> dict[str, Any]:
    """The JSON Schema of the document."""
    (reference,), definitions = msgspec.json.schema_components([Description], ref_template="#/$defs/{name}")
    return {"$schema": SCHEMA_DIALECT, "title": "ai-service.json", **reference, "$defs": definitions}


def _in_force(snapshot: Snapshot) -> list[InForce]:
    """Each policy that a tenant or a client without a key is under, once, by digest."""
    tenants = [*snapshot.tenants.values(), *([snapshot.anonymous] if snapshot.anonymous is not None else [])]
    used = {policy.digest: policy for tenant in tenants for policy in (tenant.policy, *tenant.policies.values())}
    return [_policy(policy) for _, policy in sorted(used.items())]


def _policy(policy: Policy) -> InForce:
    looked = _looked(policy)
    asked = _looked(policy.input.policy) if policy.input is not None else UNSET
    return InForce(policy.digest, looked, asked, policy.store_text)


def _looked(policy: Policy) -> Looked:
    categories: dict[str, set[str]] = {}
    for category, action in _rules(policy):
        categories.setdefault(category, set()).add(action)
    # A detector over HTTP is somebody's address.
    scored = policy.classifier.model.partition("://")[0] if policy.classifier is not None else UNSET
    return Looked({name: sorted(actions) for name, actions in sorted(categories.items())}, scored)


def _rules(policy: Policy) -> Iterator[tuple[str, str]]:
    plain = policy.rules.plain
    for group in (plain.removing, plain.logging):
        for rule in group.rules if group is not None else ():
            yield rule.category, rule.action.value
    for rule in policy.classifier.rules if policy.classifier is not None else ():
        yield rule.category, rule.action.value


def _preset(preset: PresetFile) -> PublicPreset:
    duties = [PublicDuty(duty.id, duty.articles, duty.asks) for duty in preset.duties]
    return PublicPreset(preset.preset, preset.title, preset.as_of, preset.notice, duties)
