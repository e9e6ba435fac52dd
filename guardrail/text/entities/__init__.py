"""The kinds of entities that a policy can name: one small file each, collected here by name."""

from guardrail.text.entities import (
    anthropic_key,
    aws_access_key,
    azure_key,
    cn_resident_id,
    credit_card,
    email_address,
    gcp_api_key,
    github_token,
    gitlab_token,
    iban_code,
    ip_address,
    jwt,
    openai_key,
    phone_number,
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
        email_address,
        phone_number,
        credit_card,
        iban_code,
        cn_resident_id,
        us_ssn,
        ip_address,
        url,
        aws_access_key,
        gcp_api_key,
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
