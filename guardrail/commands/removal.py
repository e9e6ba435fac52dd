"""`guardrail cases remove` and `guardrail cases deliveries`: an answer has to be taken down, and is it?"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from guardrail.governance.cases import Case
    from guardrail.governance.deliveries import Delivery

Config = Annotated[
    Path | None,
    typer.Option(envvar="GUARDRAIL_CONFIG", help="guardrail.yaml, or a folder that holds one.", show_default=False),
]


def remove(
    id: Annotated[str, typer.Argument(metavar="REQUEST_OR_CASE", help="Id of the request, or of a case about it.")],
    reason: Annotated[str, typer.Option(help="The facts, for the person concerned.")],
    category: Annotated[list[str], typer.Option(help="What it is; may be given again.", show_default=False)],
    actor: Annotated[str, typer.Option(help="Who orders it; stands in the audit log.")],
    tenant: Annotated[
        str, typer.Option(help="Whose answer it is; not needed where a case tells.", show_default=False)
    ] = "",
    message_id: Annotated[
        str, typer.Option(help="The answer's own id (answer_id in its record).", show_default=False)
    ] = "",
    channel: Annotated[str, typer.Option(help="The channel, as in findings.")] = "content",
    start: Annotated[int | None, typer.Option(help="First code point.", show_default="all of it")] = None,
    end: Annotated[int | None, typer.Option(help="Behind the last one.", show_default="all of it")] = None,
    ground: Annotated[str, typer.Option(help="The law or the clause.", show_default=False)] = "",
    contract: Annotated[bool, typer.Option("--contract", help="The ground is the terms of use, no law.")] = False,
    config: Config = None,
) -> None:
    """Tell the application to take an answer down, until it has acknowledged that.

    The message is sent by a running `guardrail serve` with the same state, and stays until then.
    """
    from guardrail.errors import GuardrailError
    from guardrail.governance.desk import open_desk
    from guardrail.governance.removal import Order, Removals

    async def run() -> tuple[Case, Delivery]:
        order = Order(
            reason,
            category,
            tenant=tenant,
            message=message_id,
            channel=channel,
            start=start,
            end=end,
            ground=ground,
            unlawful=not contract,
            **({"case": id} if id.startswith("c-") else {"request": id}),
        )
        async with open_desk(config, os.environ) as desk:
            return await Removals(desk.store, desk.audit, desk.terms).order(order, actor)

    try:
        case, delivery = asyncio.run(run())
    except (GuardrailError, OSError) as error:
        typer.echo(f"guardrail cases: {error}", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{case.id}  {case.tenant}  remove  {case.request or message_id}")
    typer.echo(f"{delivery.id}  {delivery.status}")


def list_deliveries(
    tenant: Annotated[str, typer.Option(help="Only to this tenant.", show_default=False)] = "",
    pending: Annotated[bool, typer.Option("--pending", help="Only those that were not acknowledged.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many at most.")] = 100,
    config: Config = None,
) -> None:
    """Print the messages to applications: was it acknowledged, and what came of the last try."""
    from time import time

    from guardrail.errors import GuardrailError
    from guardrail.governance.complaint_terms import told
    from guardrail.governance.deliveries import deliveries
    from guardrail.governance.desk import open_desk

    async def run() -> list[Delivery]:
        async with open_desk(config, os.environ) as desk:
            return await deliveries(desk.store, tenant=tenant, status="pending" if pending else "", limit=limit)

    try:
        found = asyncio.run(run())
    except (GuardrailError, OSError) as error:
        typer.echo(f"guardrail cases: {error}", err=True)
        raise typer.Exit(1) from None
    for each in found:
        late = "  OVERDUE" if each.overdue(time()) else ""
        last = f"  {each.failure}" if each.failure else ""
        typer.echo(f"{each.id}  {each.tenant}  {each.about}  {each.status}  {each.tries} tries{last}{late}")
        if each.status == "acknowledged":
            typer.echo(f"  acknowledged {told(each.acknowledged_at)}")
