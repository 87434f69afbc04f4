"""What should a person know before a tariff holds?

A tariff is read as a whole: what it may not ask of drivers without a contract, what contradicts itself, what can never
apply, the hours that it forgets. A finding names its place; one that is refused keeps the tariff from being written.

>>> from laddbok.model.tariff import parse_tariff
>>> day = {"price_components": [{"type": "ENERGY", "price": 3, "vat": 25}],
...     "restrictions": {"start_time": "08:00", "end_time": "06:00"}}
>>> [finding] = check(parse_tariff({"id": "1", "currency": "SEK", "elements": [day]}))
>>> finding.code.value, finding.en
('hole', 'ENERGY has no price Mon-Sun 06:00-08:00')
"""

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal

from laddbok.model.superset import Hours, Surcharge
from laddbok.model.tariff import Dimension, Restrictions, Tariff, TaxIncluded
from laddbok.model.tariff_finding import Severity, TariffFinding, TariffFindingCode
from laddbok.rating.afir import ad_hoc_findings
from laddbok.rating.compile import one_rate
from laddbok.rating.coverage import WHOLE_WEEK, Box, Hole, box, box_of, holes, unreachable, week_text
from laddbok.rating.restrictions import compile_hours, compile_surcharge

_RANGES = (
    ("min_kwh", "max_kwh"),
    ("min_power", "max_power"),
    ("min_current", "max_current"),
    ("min_duration", "max_duration"),
    ("start_date", "end_date"),
)

MAX_FINDINGS = 200
MAX_COMPARED = 200
"""Of a dimension with more prices it is not said which of them never apply, nor when there is none."""

Placed = tuple[int, int, Box | None]
"""Number of the element, number of the price component, and where that applies."""


def check(
    tariff: Tariff, *, ad_hoc: bool | None = None, max_power_w: int | None = None, today: date | None = None
) -> tuple[TariffFinding, ...]:
    """What a person should know about a tariff, what is refused first; the first MAX_FINDINGS of it.

    Args: ad_hoc, whether it is for sessions without a contract, None: as its type says; max_power_w, the highest power
        [W] of the EVSEs where it applies, None: not known; today, what ended before it is said to be past.
    Source: Regulation (EU) 2023/1804 (AFIR) article 5(4); OCPI 2.3.0 mod_tariffs; docs/rules.md "Check of a tariff".
    """
    found = [
        *ad_hoc_findings(tariff, ad_hoc, max_power_w),
        *_unknown(tariff),
        *_contradictions(tariff),
        *_unreachable(tariff),
        *_holes(tariff, today),
        *_past(tariff, today),
        *_of_money(tariff),
    ]
    return tuple(sorted(found, key=lambda finding: finding.severity is not Severity.REFUSED)[:MAX_FINDINGS])


def hole_boxes(tariff: Tariff) -> dict[Dimension, list[Box | None]]:
    """Where each dimension of a session is priced, in order. What is for reservations is not."""
    found: dict[Dimension, list[Box | None]] = {}
    for element in tariff.elements:
        if not (element.restrictions and element.restrictions.reservation):
            for component in element.price_components:
                found.setdefault(component.type, []).append(box(element.restrictions))
    return found


def _unknown(tariff: Tariff) -> Iterator[TariffFinding]:
    for i, element in enumerate(tariff.elements):
        for name in element.restrictions.unknown if element.restrictions else ():
            yield TariffFinding(
                code=TariffFindingCode.UNKNOWN_RESTRICTION,
                path=f"elements[{i}].restrictions.{name}",
                en="not known, so this element never applies",
                sv="okänt villkor, så den här delen gäller aldrig",
            )


def _contradictions(tariff: Tariff) -> Iterator[TariffFinding]:
    for i, element in enumerate(tariff.elements):
        if element.restrictions:
            yield from _of_ranges(f"elements[{i}].restrictions", element.restrictions)
            yield from _of_hours(f"elements[{i}].restrictions", element.restrictions)
    start, end = tariff.start_date_time, tariff.end_date_time
    if start is not None and end is not None and end <= start:
        en, sv = f"{end.isoformat()} is not after start_date_time", f"{end.isoformat()} är inte efter start_date_time"
        yield _contradiction("end_date_time", en, sv)
    most = tariff.max_price
    if most and min(most.before_taxes, most.after_taxes or 0) < 0 and not tariff.laddbok.may_be_negative:
        en, sv = "below 0, so every session would be paid for by us", "under 0, så vi skulle betala för varje laddning"
        yield _contradiction("max_price", en, sv)
    for path, hours in _our_hours(tariff):
        if isinstance(hours, Surcharge):
            yield from _of_ranges(path, hours)
        yield from _of_hours(path, hours)
    for i, tier in enumerate(tariff.laddbok.subscription.tiers if tariff.laddbok.subscription else ()):
        if tier.to_kwh == 0:
            path = f"laddbok.subscription.tiers[{i}].to_kwh"
            yield _contradiction(path, "a tier up to 0 kWh holds nothing", "ett steg till 0 kWh rymmer ingenting")


