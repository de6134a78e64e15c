"""The ERP: REST, honours idempotency keys. Copy this file for the next system.

`reference` is ours: the ERP keeps it with what it creates. An undo names it, so that it never takes away a vendor with
the same tax id that somebody else created.
"""

from __future__ import annotations

from consumers.connectors.rest import RestClient, Timeouts, parse
from consumers.system import Call, System, SystemConfig
from schemas.models import (
    CreateVendor,
    DeactivateVendor,
    InvoiceProcessed,
    InvoiceReversed,
    ProcessInvoice,
    ReverseInvoice,
    VendorCreated,
    VendorDeactivated,
)

__all__ = ["build"]


def build(config: SystemConfig) -> System:
    """The ERP at `config.base_url`."""
    rest = RestClient(config.base_url, timeouts=Timeouts(connect=2, read=5, write=5, pool=2))
    erp = System("erp", lifespan=lambda: rest, gate=rest.guard.wait)

    @erp.action(CreateVendor)
    async def create_vendor(command: CreateVendor, call: Call) -> VendorCreated:
        body = command.model_dump(mode="json") | {"reference": str(call.saga_id)}
        answer = await rest.request("POST", "/vendors", call=call, json=body, errors=command.contract.errors)
        return parse(VendorCreated, answer)

    # Not asked while the contract says `idempotent`: the key settles it. For an ERP without keys, say `queryable`, as
    # the contract of `suppliers.py` does.
    @erp.probe(CreateVendor)
    async def find_vendor(command: CreateVendor, call: Call) -> VendorCreated | None:
        query = {"tax_id": command.tax_id, "reference": str(call.saga_id)}
        answer = await rest.look_up("/vendors", call=call, params=query)
        # An answer without `items` is a broken one, and must not read as "not done".
        found = [] if answer is None else answer["items"]
        return parse(VendorCreated, found[0]) if found else None

    @erp.action(DeactivateVendor)
    async def deactivate_vendor(command: DeactivateVendor, call: Call) -> VendorDeactivated:
        query = command.model_dump(mode="json") | {"reference": str(call.saga_id)}
        errors = command.contract.errors
        answer = await rest.request("DELETE", "/vendors", call=call, params=query, errors=errors, missing_ok=True)
        return VendorDeactivated(found=answer is not None)

    @erp.action(ProcessInvoice)
    async def process_invoice(command: ProcessInvoice, call: Call) -> InvoiceProcessed:
        body = command.model_dump(mode="json") | {"reference": str(call.saga_id)}
        answer = await rest.request("POST", "/invoices", call=call, json=body, errors=command.contract.errors)
        return parse(InvoiceProcessed, answer)

    @erp.action(ReverseInvoice)
    async def reverse_invoice(command: ReverseInvoice, call: Call) -> InvoiceReversed:
        query = command.model_dump(mode="json") | {"reference": str(call.saga_id)}
        errors = command.contract.errors
        answer = await rest.request("DELETE", "/invoices", call=call, params=query, errors=errors, missing_ok=True)
        return InvoiceReversed(found=answer is not None)

    return erp
