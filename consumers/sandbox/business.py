"""The business rules of the three HTTP systems."""

from __future__ import annotations

from datetime import UTC, datetime

from consumers.sandbox.books import Books, Business, Change, Done, Fields, Look, Operation, Refused

__all__ = ["BUSINESSES"]

# Country codes that ISO 3166 leaves to users, so that no real country is accused.
_SANCTIONED = ("XS", "XX", "ZZ")
_NOT_ELIGIBLE = frozenset({"weapons", "gambling", "tobacco"})
_TERMS = frozenset({"NET_15", "NET_30", "NET_45", "NET_60"})
_CONTRACTOR_TERMS = frozenset({"NET_15", "NET_30"})


def _now() -> datetime:
    return datetime.now(UTC)


def _create_vendor(books: Books, fields: Fields) -> Done | Refused:
    terms = fields["payment_terms"]
    if terms not in _TERMS or (fields["vendor_type"] == "CONTRACTOR" and terms not in _CONTRACTOR_TERMS):
        return Refused(422, "INVALID_PAYMENT_TERMS", f"{terms} is not offered to a {fields['vendor_type']}")
    if known := books.active("vendors", tax_id=fields["tax_id"]):
        return Refused(409, "DUPLICATE_TAX_ID", f"{fields['tax_id']} is vendor {known[0]['id']}")
    id_ = books.next_id("vendors", "V")
    created = _now().isoformat()
    row = {**fields, "id": id_, "vendor_id": id_, "created_at": created, "active": True}
    return Done(201, {"vendor_id": id_, "created_at": created}, Change("vendors", id_, row))


def _deactivate_vendor(books: Books, fields: Fields) -> Done | Refused:
    return books.end("vendors", "vendor", {n: fields.get(n) for n in ("tax_id", "reference", "vendor_id")})


def _process_invoice(books: Books, fields: Fields) -> Done | Refused:
    same = {"vendor_tax_id": fields["vendor_tax_id"], "invoice_number": fields["invoice_number"]}
    if known := books.active("invoices", **same):
        return Refused(409, "DUPLICATE_INVOICE", f"entered already as {known[0]['id']}")
    id_ = books.next_id("invoices", "INV")
    reply = {"invoice_id": id_, "posted_on": _now().date().isoformat()}
    return Done(201, reply, Change("invoices", id_, {**fields, **reply, "id": id_, "active": True}))


def _reverse_invoice(books: Books, fields: Fields) -> Done | Refused:
    names = ("vendor_tax_id", "invoice_number", "reference", "invoice_id")
    return books.end("invoices", "invoice", {n: fields.get(n) for n in names})


def _create_account(books: Books, fields: Fields) -> Done | Refused:
    email = fields["primary_contact_email"].casefold()
    if books.active("accounts", email=email):
        return Refused(409, "EMAIL_IN_USE", f"{fields['primary_contact_email']} signs in to another account")
    id_ = books.next_id("accounts", "P")
    reply = {"account_id": id_, "login_url": f"https://portal.example/sign-in/{id_}"}
    return Done(201, reply, Change("accounts", id_, {**fields, **reply, "id": id_, "email": email, "active": True}))


def _close_account(books: Books, fields: Fields) -> Done | Refused:
    return books.end("accounts", "account", {n: fields.get(n) for n in ("vendor_id", "reference", "account_id")})


def _approve(books: Books, fields: Fields) -> Done | Refused:
    if fields["tax_id"].startswith(_SANCTIONED):
        return Refused(403, "SANCTIONED", f"{fields['tax_id'][:2]} is under sanctions")
    if fields["category"].casefold() in _NOT_ELIGIBLE:
        return Refused(422, "NOT_ELIGIBLE", f"nothing is bought of category {fields['category']}")
    if known := books.active("approvals", tax_id=fields["tax_id"]):
        return Refused(409, "ALREADY_APPROVED", f"on the list already as {known[0]['id']}")
    id_ = books.next_id("approvals", "A")
    reply = {"approval_id": id_, "approved_at": _now().isoformat()}
    return Done(201, reply, Change("approvals", id_, {**fields, **reply, "id": id_, "active": True}))


def _revoke(books: Books, fields: Fields) -> Done | Refused:
    return books.end("approvals", "approval", {n: fields.get(n) for n in ("tax_id", "reference", "approval_id")})


_ERP = Business(
    "erp",
    (
        Operation(
            "create_vendor",
            "POST",
            "/vendors",
            "tax_id",
            _create_vendor,
            ("vendor_name", "vendor_type", "tax_id", "payment_terms", "primary_contact_email"),
        ),
        Operation("deactivate_vendor", "DELETE", "/vendors", "tax_id", _deactivate_vendor, ("tax_id",)),
        Operation(
            "process_invoice",
            "POST",
            "/invoices",
            "invoice_number",
            _process_invoice,
            ("vendor_tax_id", "invoice_number", "amount", "currency", "issued_on"),
        ),
        Operation(
            "reverse_invoice",
            "DELETE",
            "/invoices",
            "invoice_number",
            _reverse_invoice,
            ("vendor_tax_id", "invoice_number"),
        ),
    ),
    (
        Look("find_vendor", "/vendors", "vendors", "tax_id"),
        Look("find_invoice", "/invoices", "invoices", "invoice_number"),
    ),
    seeded_by="create_vendor",
)
_PORTAL = Business(
    "portal",
    (
        Operation(
            "create_account",
            "POST",
            "/accounts",
            "vendor_id",
            _create_account,
            ("vendor_id", "vendor_name", "primary_contact_email"),
        ),
        Operation("close_account", "DELETE", "/accounts", "vendor_id", _close_account, ("vendor_id",)),
    ),
    (Look("find_account", "/accounts", "accounts", "vendor_id"),),
    seeded_by="create_account",
)
_SUPPLIERS = Business(
    "suppliers",
    (
        Operation(
            "approve", "POST", "/suppliers", "tax_id", _approve, ("vendor_id", "vendor_name", "tax_id", "category")
        ),
        Operation("revoke", "DELETE", "/suppliers", "tax_id", _revoke, ("tax_id",)),
    ),
    (Look("find_approval", "/suppliers", "approvals", "tax_id"),),
    seeded_by="approve",
    keyed=False,
)

BUSINESSES = {business.name: business for business in (_ERP, _PORTAL, _SUPPLIERS)}