def _contradiction(path: str, en: str, sv: str) -> TariffFinding:
    return TariffFinding(code=TariffFindingCode.CONTRADICTION, path=path, severity=Severity.REFUSED, en=en, sv=sv)


def _of_ranges(path: str, given: Restrictions | Surcharge) -> Iterator[TariffFinding]:
    for least, most in _RANGES:
        low, high = getattr(given, least, None), getattr(given, most, None)
        if low is not None and high is not None and low >= high:
            en = f"{least} {low} is not below it, so this never applies"
            yield _contradiction(
                f"{path}.{most}", f"{high}: {en}", f"{high}: {least} {low} är inte lägre, så det gäller aldrig"
            )


def _of_hours(path: str, hours: Hours | Restrictions) -> Iterator[TariffFinding]:
    windowed = hours.start_time is not None and hours.end_time is not None
    if windowed and hours.start_time == hours.end_time:
        en, sv = "the same as start_time: it is read as the whole day", "samma som start_time: det läses som hela dagen"
        yield TariffFinding(code=TariffFindingCode.AMBIGUOUS, path=f"{path}.end_time", en=en, sv=sv)
    if hours.day_of_week == ():
        en, sv = "no day is named: it is read as every day", "ingen dag är angiven: det läses som alla dagar"
        yield TariffFinding(code=TariffFindingCode.AMBIGUOUS, path=f"{path}.day_of_week", en=en, sv=sv)


def _our_hours(tariff: Tariff) -> Iterator[tuple[str, Hours]]:
    ours = tariff.laddbok
    for i, exempt in enumerate(ours.idle.exempt if ours.idle else ()):
        yield f"laddbok.idle.exempt[{i}]", exempt
    for path, entries in _surcharges(tariff):
        for i, entry in enumerate(entries):
            yield f"{path}[{i}]", entry


def _surcharges(tariff: Tariff) -> Iterator[tuple[str, Sequence[Surcharge]]]:
    if tariff.laddbok.spot is not None:
        yield "laddbok.spot.grid", tariff.laddbok.spot.grid
        yield "laddbok.spot.energy_tax", tariff.laddbok.spot.energy_tax


def _unreachable(tariff: Tariff) -> Iterator[TariffFinding]:
    placed = _placed(tariff)
    lost: set[tuple[int, int]] = set()
    for same in placed.values():
        if len(same) > MAX_COMPARED:
            continue
        lost.update(same[k][:2] for k in unreachable([where for *_, where in same]))
    for i, element in enumerate(tariff.elements):
        of_element = [j for j in range(len(element.price_components)) if (i, j) in lost]
        if of_element and len(of_element) == len(element.price_components):
            yield _never(f"elements[{i}]")
        else:
            yield from (_never(f"elements[{i}].price_components[{j}]") for j in of_element)
    for path, entries in _surcharges(tariff):
        boxes = [box_of(compile_surcharge(entry)) for entry in entries[:MAX_COMPARED]]
        yield from (_never(f"{path}[{i}]") for i in unreachable(boxes))
    exempt = [box_of(compile_hours(hours)) for hours in (tariff.laddbok.idle.exempt if tariff.laddbok.idle else ())]
    if exempt and not any(holes(exempt)):
        en, sv = "never applies: the whole week is exempt", "gäller aldrig: hela veckan är undantagen"
        yield TariffFinding(code=TariffFindingCode.UNREACHABLE, path="laddbok.idle.exempt", en=en, sv=sv)


def _placed(tariff: Tariff) -> dict[Dimension, list[Placed]]:
    found: dict[Dimension, list[Placed]] = {}
    for i, element in enumerate(tariff.elements):
        where = box(element.restrictions)
        for j, component in enumerate(element.price_components):
            found.setdefault(component.type, []).append((i, j, where))
    return found


