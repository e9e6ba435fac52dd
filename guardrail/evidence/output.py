"""Checks of what becomes of the model's text: it is stopped, masked, and seen through."""

from __future__ import annotations

from guardrail.evidence.bench import Bench
from guardrail.evidence.checks import Outcome, check, fails, holds
from guardrail.evidence.samples import CARD, DISGUISED, EMAIL, HARMFUL, PADDING, PERSONAL, SLUR

REST = PADDING[:40]


@check("halt-aborts-upstream", "An answer that a rule ends is ended at the model server too.")
async def halt_aborts_upstream(bench: Bench) -> Outcome:
    for what, prompt, _ in HARMFUL:
        answer = await bench.ask(prompt)
        record = await bench.record(answer.request_id)
        if not record.get("halted"):
            continue
        generation = await bench.generation(answer.generation)
        made, planned = generation.get("generated", 0), generation.get("planned", 0)
        if not record.get("upstream_aborted") or generation.get("state") != "aborted":
            return fails(f"the answer with {what} was halted, and the model server went on")
        return holds(f"An answer with {what} was halted; the model server made {made} of {planned} tokens.")
    return fails("no rule of the policy halts any of the harmful samples; the shipped policy `default` has such rules")


@check("harm-is-stopped", "Harm that is said openly does not reach the client.")
async def harm_is_stopped(bench: Bench) -> Outcome:
    passed: list[str] = []
    stopped: list[str] = []
    for what, prompt, said in HARMFUL:
        answer = await bench.ask(prompt)
        (passed if said[-12:] in answer.text or REST in answer.text else stopped).append(what)
    if passed:
        return fails(f"the policy lets {', '.join(passed)} through; `extends: default` stops them")
    return holds(f"Stopped: {', '.join(stopped)}.")


@check("disguise-is-seen-through", "A harmful phrase in disguise is found all the same.")
async def disguise_is_seen_through(bench: Bench) -> Outcome:
    answer = await bench.ask(DISGUISED)
    if REST in answer.text:
        return fails("a phrase with an invisible character and a letter of another script in it passed")
    return holds("A phrase with an invisible character and a letter of another script in it was stopped.")


@check("personal-data-is-masked", "Personal data in answers does not reach the client.")
async def personal_data_is_masked(bench: Bench) -> Outcome:
    answer = await bench.ask(PERSONAL)
    if answer.status != 200 or not answer.text:
        return fails(f"there was no answer (status {answer.status})")
    leaked = [name for name, value in (("an e-mail address", EMAIL), ("a card number", CARD)) if value in answer.text]
    if leaked:
        return fails(f"the client got {' and '.join(leaked)}; the rules for entities of `default` mask them")
    return holds("An e-mail address and a card number were masked.")


@check("slurs-are-masked", "Slurs do not reach the client.")
async def slurs_are_masked(bench: Bench) -> Outcome:
    answer = await bench.ask(SLUR)
    if "faggot" in answer.text:
        return fails("a slur reached the client; the shipped policies `family` and `public-service` mask them")
    return holds("A slur was masked or stopped.")
