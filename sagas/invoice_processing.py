"""Enter an invoice in the ERP: one step, the smallest saga there is."""

from orchestrator.core.definition import Saga, Step, Undo
from schemas.models import InvoiceProcessed, ProcessInvoice, ProcessInvoiceRequested, ReverseInvoice

__all__ = ["invoice_processing"]

invoice_processing = Saga(
    "invoice-processing",
    version=1,
    request=ProcessInvoiceRequested,
    business_key=lambda invoice: f"{invoice.vendor_tax_id}/{invoice.invoice_number}",
    steps=[
        Step(
            "erp-invoice",
            ProcessInvoice,
            lambda invoice, done: ProcessInvoice(**invoice.model_dump()),
            undo=Undo(
                ReverseInvoice,
                lambda invoice, done: ReverseInvoice(
                    vendor_tax_id=invoice.vendor_tax_id,
                    invoice_number=invoice.invoice_number,
                    invoice_id=entered.invoice_id if (entered := done.get(InvoiceProcessed)) else None,
                ),
                leaves="offset",
            ),
        ),
    ],
)
