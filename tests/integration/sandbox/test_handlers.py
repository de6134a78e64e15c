"""The four systems as they ship: each action, each undo, and what each code of the contracts means."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest

from consumers.catalogue import SYSTEMS, ready
from consumers.errors import Failed, Rejected, Unknown
from consumers.system import Call, System, SystemConfig
from schemas.models import (
    BY_NAME,
    ApologyEmailSent,
    ApproveSupplier,
    ClosePortalAccount,
    CreatePortalAccount,
    CreateVendor,
    DeactivateVendor,
    InvoiceProcessed,
    InvoiceReversed,
    PortalAccountClosed,
    PortalAccountCreated,
    ProcessInvoice,
    Record,
    ReverseInvoice,
    RevokeSupplier,
    SendApologyEmail,
    SendWelcomeEmail,
    SupplierApproved,
    SupplierRevoked,
    VendorCreated,
    VendorDeactivated,
    WelcomeEmailSent,
)

Do = Callable[..., Any]


@pytest.fixture
async def systems(sandbox: Any) -> AsyncIterator[dict[str, System]]:
    built = {name: factory(SystemConfig(sandbox.urls[name])) for name, factory in SYSTEMS.items()}
    async with AsyncExitStack() as stack:
        for system in built.values():
            await stack.enter_async_context(system.lifespan())
        yield built


@pytest.fixture
def do(systems: dict[str, System], make_call: Callable[..., Call]) -> Do:
    """Has the system of a command do it."""

    async def do(command: Record, call: Call | None = None) -> Record:
        assert command.contract.system is not None
        action = systems[command.contract.system].actions[command.contract.name]
        answer = await action.handler(command, call or make_call())
        assert type(answer) is command.contract.completion
        return answer

    return do


def tax_id() -> str:
    return f"DE{uuid4().int % 10**12:012d}"


def create_vendor(tax: str, **changes: Any) -> CreateVendor:
    values = {
        "vendor_name": "Müller & Söhne",
        "vendor_type": "SUPPLIER",
        "tax_id": tax,
        "payment_terms": "NET_30",
        "primary_contact_email": "ada@example.com",
    }
    return CreateVendor.model_validate({**values, **changes})


def open_account(vendor: str, email: str) -> CreatePortalAccount:
    return CreatePortalAccount(vendor_id=vendor, vendor_name="Müller", primary_contact_email=email)


def approve(tax: str, category: str = "bearings") -> ApproveSupplier:
    return ApproveSupplier(vendor_id="V-1", vendor_name="Müller", tax_id=tax, category=category)


def invoice(number: str) -> ProcessInvoice:
    return ProcessInvoice(
        vendor_tax_id="DE1",
        invoice_number=number,
        amount=Decimal("1234.50"),
        currency="EUR",
        issued_on=date(2026, 1, 31),
    )


def test_every_command_has_a_handler() -> None:
    built = {
        name: factory(SystemConfig("smtp://nowhere" if name == "mail" else "http://nowhere"))
        for name, factory in SYSTEMS.items()
    }
    commands = {name: model.contract.system for name, model in BY_NAME.items() if model.contract.kind == "command"}
    unused = {
        spec.full_name(action.command): name for name, spec in ready().items() for action in spec.actions.values()
    }
    assert {action: system.name for system in built.values() for action in system.actions} | unused == commands


# -- do and undo -----------------------------------------------------------------------------------------------------


async def test_a_vendor_is_created_and_deactivated_and_not_found_is_success(do: Do, make_call: Any) -> None:
    tax, saga = tax_id(), uuid4()
    created = await do(create_vendor(tax), make_call(saga))
    assert isinstance(created, VendorCreated)
    undo = DeactivateVendor(tax_id=tax, vendor_id=created.vendor_id)
    assert await do(undo, make_call(saga)) == VendorDeactivated(found=True)
    assert await do(undo, make_call(saga)) == VendorDeactivated(found=False)


async def test_an_undo_after_an_unknown_knows_no_id_and_finds_its_own(do: Do, make_call: Any) -> None:
    tax, saga = tax_id(), uuid4()
    await do(create_vendor(tax), make_call(saga))
    assert await do(DeactivateVendor(tax_id=tax), make_call(saga)) == VendorDeactivated(found=True)


async def test_an_undo_takes_nothing_away_that_somebody_else_created(do: Do, make_call: Any) -> None:
    tax, theirs, ours = tax_id(), uuid4(), uuid4()
    await do(create_vendor(tax), make_call(theirs))
    with pytest.raises(Rejected):
        await do(create_vendor(tax), make_call(ours))
    assert await do(DeactivateVendor(tax_id=tax), make_call(ours)) == VendorDeactivated(found=False)
    with pytest.raises(Rejected, match="DUPLICATE_TAX_ID"):
        await do(create_vendor(tax), make_call(uuid4()))


async def test_an_account_is_opened_and_closed(do: Do, make_call: Any) -> None:
    saga, vendor, email = uuid4(), f"V-{uuid4()}", f"{uuid4().hex}@example.com"
    opened = await do(open_account(vendor, email), make_call(saga))
    assert isinstance(opened, PortalAccountCreated)
    assert opened.login_url.startswith("https://")
    undo = ClosePortalAccount(vendor_id=vendor, account_id=opened.account_id)
    assert [await do(undo, make_call(saga)) for _ in range(2)] == [
        PortalAccountClosed(found=True),
        PortalAccountClosed(found=False),
    ]
    # The address is free again.
    assert isinstance(await do(open_account(vendor, email), make_call(saga)), PortalAccountCreated)


async def test_a_supplier_is_approved_and_revoked(do: Do, make_call: Any) -> None:
    saga, tax = uuid4(), tax_id()
    approved = await do(approve(tax), make_call(saga))
    assert isinstance(approved, SupplierApproved)
    undo = RevokeSupplier(tax_id=tax, approval_id=approved.approval_id)
    assert [await do(undo, make_call(saga)) for _ in range(2)] == [
        SupplierRevoked(found=True),
        SupplierRevoked(found=False),
    ]


async def test_an_invoice_is_entered_exactly_and_reversed(do: Do, make_call: Any, sandbox: Any) -> None:
    saga, number = uuid4(), f"INV-{uuid4()}"
    entered = await do(invoice(number), make_call(saga))
    assert isinstance(entered, InvoiceProcessed)
    (applied,) = sandbox.ledger().applied(ref=number)
    assert applied.data["change"]["row"]["amount"] == "1234.50"
    undo = ReverseInvoice(vendor_tax_id="DE1", invoice_number=number, invoice_id=entered.invoice_id)
    assert [await do(undo, make_call(saga)) for _ in range(2)] == [
        InvoiceReversed(found=True),
        InvoiceReversed(found=False),
    ]


async def test_a_welcome_is_followed_by_an_apology_that_answers_it(do: Do, make_call: Any, sandbox: Any) -> None:
    saga, to = uuid4(), f"{uuid4().hex}@example.com"
    sent = await do(
        SendWelcomeEmail(recipient=to, recipient_name="Ada", login_url="https://p.example"), make_call(saga)
    )
    assert isinstance(sent, WelcomeEmailSent)
    apology = SendApologyEmail(recipient=to, recipient_name="Ada", in_reply_to=sent.message_id)
    answered = await do(apology, make_call(saga, direction="undo"))
    assert isinstance(answered, ApologyEmailSent)
    assert answered.message_id != sent.message_id
    assert sandbox.ledger().sequence(reference=str(saga)) == ["mail.send_welcome_email", "mail.send_apology_email"]


async def test_a_name_with_braces_is_only_a_name(do: Do) -> None:
    await do(
        SendWelcomeEmail(recipient="ada@example.com", recipient_name="{0} {url} %s", login_url="https://p.example/{x}")
    )


# -- probes ----------------------------------------------------------------------------------------------------------


async def test_the_erps_probe_finds_what_this_saga_created(do: Do, make_call: Any, systems: Any, sandbox: Any) -> None:
    probe = systems["erp"].actions[CreateVendor.contract.name].probe
    tax, saga = tax_id(), uuid4()
    command = create_vendor(tax)
    assert await probe(command, make_call(saga)) is None
    created = await do(command, make_call(saga))
    assert await probe(command, make_call(saga)) == created
    assert await probe(command, make_call()) is None
    sandbox.fault("erp", "error", action="find_vendor")
    with pytest.raises(Unknown):
        await probe(command, make_call(saga))


async def test_the_lists_probe_finds_what_this_saga_approved(
    do: Do, make_call: Any, systems: Any, sandbox: Any
) -> None:
    probe = systems["suppliers"].actions[ApproveSupplier.contract.name].probe
    tax, saga = tax_id(), uuid4()
    command = approve(tax)
    assert await probe(command, make_call(saga)) is None
    approved = await do(command, make_call(saga))
    assert await probe(command, make_call(saga)) == approved
    assert await probe(command, make_call()) is None
    sandbox.fault("suppliers", "drop_answer", action="find_approval")
    with pytest.raises(Unknown):
        await probe(command, make_call(saga))


async def test_the_list_honours_no_keys(do: Do, make_call: Any, sandbox: Any) -> None:
    tax, call = tax_id(), make_call()
    await do(approve(tax), call)
    with pytest.raises(Rejected, match="ALREADY_APPROVED"):
        await do(approve(tax), call)
    assert sandbox.lines(call.idempotency_key) == ["call", "applied", "call"]


async def test_an_approval_without_an_answer_is_not_asked_for_again_in_place(
    do: Do, make_call: Any, sandbox: Any
) -> None:
    tax, saga = tax_id(), uuid4()
    call = replace(make_call(saga), keyed=False)
    sandbox.fault("suppliers", "drop_answer", times=1)
    with pytest.raises(Unknown):
        await do(approve(tax), call)
    assert sandbox.lines(call.idempotency_key) == ["call", "applied"]


async def test_a_probe_whose_answer_is_broken_does_not_say_not_done(make_call: Any) -> None:
    class Broken(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Broken)
    Thread(target=server.serve_forever, daemon=True).start()
    erp = SYSTEMS["erp"](SystemConfig(f"http://127.0.0.1:{server.server_port}"))
    probe = erp.actions[CreateVendor.contract.name].probe
    assert probe is not None
    async with erp.lifespan():
        with pytest.raises(Unknown, match="BAD_RESPONSE"):
            await probe(create_vendor(tax_id()), make_call())
    server.shutdown()
    server.server_close()


# -- what the codes of the contracts mean ----------------------------------------------------------------------------


async def test_the_systems_own_rejections(do: Do) -> None:
    tax, email, number = tax_id(), f"{uuid4().hex}@example.com", f"INV-{uuid4()}"
    await do(create_vendor(tax))
    await do(open_account("V-1", email))
    await do(invoice(number))
    rejected = {
        "DUPLICATE_TAX_ID": create_vendor(tax),
        "INVALID_PAYMENT_TERMS": create_vendor(tax_id(), vendor_type="CONTRACTOR", payment_terms="NET_60"),
        "EMAIL_IN_USE": open_account("V-2", email.upper()),
        "SANCTIONED": approve("XX12345"),
        "NOT_ELIGIBLE": approve(tax_id(), "Weapons"),
        "DUPLICATE_INVOICE": invoice(number),
    }
    for code, command in rejected.items():
        with pytest.raises(Rejected) as raised:
            await do(command)
        assert raised.value.code == code


COMMANDS = [
    create_vendor("DE-T1"),
    DeactivateVendor(tax_id="DE-T1"),
    invoice("T1"),
    ReverseInvoice(vendor_tax_id="DE1", invoice_number="T1"),
    open_account("V-T1", "t1@example.com"),
    ClosePortalAccount(vendor_id="V-T1"),
    approve("DE-T1"),
    RevokeSupplier(tax_id="DE-T1"),
    SendWelcomeEmail(recipient="t1@example.com", recipient_name="Ada", login_url="https://p.example"),
    SendApologyEmail(recipient="t1@example.com", recipient_name="Ada"),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
async def test_every_code_of_a_contract_comes_out_as_it_says(command: Record, do: Do, sandbox: Any) -> None:
    kinds = {"rejected": Rejected, "failed": Failed, "unknown": Unknown}
    assert command.contract.system is not None
    for code, outcome in command.contract.errors.items():
        sandbox.heal()
        sandbox.fault(command.contract.system, "error", code=code)
        with pytest.raises(kinds[outcome]) as raised:
            await do(command)
        assert type(raised.value) is kinds[outcome], code
        assert command.contract.system == "mail" or raised.value.code == code


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: type(command).__name__)
async def test_every_action_that_was_done_without_an_answer_is_unknown(command: Record, do: Do, sandbox: Any) -> None:
    assert command.contract.system is not None
    sandbox.fault(command.contract.system, "drop_answer")
    with pytest.raises(Unknown):
        await do(command)
