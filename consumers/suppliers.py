"""The approved-supplier list: REST, home-made. It honours no idempotency keys, but can be asked what it holds."""

from __future__ import annotations

from consumers.connectors.rest import RestClient, Timeouts, parse
from consumers.system import Call, System, SystemConfig
from schemas.models import ApproveSupplier, RevokeSupplier, SupplierApproved, SupplierRevoked

__all__ = ["build"]


def build(config: SystemConfig) -> System:
    """The list at `config.base_url`."""
    rest = RestClient(config.base_url, timeouts=Timeouts(connect=2, read=5, write=5, pool=2))
    suppliers = System("suppliers", lifespan=lambda: rest, gate=rest.guard.wait)

    @suppliers.action(ApproveSupplier)
    async def approve(command: ApproveSupplier, call: Call) -> SupplierApproved:
        body = command.model_dump(mode="json") | {"reference": str(call.saga_id)}
        answer = await rest.request("POST", "/suppliers", call=call, json=body, errors=command.contract.errors)
        return parse(SupplierApproved, answer)

    @suppliers.probe(ApproveSupplier)
    async def find_approval(command: ApproveSupplier, call: Call) -> SupplierApproved | None:
        query = {"tax_id": command.tax_id, "reference": str(call.saga_id)}
        answer = await rest.look_up("/suppliers", call=call, params=query)
        # An answer without `items` is a broken one, and must not read as "not done".
        found = [] if answer is None else answer["items"]
        return parse(SupplierApproved, found[0]) if found else None

    @suppliers.action(RevokeSupplier)
    async def revoke(command: RevokeSupplier, call: Call) -> SupplierRevoked:
        query = command.model_dump(mode="json") | {"reference": str(call.saga_id)}
        errors = command.contract.errors
        answer = await rest.request("DELETE", "/suppliers", call=call, params=query, errors=errors, missing_ok=True)
        return SupplierRevoked(found=answer is not None)

    return suppliers
