"""The rules for the handling of model output that a policy can name: one small file each, collected here by name."""

from guardrail.text.output import html, invisible, links, terminal_escapes
from guardrail.text.output.rule import OutputRule

__all__ = ["OUTPUT_RULES", "OutputRule"]

OUTPUT_RULES: dict[str, OutputRule] = {
    module.RULE.name: module.RULE for module in (terminal_escapes, links, html, invisible)
}
