"""The kinds of entities that a policy can name: one small file each, collected here by name."""

from guardrail.text.entities import (
    anthropic_key,
    aws_access_key,
    azure_key,
    cn_resident_id,
    credit_card,
    de_tax_id,
    email_address,
    es_nie,
    es_nif,
    fi_personal_identity_code,
    gcp_api_key,
    github_token,
    gitlab_token,
    iban_code,
    ip_address,
    it_fiscal_code,
    jwt,
    openai_key,
    phone_number,
    pl_pesel,
    private_key,
    se_personnummer,
    slack_token,
    stripe_key,
    uk_nhs,
    uk_nino,
    url,
    us_itin,
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
        us_itin,
        uk_nhs,
        uk_nino,
        es_nif,
        es_nie,
        it_fiscal_code,
        de_tax_id,
        pl_pesel,
        fi_personal_identity_code,
        se_personnummer,
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
