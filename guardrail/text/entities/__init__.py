"""The kinds of entities that a policy can name: one small file each, collected here by name."""

from guardrail.text.entities import (
    anthropic_key,
    aws_key,
    azure_key,
    cn_resident_id,
    credit_card,
    email,
    gcp_key,
    github_token,
    gitlab_token,
    iban,
    ipv4,
    ipv6,
    jwt,
    openai_key,
    phone,
    private_key,
    slack_token,
    stripe_key,
    url,
    us_ssn,
)
from guardrail.text.entities.entity import Entity

__all__ = ["ENTITIES", "Entity"]

ENTITIES: dict[str, Entity] = {
    module.ENTITY.name: module.ENTITY
    for module in (
        email,
        phone,
        credit_card,
        iban,
        cn_resident_id,
        us_ssn,
        ipv4,
        ipv6,
        url,
        aws_key,
        gcp_key,
        azure_key,
        github_token,
        gitlab_token,
        slack_token,
        stripe_key,
        openai_key,
        anthropic_key,
        private_key,
        jwt,
    )
}
"""Personal data first, then secrets."""
