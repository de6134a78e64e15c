"""The supplier portal: REST, honours idempotency keys."""

from __future__ import annotations

from consumers.connectors.rest import RestClient, Timeouts, parse
from consumers.system import Call, System, SystemConfig
from schemas.models import ClosePortalAccount, CreatePortalAccount, PortalAccountClosed, PortalAccountCreated

__all__ = ["build"]


def build(config: SystemConfig) -> System:
    """The portal at `config.base_url`."""
    rest = RestClient(config.base_url, timeouts=Timeouts(connect=2, read=5, write=5, pool=2))
    portal = System("portal", lifespan=lambda: rest, gate=rest.guard.wait)

    @portal.action(CreatePortalAccount)
    async def create_account(command: CreatePortalAccount, call: Call) -> PortalAccountCreated:
        body = command.model_dump(mode="json") | {"reference": str(call.saga_id)}
        answer = await rest.request("POST", "/accounts", call=call, json=body, errors=command.contract.errors)
        return parse(PortalAccountCreated, answer)

    @portal.action(ClosePortalAccount)
    async def close_account(command: ClosePortalAccount, call: Call) -> PortalAccountClosed:
        query = command.model_dump(mode="json") | {"reference": str(call.saga_id)}
        errors = command.contract.errors
        answer = await rest.request("DELETE", "/accounts", call=call, params=query, errors=errors, missing_ok=True)
        return PortalAccountClosed(found=answer is not None)

    return portal
