"""How does `laddbok invoice write-off` run?"""

from typing import Any

from laddbok.billing.write_off import WriteOffWish
from laddbok.model.errors import Invalid
from laddbok.model.write_off import WriteOff
from laddbok.settings import Settings
from laddbok.store.write_offs import undo_write_off, write_off_invoice
from laddbok.verbs.invoicing import opened


async def write_off(
    settings: Settings, number: str, wish: WriteOffWish, *, undo: bool, as_json: bool
) -> dict[str, Any]:
    """Give up what is open on an invoice, or take that back. Args: number, or id.

    Raises: NotFound, Conflict, Invalid.
    """
    if undo and (wish.amount is not None or wish.vat_relief):
        raise Invalid("--undo", "takes all of it back: with it there is no amount and no VAT to say")
    now, is_new = settings.clock.now(), True
    async with opened(settings) as (_, connection, tenant):
        step: WriteOff | None
        if undo:
            step = await undo_write_off(connection, tenant, number, wish.reason, now, "cli")
        else:
            made = await write_off_invoice(connection, tenant, number, wish, now, "cli")
            step, is_new = made.step, made.is_new
    if not as_json:
        print(_told(step, number, is_new=is_new))
    if step is None:
        return {"amount": None, "is_new": False}
    names = {"invoice_id": step.invoice_id, "number": step.number, "kind": step.kind.value, "currency": step.currency}
    return {**names, "amount": str(step.amount), "vat": str(step.amount - step.loss), "is_new": is_new}


def _told(step: WriteOff | None, number: str, *, is_new: bool) -> str:
    if step is None:
        return f"{number}: nothing stands written off"
    what = "written off" if step.amount > 0 else "owed again"
    before = "" if is_new else "; it was done before by the same wish"
    return f"{number}: {abs(step.amount)} {step.currency} {what}, of it VAT {abs(step.amount - step.loss)}{before}"
