"""Why does this line cost what it costs?

A rated line is told as a person would say it: quantity times price, what the price is made of and when it applies, what
was rounded up, what was free, what was capped.

>>> from laddbok.rating.examples import HOUR, tariff_of
>>> from laddbok.rating.rate import rate
>>> line = rate(HOUR, tariff_of(ENERGY="3.20")).lines[0]
>>> explain(line, "SEK")
'12.345 kWh x 3.20 kr/kWh'
>>> explain(line, "SEK", "sv")
'12,345 kWh x 3,20 kr/kWh'
"""

from collections.abc import Iterator
from decimal import Decimal

from laddbok.model.money import amount_text, number_text
from laddbok.model.rated import UNITS, LineKind, RatedLine
from laddbok.model.tariff import Tariff
from laddbok.rating.restriction_text import when

LANGUAGES = ("en", "sv")

_NAMED_BY_AMOUNT = (LineKind.FLOOR, LineKind.MIN_PRICE, LineKind.MAX_PRICE)
_ONCE = (LineKind.FLAT, LineKind.RESERVATION_FLAT)
_WORDS = {
    "en": {
        LineKind.FLAT: "start fee",
        LineKind.ENERGY: "energy",
        LineKind.TIME: "charging time",
        LineKind.PARKING_TIME: "parking time",
        LineKind.IDLE: "idle fee",
        LineKind.RESERVATION_FLAT: "reservation fee",
        LineKind.RESERVATION_TIME: "reserved time",
        LineKind.FLOOR: "not below {amount}",
        LineKind.MIN_PRICE: "up to the least price of {amount}",
        LineKind.MAX_PRICE: "down to the highest price of {amount}",
        "step": "{measured}, billed in steps of {step}",
        "grace": "after {grace} grace",
        "cap": "capped",
        "estimated": "partly estimated",
        "spot": "market price {}",
        "markup": "markup {}",
        "grid": "grid fee {}",
        "energy_tax": "energy tax {}",
        "source": "prices from {}",
        "tier": "the month's first {} kWh",
        "pending": "{quantity}: the market price is not known yet",
    },
    "sv": {
        LineKind.FLAT: "startavgift",
        LineKind.ENERGY: "energi",
        LineKind.TIME: "laddtid",
        LineKind.PARKING_TIME: "parkeringstid",
        LineKind.IDLE: "tomgångsavgift",
        LineKind.RESERVATION_FLAT: "bokningsavgift",
        LineKind.RESERVATION_TIME: "bokad tid",
        LineKind.FLOOR: "inte under {amount}",
        LineKind.MIN_PRICE: "upp till lägsta pris {amount}",
        LineKind.MAX_PRICE: "ner till högsta pris {amount}",
        "step": "{measured}, debiteras i steg om {step}",
        "grace": "efter {grace} utan avgift",
        "cap": "till takbeloppet",
        "estimated": "delvis uppskattat",
        "spot": "marknadspris {}",
        "markup": "påslag {}",
        "grid": "nätavgift {}",
        "energy_tax": "energiskatt {}",
        "source": "priser från {}",
        "tier": "månadens första {} kWh",
        "pending": "{quantity}: marknadspriset är inte känt än",
    },
}


def name(line: RatedLine, language: str = "en") -> str:
    """What a line is for, in a word or two. Price limits are named by `explain`."""
    return _WORDS[language][line.kind].partition(" {")[0]


def told(line: RatedLine, currency: str, language: str = "en") -> str:
    """What a line is for, and how its amount comes about: how it stands on a document.

    >>> from laddbok.rating.examples import HOUR, tariff_of
    >>> from laddbok.rating.rate import rate
    >>> told(rate(HOUR, tariff_of(ENERGY="3.20")).lines[0], "SEK")
    'energy: 12.345 kWh x 3.20 kr/kWh'
    """
    explained = explain(line, currency, language)
    return explained if line.kind in _NAMED_BY_AMOUNT else f"{name(line, language)}: {explained}"


def explain(line: RatedLine, currency: str, language: str = "en", tariff: Tariff | None = None) -> str:
    """How a line's amount comes about, in English ("en") or Swedish ("sv").

    Args: currency, of the rating that the line belongs to; tariff, the version that priced it: then it is told under which
        conditions the price applied.
    Source: our choice.
    """
    words = _WORDS[language]
    if line.price is None:
        return words["pending"].format(quantity=_quantity(line.kind, line.quantity, language))
    price = amount_text(line.price, currency, language)
    if line.kind in UNITS:
        text = f"{_quantity(line.kind, line.quantity, language)} x {price}/{UNITS[line.kind][1]}"
    else:
        text = f"1 x {price}" if line.kind in _ONCE else words[line.kind].format(amount=price)
    remarks = [
        *_made_of(line, words, language),
        *_conditions(line, words, language, tariff),
        *_billed(line, words, language),
    ]
    return f"{text} ({', '.join(remarks)})" if remarks else text


def _made_of(line: RatedLine, words: dict[str, str], language: str) -> Iterator[str]:
    """The parts of a spot price, per kWh, and where the market's price comes from."""
    parts = line.parts
    if parts is None or parts.spot is None:
        return
    named = {"spot": parts.spot, "markup": parts.markup, "grid": parts.grid, "energy_tax": parts.energy_tax}
    told = [
        words[name].format(number_text(price, 2, language)) for name, price in named.items() if price or name == "spot"
    ]
    yield f"{' + '.join(told)}; {words['source'].format(parts.source)}"


def _conditions(line: RatedLine, words: dict[str, str], language: str, tariff: Tariff | None) -> Iterator[str]:
    """What had to hold for this price: the restrictions of its element, or the tier of the subscription."""
    if line.tier is not None and tariff is not None and tariff.laddbok.subscription is not None:
        tier = tariff.laddbok.subscription.tiers[line.tier]
        yield words["tier"].format(number_text(tier.to_kwh, 0, language))
    if line.element is not None and tariff is not None:
        restrictions = tariff.elements[line.element].restrictions
        if restrictions is not None and (said := when(restrictions, language)):
            yield said


def _billed(line: RatedLine, words: dict[str, str], language: str) -> Iterator[str]:
    """What was rounded up, what was free, what was capped or estimated."""
    if line.quantity != line.measured:
        measured, step = (_quantity(line.kind, quantity, language) for quantity in (line.measured, line.step_size))
        yield words["step"].format(measured=measured, step=step)
    if line.grace_s:
        yield words["grace"].format(grace=_quantity(line.kind, line.grace_s, language))
    yield from (words[word] for word, is_so in (("cap", line.capped), ("estimated", line.estimated)) if is_so)


def _quantity(kind: LineKind, quantity: int, language: str) -> str:
    """Wh as kWh, seconds as hours, minutes and seconds."""
    if kind is LineKind.ENERGY:
        return f"{number_text(Decimal(quantity).scaleb(-3), 0, language)} kWh"
    minutes, seconds = divmod(quantity, 60)
    hours, minutes = divmod(minutes, 60) if kind is not LineKind.IDLE else (0, minutes)
    parts = [(hours, "h"), (minutes, "min"), (seconds, "s")]
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "0 min"