def _never(path: str) -> TariffFinding:
    return TariffFinding(
        code=TariffFindingCode.UNREACHABLE,
        path=path,
        en="never applies: what stands before it always comes first",
        sv="gäller aldrig: det som står före gäller alltid först",
    )


def _holes(tariff: Tariff, today: date | None) -> Iterator[TariffFinding]:
    for dimension, boxes in hole_boxes(tariff).items():
        for hole in _holes_in(boxes, today):
            yield _hole("elements", hole, (f"{dimension.value} has no price", f"{dimension.value} har inget pris"))
    for path, entries in _surcharges(tariff):
        boxes = [box_of(compile_surcharge(entry)) for entry in entries]
        for hole in _holes_in(boxes, today):
            yield _hole(path, hole, ("nothing is added", "inget läggs till"))


def _holes_in(boxes: Sequence[Box | None], today: date | None) -> Iterator[Hole]:
    """What is priced at some times and not at others; what is never priced is no hole."""
    return holes(boxes, today) if any(boxes) and len(boxes) <= MAX_COMPARED else iter(())


def _hole(path: str, hole: Hole, what: tuple[str, str]) -> TariffFinding:
    whole = hole.minutes == WHOLE_WEEK
    en, sv = (f" {week_text(hole.minutes, language)}" for language in ("en", "sv"))
    en, sv = ("", "") if whole else (en, sv)
    if hole.start is not None:
        en, sv = f"{en} from {hole.start}", f"{sv} från {hole.start}"
    if hole.end is not None:
        en, sv = f"{en} before {hole.end}", f"{sv} före {hole.end}"
    return TariffFinding(code=TariffFindingCode.HOLE, path=path, en=what[0] + en, sv=what[1] + sv)


def _past(tariff: Tariff, today: date | None) -> Iterator[TariffFinding]:
    ends = [
        (f"elements[{i}].restrictions.end_date", element.restrictions.end_date)
        for i, element in enumerate(tariff.elements)
        if element.restrictions
    ]
    ends += [
        (f"{path}[{i}].end_date", entry.end_date)
        for path, entries in _surcharges(tariff)
        for i, entry in enumerate(entries)
    ]
    for path, end in ends:
        if today is not None and end is not None and end <= today:
            en, sv = f"{end} is past: it never applies any more", f"{end} har passerat: det gäller aldrig mer"
            yield TariffFinding(code=TariffFindingCode.PAST, path=path, en=en, sv=sv)


def _of_money(tariff: Tariff) -> Iterator[TariffFinding]:
    prices = [
        (f"elements[{i}].price_components[{j}]", component)
        for i, element in enumerate(tariff.elements)
        for j, component in enumerate(element.price_components)
    ]
    vats = [(path, component.vat, component.price) for path, component in prices]
    vats += [(f"laddbok.{name}", vat, Decimal(1)) for name, vat in _our_vats(tariff)]
    for path, vat, price in vats:
        if vat is None and price != 0 and tariff.tax is not TaxIncluded.NOT_APPLICABLE:
            en, sv = (
                "no VAT is stated, so the amount with it is not known",
                "ingen moms anges, så beloppet med den är inte känt",
            )
            if tariff.tax is TaxIncluded.YES:
                en, sv = en.replace("with it", "without it"), sv.replace("med den", "utan den")
            yield TariffFinding(code=TariffFindingCode.VAT_ABSENT, path=f"{path}.vat", en=en, sv=sv)
    for path, component in prices:
        if component.price < 0 and not tariff.laddbok.may_be_negative:
            en, sv = (
                "is negative, yet no session comes to less than 0",
                "är negativt, men ingen laddning kostar mindre än 0",
            )
            yield TariffFinding(code=TariffFindingCode.NEGATIVE_PRICE, path=f"{path}.price", en=en, sv=sv)
    if tariff.laddbok.idle and any(component.type is Dimension.PARKING_TIME for _, component in prices):
        yield TariffFinding(
            code=TariffFindingCode.IDLE_AND_PARKING,
            path="laddbok.idle",
            en="both an idle fee and a price for parking time: a driver may pay twice for the same minute",
            sv="både tomgångsavgift och pris för parkeringstid: samma minut kan kosta två gånger",
        )


def _our_vats(tariff: Tariff) -> Iterator[tuple[str, Decimal | None]]:
    ours = tariff.laddbok
    if ours.idle:
        yield "idle", ours.idle.vat if ours.idle.vat is not None else one_rate(tariff)
    for name, term in (("spot", ours.spot), ("subscription", ours.subscription)):
        if term:
            yield name, term.vat
