"""May these prices be asked of a driver who comes without a contract?

The European rules for public points: at 50 kW or more an ad hoc price is per kWh, and besides it at most per minute of
occupancy. Below that all kinds of prices are allowed, listed in the order kWh, minute, session, other. Every price is
known before the start, so market prices and subscriptions are for contracts.

>>> from laddbok.model.tariff import parse_tariff
>>> fee = [{"price_components": [{"type": "FLAT", "price": 5}]}]
>>> document = {"id": "1", "currency": "SEK", "type": "AD_HOC_PAYMENT", "elements": fee}
>>> [(each.path, each.severity.value) for each in ad_hoc_findings(parse_tariff(document), None, 150_000)]
[('elements[0].price_components[0]', 'refused')]
"""

from collections.abc import Iterator
from itertools import pairwise

from laddbok.model.tariff import Dimension, Tariff
from laddbok.model.tariff_finding import Severity, TariffFinding, TariffFindingCode
from laddbok.rating.price_list import RANKS

FAST_W = 50_000
"""From this power on [W]. Source: Regulation (EU) 2023/1804 (AFIR) article 5(4)."""
AD_HOC = "AD_HOC_PAYMENT"
WITH_CONTRACT = frozenset(("REGULAR", "PROFILE_CHEAP", "PROFILE_FAST", "PROFILE_GREEN"))
"""Source: OCPI 2.2.1 and 2.3.0 mod_tariffs, TariffType. A type that is none of all these says as little as none."""
MINUTE_S = 60
KWH_WH = 1_000

Said = tuple[str, str, str]
"""A path, and what is wrong there in English and Swedish."""


def ad_hoc_findings(tariff: Tariff, ad_hoc: bool | None, max_power_w: int | None) -> Iterator[TariffFinding]:
    """What in a tariff ad hoc prices may not have, and prices in another order than they must be listed in.

    Args: ad_hoc, whether it is for sessions without a contract, None: as its type says; max_power_w, the highest power
        [W] of the EVSEs where it applies, None: not known.
    Source: Regulation (EU) 2023/1804 (AFIR) article 5(4); that a least price is a price per session: our choice.
    """
    certain = tariff.type == AD_HOC if ad_hoc is None else ad_hoc
    if not certain and (ad_hoc is False or tariff.type in WITH_CONTRACT):
        return
    for path, en, sv in _not_fixed(tariff):
        yield _found(TariffFindingCode.AFIR_NOT_FIXED, certain, (path, en, sv), ("ad hoc", "utan avtal"))
    fast = max_power_w is not None and max_power_w >= FAST_W
    if fast or max_power_w is None:
        where = "ad hoc at 50 kW or more", "utan avtal vid 50 kW eller mer"
        for said in _beyond_energy(tariff):
            yield _found(TariffFindingCode.AFIR_PRICE, certain and fast, said, where)
    if not fast and (certain or max_power_w is not None):
        yield from _out_of_order(tariff)


def _found(code: TariffFindingCode, refused: bool, said: Said, where: tuple[str, str]) -> TariffFinding:
    path, en, sv = said
    if refused:
        return TariffFinding(
            code=code, path=path, severity=Severity.REFUSED, en=f"{en} {where[0]}", sv=f"{sv} {where[1]}"
        )
    return TariffFinding(
        code=code, path=path, en=f"if used {where[0]}: {en} then", sv=f"om den används {where[1]}: {sv} då"
    )


def _not_fixed(tariff: Tariff) -> Iterator[Said]:
    if tariff.laddbok.spot is not None:
        en = "since it is not known before the start, a market price is not allowed"
        yield "laddbok.spot", en, "ett marknadspris, som inte är känt före starten, är inte tillåtet"
    if tariff.laddbok.subscription is not None:
        yield "laddbok.subscription", "a subscription is not allowed", "ett abonnemang är inte tillåtet"


def _beyond_energy(tariff: Tariff) -> Iterator[Said]:
    for i, element in enumerate(tariff.elements):
        if element.restrictions and element.restrictions.reservation:
            continue
        for j, component in enumerate(element.price_components):
            path = f"elements[{i}].price_components[{j}]"
            if component.price == 0:
                continue
            if component.type is Dimension.FLAT:
                yield path, "a start fee is not allowed", "en startavgift är inte tillåten"
            elif component.type is Dimension.TIME:
                yield path, "a fee for charging time is not allowed", "en avgift för laddtid är inte tillåten"
            elif component.type is Dimension.ENERGY and (component.step_size or 1) > KWH_WH:
                yield path, "steps longer than a kWh are not allowed", "steg längre än en kWh är inte tillåtna"
            elif component.type is Dimension.PARKING_TIME and (component.step_size or 1) > MINUTE_S:
                yield path, "steps longer than a minute are not allowed", "steg längre än en minut är inte tillåtna"
    if tariff.min_price and max(tariff.min_price.before_taxes, tariff.min_price.after_taxes or 0) > 0:
        yield "min_price", "a least price is not allowed", "ett lägsta pris är inte tillåtet"


def _out_of_order(tariff: Tariff) -> Iterator[TariffFinding]:
    placed = [
        (RANKS[component.type], f"elements[{i}].price_components[{j}]")
        for i, element in enumerate(tariff.elements)
        if not (element.restrictions and element.restrictions.reservation)
        for j, component in enumerate(element.price_components)
    ]
    firsts = dict(reversed(placed))
    listed = list(dict.fromkeys(rank for rank, _ in placed))
    for before, after in pairwise(listed):
        if after < before:
            yield TariffFinding(
                code=TariffFindingCode.AFIR_ORDER,
                path=firsts[after],
                en="ad hoc prices are listed in the order kWh, minute, session, other; this one comes late",
                sv="priser utan avtal anges i ordningen kWh, minut, laddning, övrigt; det här kommer för sent",
            )
