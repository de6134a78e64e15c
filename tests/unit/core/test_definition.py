"""What a definition may not be, and that its error says why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from orchestrator.catalogue import Catalogue
from orchestrator.core.definition import Parallel, Saga, Step, Undo
from orchestrator.core.errors import DefinitionError
from orchestrator.core.policy import Retry
from orchestrator.core.payload import Outputs
from sagas.catalogue import CATALOGUE
from sagas.vendor_onboarding import vendor_onboarding
from schemas.models import (
    DeactivateVendor,
    ProcessInvoiceRequested,
    ProcessInvoice,
    SendWelcomeEmail,
    VendorCreated,
    VendorOnboardingRequested,
)

ERP, PORTAL, MAIL, LIST = vendor_onboarding.steps
assert isinstance(ERP, Step)
assert isinstance(PORTAL, Step)
assert isinstance(MAIL, Step)
assert isinstance(LIST, Step)


def needs_output(request: VendorOnboardingRequested, done: Outputs) -> DeactivateVendor:
    return DeactivateVendor(tax_id=request.tax_id, vendor_id=done[VendorCreated].vendor_id)


PLAIN = Undo(DeactivateVendor, lambda request, _: DeactivateVendor(tax_id=request.tax_id))


def of_sibling(request: VendorOnboardingRequested, done: Outputs) -> DeactivateVendor:
    return DeactivateVendor(tax_id=request.tax_id, vendor_id=done.of("erp-vendor", VendorCreated).vendor_id)


def saga(*steps: Step | Parallel, name: str = "tested", version: int = 1) -> Saga:
    return Saga(name, version, VendorOnboardingRequested, steps)


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([], "has no steps"),
        ([Parallel()], "empty Parallel"),
        ([ERP, ERP], "unique, these are not: erp-vendor"),
        ([replace(ERP, name="Bad Name")], "lower-case words"),
        ([replace(ERP, undo=None)], "needs an undo, or irreversible=True"),
        ([replace(ERP, irreversible=True)], "it is one of them"),
        ([ERP, PORTAL, replace(MAIL, undo=None, irreversible=True), LIST], "can still be rejected: approved-supplier"),
        ([replace(ERP, pivot=True), replace(PORTAL, pivot=True)], "one pivot at most"),
        ([ERP, Parallel(replace(PORTAL, pivot=True), replace(PORTAL, name="other"))], "stands in a Parallel"),
        ([PORTAL], "no step has answered with VendorCreated"),
        ([replace(ERP, timeout=0)], "longer than nothing"),
        ([replace(ERP, timeout=float("nan"))], "longer than nothing"),
        ([replace(ERP, timeout=1e300)], "longer than nothing"),
        ([replace(ERP, action=ProcessInvoice)], "gave CreateVendor, not ProcessInvoice"),
        ([replace(ERP, action=SendWelcomeEmail)], "SendWelcomeEmail is blind, so nobody can verify"),
        ([replace(ERP, action=VendorCreated)], "is not a command"),
        ([replace(ERP, input=lambda r, d: ERP.action(vendor_name=r.vendor_name))], "failed on sample data"),
        ([replace(ERP, undo=replace(ERP.undo, input=needs_output))], "without the step's own output"),
        (
            [Parallel(replace(ERP, undo=PLAIN), replace(ERP, name="other", undo=replace(PLAIN, input=of_sibling)))],
            "without the step's own output",
        ),
    ],
)
def test_it_is_refused_and_told_why(steps: list[Step | Parallel], said: str) -> None:
    with pytest.raises(DefinitionError, match=r"saga 'tested'") as raised:
        saga(*steps)
    assert said in str(raised.value)


def test_an_irreversible_step_may_be_accepted_or_be_the_pivot() -> None:
    mail = replace(MAIL, undo=None, irreversible=True)
    assert saga(ERP, PORTAL, replace(mail, residue_accepted=True), LIST).pivot is None
    assert saga(ERP, PORTAL, replace(mail, pivot=True), replace(LIST, undo=None)).pivot is not None


def test_the_fingerprint_follows_the_structure_and_not_the_times() -> None:
    base = saga(ERP, PORTAL)
    assert saga(replace(ERP, timeout=5, retry=Retry(attempts=9)), PORTAL).fingerprint == base.fingerprint
    assert saga(ERP, Parallel(PORTAL)).fingerprint == base.fingerprint
    assert saga(ERP).fingerprint != base.fingerprint
    assert saga(replace(ERP, name="other"), PORTAL).fingerprint != base.fingerprint


def test_a_catalogue_refuses_two_definitions_of_one_version() -> None:
    with pytest.raises(ValueError, match="two definitions claim 'tested' version 1"):
        Catalogue([saga(ERP), saga(ERP, PORTAL)])
    other = Saga("tested", 2, ProcessInvoiceRequested, CATALOGUE[1].steps)
    with pytest.raises(ValueError, match="disagree about their request"):
        Catalogue([saga(ERP), other])


@pytest.mark.parametrize("options", [{"attempts": 0}, {"initial": -1}, {"factor": 0.5}, {"jitter": 2}])
def test_a_retry_policy_out_of_range_is_refused(options: dict[str, float]) -> None:
    with pytest.raises(DefinitionError):
        Retry(**options)  # type: ignore[arg-type]


def test_delays_grow_are_capped_and_the_same_for_the_same_effect() -> None:
    retry = Retry(initial=1, factor=2, maximum=10, jitter=0.25)
    delays = [retry.delay(n, "a").total_seconds() for n in range(1, 8)]
    assert all(0.75 * full <= delay <= full for delay, full in zip(delays, [1, 2, 4, 8, 10, 10, 10], strict=True))
    assert delays == [retry.delay(n, "a").total_seconds() for n in range(1, 8)]
    assert delays != [retry.delay(n, "b").total_seconds() for n in range(1, 8)]
    assert retry.delay(100_000, "a").total_seconds() <= 10


@pytest.mark.parametrize("wrong", [{"maximum": float("inf")}, {"initial": float("nan")}, {"maximum": 1e300}])
def test_a_retry_policy_counts_in_seconds_that_can_be_waited(wrong: dict[str, float]) -> None:
    with pytest.raises(DefinitionError, match="out of range"):
        Retry(**wrong)  # type: ignore[arg-type]
