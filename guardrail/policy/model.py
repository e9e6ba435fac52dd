"""What policy and tenant files may say, and the JSON Schema of every kind of file.

Plain data as written: a field that was not given is UNSET, so that a policy which extends another overrides
only what it names. What the fields mean together is checked in `guardrail.policy.resolve` and
`guardrail.policy.compile`.
"""

from __future__ import annotations

import copy
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from guardrail.classify.detector import DetectorEntry
from guardrail.classify.folders import SHIPPED as SHIPPED_MODEL
from guardrail.governance.presets import PresetFile
from guardrail.governance.terms import Terms
from guardrail.settings import FilePath, Name, Settings, Variable
from guardrail.text.rules import MAX_NEAR

RuleId = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$(?!\n)", title='an id of letters, digits, ".", "_" and "-"')
]
Category = Annotated[
    str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}$(?!\n)", title='a category of lower-case letters, digits and "_"')
]
Locale = Annotated[str, Meta(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})?$(?!\n)", title="a language such as en or zh")]
Term = Annotated[str, Meta(min_length=1, max_length=256)]
Example = Annotated[str, Meta(min_length=1, max_length=65536)]
KeyHash = Annotated[
    str, Meta(pattern=r"^sha256:[0-9a-fA-F]{64}$(?!\n)", title="sha256: and the 64 hex digits of the hash of a key")
]


class MaskEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """What stands for a redacted hit."""

    style: Annotated[
        Literal["label", "char", "keep_last", "hash"],
        Meta(
            description="`label`: a fixed text. `char`: one character for each of the hit. `keep_last`: the same, "
            "but the last letters and digits stay. `hash`: a label with a short keyed hash, the same for equal hits."
        ),
    ]
    text: Annotated[
        Annotated[str, Meta(max_length=256)] | UnsetType,
        Meta(
            description="For `label`: the whole text, by default the entity's label or [REDACTED]. For `hash`: the "
            "word before the hash."
        ),
    ] = UNSET
    char: Annotated[
        Annotated[str, Meta(min_length=1, max_length=1)] | UnsetType,
        Meta(description="For `char` and `keep_last`: the character, by default *."),
    ] = UNSET
    keep: Annotated[
        Annotated[int, Meta(ge=1, le=64)] | UnsetType,
        Meta(description="For `keep_last`: how many letters and digits stay, by default 4."),
    ] = UNSET
    key_env: Annotated[
        Variable | UnsetType,
        Meta(description="For `hash`: environment variable with the secret key, at least 16 bytes."),
    ] = UNSET


class Examples(Struct, frozen=True, forbid_unknown_fields=True):
    """Texts that prove a rule; they are tried whenever the file is loaded."""

    hit: Annotated[tuple[Example, ...], Meta(description="Texts in which the rule must find something.")] = ()
    miss: Annotated[tuple[Example, ...], Meta(description="Texts in which the rule must find nothing.")] = ()


class FoldEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """Which disguises of its terms a rule sees through; what is not named is as usual."""

    marks: Annotated[
        bool | UnsetType, Meta(description="Combining marks and accents (bo\u0336mb, b\u00f3mb); by default true.")
    ] = UNSET
    lookalikes: Annotated[
        bool | UnsetType, Meta(description="Letters of other scripts that look alike; by default true.")
    ] = UNSET
    simplified: Annotated[
        bool | UnsetType, Meta(description="Traditional Chinese characters for simplified ones; by default true.")
    ] = UNSET
    numbers: Annotated[bool | UnsetType, Meta(description="Chinese numerals for digits; by default true.")] = UNSET
    leet: Annotated[bool | UnsetType, Meta(description="Digits and signs for letters (b0mb); by default true.")] = UNSET
    noise: Annotated[
        bool | UnsetType, Meta(description="Signs, mark-up and blanks between letters (b.o.m.b); by default false.")
    ] = UNSET
    repeats: Annotated[bool | UnsetType, Meta(description="Letters written too often (boooomb); by default false.")] = (
        UNSET
    )
    exact: Annotated[
        bool | UnsetType, Meta(description="Nothing is folded, not even width and case; by default false.")
    ] = UNSET


class NearEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """A word of one list near a word of the other, in either order."""

    first: Annotated[Annotated[tuple[Term, ...], Meta(min_length=1)] | UnsetType, Meta(description="One list.")] = UNSET
    first_lexicon: Annotated[FilePath | UnsetType, Meta(description="A file with the one list.")] = UNSET
    second: Annotated[
        Annotated[tuple[Term, ...], Meta(min_length=1)] | UnsetType, Meta(description="The other list.")
    ] = UNSET
    second_lexicon: Annotated[FilePath | UnsetType, Meta(description="A file with the other list.")] = UNSET
    within: Annotated[
        Annotated[int, Meta(ge=0, le=MAX_NEAR)] | UnsetType,
        Meta(description=f"Most characters between the two; by default {MAX_NEAR}."),
    ] = UNSET
    sentence: Annotated[
        bool | UnsetType, Meta(description="Whether both must be in one sentence; by default false.")
    ] = UNSET


class RuleEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """One rule: one kind of thing to find, and what to do about it."""

    id: Annotated[
        RuleId | UnsetType,
        Meta(description="Name of the rule. A rule of a parent with the same id is changed, not added to."),
    ] = UNSET
    entity: Annotated[
        Name | UnsetType, Meta(description="Find a built-in kind of entity; the rule's id is `entity.` and its name.")
    ] = UNSET
    keywords: Annotated[
        Annotated[tuple[Term, ...], Meta(min_length=1)] | UnsetType, Meta(description="Find these words and phrases.")
    ] = UNSET
    lexicon: Annotated[
        FilePath | Annotated[tuple[FilePath, ...], Meta(min_length=1)] | UnsetType,
        Meta(description="Find the terms of this file (or these): .txt, .csv or .jsonl, relative to the policy file."),
    ] = UNSET
    pattern: Annotated[
        Annotated[str, Meta(min_length=1, max_length=4096)] | UnsetType,
        Meta(description="Find this regular expression (RE2 syntax, of bounded width)."),
    ] = UNSET
    patterns: Annotated[
        Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=4096)], ...], Meta(min_length=1)] | UnsetType,
        Meta(description="Find any of these regular expressions."),
    ] = UNSET
    protect: Annotated[
        FilePath | UnsetType,
        Meta(
            description="Find passages of the documents of this fingerprint set, relative to the policy file; "
            "`system_prompt`: of the request's own system prompt."
        ),
    ] = UNSET
    output: Annotated[
        Literal["terminal_escapes", "links", "html", "invisible"] | UnsetType,
        Meta(description="Find output that is unsafe to show; the rule's id is `output.` and its name."),
    ] = UNSET
    hosts: Annotated[
        Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=255)], ...], Meta(max_length=4096)] | UnsetType,
        Meta(description="For `output: links` and `html`: hosts that may be led to: example.com, *.example.com."),
    ] = UNSET
    near: Annotated[NearEntry | UnsetType, Meta(description="Find a word of one list near one of another.")] = UNSET
    action: Annotated[
        Literal["allow", "log", "redact", "replace", "halt"] | UnsetType,
        Meta(
            description="`allow`: the rule is switched off. `log`: report only. `redact`: mask. `replace`: put "
            "`with` in its place. `halt`: end the answer."
        ),
    ] = UNSET
    mask: Annotated[MaskEntry | UnsetType, Meta(description="For `redact`: what stands for a hit.")] = UNSET
    with_: Annotated[
        Annotated[str, Meta(max_length=4096)] | UnsetType, Meta(description="For `replace`: what stands for a hit.")
    ] = msgspec.field(default=UNSET, name="with")
    category: Annotated[
        Category | UnsetType,
        Meta(description="Kind of harm, as clients and metrics see it; by default the entity's, or `custom`."),
    ] = UNSET
    severity: Annotated[
        Literal["low", "medium", "high", "critical"] | UnsetType,
        Meta(description="How grave a hit is; by default the entity's, or `medium`."),
    ] = UNSET
    case: Annotated[
        bool | UnsetType, Meta(description="For keywords: tell upper from lower case; by default false.")
    ] = UNSET
    edges: Annotated[
        Literal["auto", "always", "never"] | UnsetType,
        Meta(
            description="For keywords: whether a term must be a whole word. `auto`: in alphabetic scripts only, not "
            "in Chinese, Japanese, Korean, Thai, Lao, Khmer and Burmese."
        ),
    ] = UNSET
    fold: Annotated[
        FoldEntry | UnsetType, Meta(description="For keywords: which disguises of a term are seen through.")
    ] = UNSET
    languages: Annotated[
        Annotated[tuple[Locale, ...], Meta(min_length=1)] | UnsetType,
        Meta(description="For lexicons: take only the terms of these languages, and those of none in particular."),
    ] = UNSET
    expand: Annotated[
        Annotated[tuple[Literal["pinyin", "split"], ...], Meta(min_length=1)] | UnsetType,
        Meta(description="For lexicons: find Chinese terms also in pinyin, or with their characters split in two."),
    ] = UNSET
    term_actions: Annotated[
        Literal["keep", "ignore"] | UnsetType,
        Meta(
            description="For lexicons: whether the action that a list gives a term goes before the rule's; by default "
            "`keep`. `ignore`: to try a list without its actions."
        ),
    ] = UNSET
    edge: Annotated[
        Literal["none", "digit", "word"] | UnsetType,
        Meta(
            description="For patterns: what may not stand right beside a match: nothing in particular, a digit, or "
            "a letter, digit or underscore."
        ),
    ] = UNSET
    allow: Annotated[
        tuple[Term, ...] | UnsetType,
        Meta(
            description="Phrases inside which a hit does not count. For `ip_address` also networks (10.0.0.0/8), for "
            "`email_address` and `url` also domains (@example.com, example.com, *.example.com)."
        ),
    ] = UNSET
    examples: Annotated[Examples | UnsetType, Meta(description="Texts that prove the rule.")] = UNSET


class LevelEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes of a stretch of text that the classifier holds for harm of a category."""

    at: Annotated[
        Literal["precise", "balanced", "sensitive"]
        | Annotated[float, Meta(gt=0, le=1, title="a number above 0, at most 1")],
        Meta(
            description="From which probability on: an operating point of the model (`precise`: at most 1 false halt "
            "in 1,000 harmless answers, `balanced`: 10, `sensitive`: 50), or a number above 0, at most 1."
        ),
    ] = "precise"
    action: Annotated[
        Literal["allow", "log", "redact", "replace", "halt"],
        Meta(
            description="`halt`: end the answer in front of the stretch (the default). `redact`, `replace`: put a mask "
            "in its place. `log`: report only. `allow`: switched off."
        ),
    ] = "halt"
    severity: Annotated[
        Literal["low", "medium", "high", "critical"], Meta(description="How grave a hit is; by default `high`.")
    ] = "high"
    mask: Annotated[MaskEntry | UnsetType, Meta(description="For `redact`: what stands for the stretch.")] = UNSET
    with_: Annotated[
        Annotated[str, Meta(max_length=4096)] | UnsetType, Meta(description="For `replace`: what stands for it.")
    ] = msgspec.field(default=UNSET, name="with")


Levels = LevelEntry | Annotated[tuple[LevelEntry, ...], Meta(min_length=1, max_length=8)]


class ClassifierCategories(Struct, frozen=True, forbid_unknown_fields=True):
    """The categories that are looked for, each with one level or several."""

    hate: Annotated[Levels | UnsetType, Meta(description="Attacks on people for what they are.")] = UNSET
    harassment: Annotated[Levels | UnsetType, Meta(description="Insults, threats and bullying.")] = UNSET
    sexual: Annotated[Levels | UnsetType, Meta(description="Sexual content.")] = UNSET
    violence: Annotated[Levels | UnsetType, Meta(description="Violence that is praised, urged or depicted.")] = UNSET
    self_harm: Annotated[Levels | UnsetType, Meta(description="Suicide and self-harm that is urged or taught.")] = UNSET
    illicit: Annotated[Levels | UnsetType, Meta(description="Help with crime, weapons and drugs.")] = UNSET
    profanity: Annotated[Levels | UnsetType, Meta(description="Coarse language.")] = UNSET
    unsafe: Annotated[Levels | UnsetType, Meta(description="Harm of any kind.")] = UNSET


class ClassifierEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """A model that scores the text stretch by stretch."""

    model: Annotated[
        FilePath | UnsetType,
        Meta(
            description="A model that comes with the package, by its name, or the folder of one, relative to the "
            f"policy file; by default `{SHIPPED_MODEL}`."
        ),
    ] = UNSET
    remote: Annotated[DetectorEntry | UnsetType, Meta(description="A detector over HTTP, instead of a model.")] = UNSET
    lag_budget: Annotated[
        Annotated[int, Meta(ge=0, le=100_000)] | UnsetType,
        Meta(
            description="Characters that may be delivered behind the last scored one; by default 0: none. With more, "
            "only `halt` and `log` are possible, and a late halt withdraws text."
        ),
    ] = UNSET
    fail: Annotated[
        Literal["closed", "open"] | UnsetType,
        Meta(
            description="What becomes of text that could not be scored: the answer ends in front of it (`closed`, the "
            "default), or it passes and is counted (`open`)."
        ),
    ] = UNSET
    debounce: Annotated[
        Annotated[int, Meta(ge=1, le=16)] | UnsetType,
        Meta(description="How many stretches in a row must reach a level before it counts; by default 1."),
    ] = UNSET
    context: Annotated[
        Literal["answer", "prompt"] | UnsetType,
        Meta(description="Whether the model is shown the newest user message too (`prompt`); by default `answer`."),
    ] = UNSET
    deadline: Annotated[
        Annotated[float, Meta(ge=0.01, le=60)] | UnsetType,
        Meta(description="Seconds from the end of a stretch to its score, then it counts as failed; by default 2."),
    ] = UNSET
    categories: Annotated[ClassifierCategories | UnsetType, Meta(description="What to look for.")] = UNSET


class InputEntry(Struct, frozen=True, forbid_unknown_fields=True):
    """What is looked for in requests, before the model reads them."""

    turns: Annotated[
        Literal["newest", "all"] | UnsetType,
        Meta(
            description="Which messages are scanned: those since the model last spoke (`newest`, the default), or all "
            "of the conversation."
        ),
    ] = UNSET
    roles: Annotated[
        Annotated[tuple[Literal["user", "tool", "system", "assistant"], ...], Meta(min_length=1)] | UnsetType,
        Meta(
            description="Whose messages are scanned; by default `[user]`. `tool`: what tools gave back, through which "
            "instructions of strangers come in."
        ),
    ] = UNSET
    notice: Annotated[
        dict[Locale, Annotated[str, Meta(min_length=1, max_length=2000)]] | UnsetType,
        Meta(description="What a client is told whose prompt is refused, by language; {case_id} is filled in."),
    ] = UNSET
    rules: Annotated[
        tuple[RuleEntry, ...],
        Meta(description="The rules. `redact`, `replace`: the model reads the edited text. `halt`: it is not asked."),
    ] = ()
    classifier: Annotated[
        ClassifierEntry | UnsetType, Meta(description="A model that reads the prompt; none by default.")
    ] = UNSET


class PolicyFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A file in the folder `policies`: one policy."""

    policy: Annotated[Name, Meta(description="Name of the policy.")]
    extends: Annotated[
        Name | Annotated[tuple[Name, ...], Meta(min_length=1)] | UnsetType,
        Meta(description="Policy (or policies, the later ones winning) whose rules and settings this one starts from."),
    ] = UNSET
    locale: Annotated[
        Locale | UnsetType, Meta(description="Language of notices; `en` and `zh` are built in. By default `en`.")
    ] = UNSET
    halt: Annotated[
        Literal["choice", "response"] | UnsetType,
        Meta(description="What a halt ends: the choice it happened in (the default), or the whole response."),
    ] = UNSET
    unknown_text: Annotated[
        Literal["block", "pass"] | UnsetType,
        Meta(
            description="What becomes of model text in a shape that is not known and so not scanned: it is removed "
            "(the default), or passes."
        ),
    ] = UNSET
    notice: Annotated[
        bool | dict[Locale, Annotated[str, Meta(max_length=2000)]] | UnsetType,
        Meta(
            description="What the reader sees at a halt, by language; {case_id} is filled in. `false`: nothing. "
            "`true`: the built-in text."
        ),
    ] = UNSET
    store_text: Annotated[
        bool | UnsetType, Meta(description="Whether text around findings may be kept, sealed; by default false.")
    ] = UNSET
    rules: Annotated[tuple[RuleEntry, ...], Meta(description="The rules.")] = ()
    classifier: Annotated[
        ClassifierEntry | UnsetType, Meta(description="A model that reads the text; none by default.")
    ] = UNSET
    input: Annotated[
        InputEntry | UnsetType,
        Meta(description="What is looked for in requests, before the model reads them; nothing by default."),
    ] = UNSET


class TenantFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A file in the folder `tenants`: one tenant."""

    tenant: Annotated[Name, Meta(description="Name of the tenant.")]
    policy: Annotated[Name, Meta(description="Policy for this tenant.")] = "default"
    upstream: Annotated[Name, Meta(description="Upstream for this tenant.")] = "default"
    keys: Annotated[
        tuple[KeyHash, ...], Meta(description="Hashes of the tenant's keys: sha256: and 64 hex digits. Never a key.")
    ] = ()
    locale: Annotated[Locale | UnsetType, Meta(description="Language of notices; by default the policy's.")] = UNSET
    terms: Annotated[
        Terms, Meta(description="What holds for this tenant; what is not given here comes from `guardrail.yaml`.")
    ] = Terms()


class Scenario(Struct, frozen=True, forbid_unknown_fields=True):
    """One text, and what must become of it however a stream cuts it."""

    name: Annotated[str, Meta(min_length=1, max_length=200, description="What the scenario shows.")]
    input: Annotated[str, Meta(max_length=65536, description="What the model says; with `prompt`, what it is asked.")]
    output: Annotated[
        Annotated[str, Meta(max_length=131072)] | UnsetType,
        Meta(
            description="What the client gets; with `prompt`, what the model reads. By default the input, unchanged; "
            "nothing of a prompt that is refused."
        ),
    ] = UNSET
    halt: Annotated[bool, Meta(description="Whether the answer is ended early; with `prompt`, it is refused.")] = False
    prompt: Annotated[bool, Meta(description="Try the rules of the section `input` instead.")] = False
    findings: Annotated[
        tuple[str, ...] | UnsetType,
        Meta(
            description="The ids of the rules that find something, in the order of the text; by default not looked at."
        ),
    ] = UNSET


class ScenarioFile(Struct, frozen=True, forbid_unknown_fields=True):
    """A file in the folder `scenarios`: tests of one policy."""

    policy: Annotated[Name, Meta(description="Name of the policy.")]
    scenarios: Annotated[tuple[Scenario, ...], Meta(min_length=1, description="The scenarios.")]


FILE_KINDS: dict[type[Struct], str] = {
    Settings: "guardrail.yaml",
    PolicyFile: "policies/*.yaml",
    TenantFile: "tenants/*.yaml",
    ScenarioFile: "scenarios/*.yaml",
    PresetFile: "presets/*.yaml",
}

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def json_schema() -> dict[str, Any]:
    """One JSON Schema document; a file of any kind is valid under it."""
    references, definitions = msgspec.json.schema_components(list(FILE_KINDS), ref_template="#/$defs/{name}")
    return {
        "$schema": _DIALECT,
        "title": "guardrail configuration",
        "oneOf": [dict(reference) for reference in references],
        "$defs": {name: _without_null(definition) for name, definition in definitions.items()},
    }


def file_schema(kind: type[Struct]) -> dict[str, Any]:
    """The JSON Schema of one kind of file."""
    (reference,), definitions = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
    return {
        "$schema": _DIALECT,
        **reference,
        "$defs": {name: _without_null(definition) for name, definition in definitions.items()},
    }


def _without_null(schema: Any) -> Any:
    """An optional key is left out, never null: the reader refuses `key:` with nothing behind it."""
    if isinstance(schema, list):
        return [_without_null(item) for item in schema]
    if not isinstance(schema, dict):
        return copy.deepcopy(schema)
    out = {key: _without_null(value) for key, value in schema.items() if not (key == "default" and value is None)}
    branches = [branch for branch in out.get("anyOf", ()) if branch != {"type": "null"}]
    if len(branches) == 1:
        del out["anyOf"]
        out |= branches[0]
    elif branches:
        out["anyOf"] = branches
    if isinstance(default := out.get("default"), dict):
        out["default"] = {key: value for key, value in default.items() if value is not None}
    return out
