"""What does each apartment of a site pay of a month's bill?

The sessions that ended in the month, each with the energy of its CDR, belong to apartments; the bill is shared out over them. What
no apartment used is a row of its own with its part of what depends on use. The rows sum to the bill, to the öre.
"""

from collections.abc import Mapping
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from laddbok.flow.statements import Ground, StatedSession, counted, differences
from laddbok.model.apartments import Apartments, belongings, parse_apartments
from laddbok.model.cdr import Cdr
from laddbok.model.errors import Invalid
from laddbok.model.statement import ApartmentList, Change, MonthBill
from laddbok.model.tariff import below_maximum, convert, decode_object
from laddbok.rating.apartment_use import apartment_of, used_by
from laddbok.rating.cost_share import MonthCost, share_cost
from laddbok.sessions.authorize import normalise_token

MAX_BILL_NUMBER = 64


def read_apartments(document: bytes) -> Apartments:
    """The apartments of a site as they are kept: id tokens are as they are compared. Raises: Invalid with the path."""
    parsed = parse_apartments(document)
    return parse_apartments(
        {
            "apartments": [_normalised(each) for each in msgspec.to_builtins(parsed.apartments)],
            "of": parsed.of,
            "language": parsed.language,
        }
    )


def read_bill(document: bytes) -> MonthBill:
    """A month's bill. Raises: Invalid with the path of the field."""
    return convert(decode_object(document, "bill"), MonthBill)


def draw_list(ground: Ground, house: Apartments, bill: MonthBill, before: ApartmentList | None) -> ApartmentList:
    """The list of a month, as the revision after `before`.

    Raises: Invalid with the path in the bill: another month's, or an amount that can't be shared.
    Source: our choice, docs/rules.md "Apartment lists"; cases B11, B43, B44.
    """
    _check_bill(bill, ground)
    held, zone = belongings(house), ZoneInfo(ground.time_zone)

    def whose(session: StatedSession, cdr: Cdr) -> str | None:
        return apartment_of(session.contract_id, session.token, cdr.started_at.astimezone(zone).date(), held)

    sessions = counted(ground, whose)
    cost = MonthCost(net=bill.net, vat_percent=bill.vat_percent, fixed_net=bill.fixed_net, vat=bill.vat)
    try:
        shares = share_cost(cost, used_by(sessions, house), ground.currency, house.fixed_parts)
    except Invalid as error:
        of_bill = error.field in MonthBill.__struct_fields__
        raise Invalid(f"bill.{error.field}" if of_bill else error.field, error.reason) from None
    drawn = ApartmentList(
        head=ground.head(before.head.revision + 1 if before else 1, house.language), terms_version=ground.terms_version,
        bill=bill, shares=shares, sessions=sessions, waiting=ground.waiting,
        by_parts=any(each.part is not None for each in house.apartments),
    )  # fmt: skip
    return drawn if before is None else msgspec.structs.replace(drawn, changes=_changes(before, drawn))


def _changes(before: ApartmentList, after: ApartmentList) -> tuple[Change, ...]:
    """By apartment, then by session: also of one that belongs to another apartment now."""
    shares = differences(_by_apartment(before), _by_apartment(after), "apartment")
    whose = {each.session_id: each.apartment for each in after.sessions}
    moved = {
        each.session_id for each in before.sessions if whose.get(each.session_id, each.apartment) != each.apartment
    }
    sessions = [
        msgspec.structs.replace(each, apartment=whose.get(each.session_id or ""))
        for each in differences(_by_session(before), _by_session(after), "session_id")
    ]
    same = [
        Change(session_id=each.session_id, apartment=each.apartment, before_wh=each.energy_wh, after_wh=each.energy_wh)
        for each in after.sessions
        if each.session_id in moved and each.session_id not in {one.session_id for one in sessions}
    ]
    return (*shares, *sessions, *same)


def _by_apartment(of: ApartmentList) -> Mapping[str, tuple[int, Decimal | None]]:
    return {each.apartment: (each.energy_wh, each.gross) for each in of.shares}


def _by_session(of: ApartmentList) -> Mapping[str, tuple[int, Decimal | None]]:
    return {each.session_id: (each.energy_wh, None) for each in of.sessions}


def _check_bill(bill: MonthBill, ground: Ground) -> None:
    for field, day, wanted in (
        ("period_start", bill.period_start, ground.first_day),
        ("period_end", bill.period_end, ground.last_day),
    ):
        if day != wanted:
            raise Invalid(f"bill.{field}", f"is {day}, not {wanted}: the bill is not that of {ground.month}")
    for field in ("net", "vat_percent", "fixed_net", "vat"):
        number = getattr(bill, field)
        if number is not None and (not below_maximum(number) or number < 0):
            raise Invalid(f"bill.{field}", f"{number} is not a number from 0 on")
    if not bill.net:
        raise Invalid("bill.net", f"{bill.net} is not an amount above 0")
    if bill.vat_percent > 100:
        raise Invalid("bill.vat_percent", f"{bill.vat_percent} % is more than all")
    if bill.number is not None and not 0 < len(bill.number) <= MAX_BILL_NUMBER:
        raise Invalid("bill.number", f"must be 1 to {MAX_BILL_NUMBER} characters")


def _normalised(apartment: dict[str, object]) -> dict[str, object]:
    holders = apartment.get("holders", ())
    assert isinstance(holders, list | tuple), apartment
    return {**apartment, "holders": [
        {**each, "id_token": normalise_token(each["id_token"])} if each.get("id_token") else each for each in holders
    ]}  # fmt: skip
