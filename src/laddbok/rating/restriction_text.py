"""When does a price apply, as a person would say it?

>>> from laddbok.model.tariff import Restrictions
>>> from laddbok.model.superset import Weekday
>>> night = Restrictions(start_time="22:00", end_time="06:00", day_of_week=(Weekday.SATURDAY, Weekday.SUNDAY))
>>> when(night), when(night, "sv")
('22:00 to 06:00, Sat, Sun', '22:00 till 06:00, lör, sön')
"""

from collections.abc import Iterator
from decimal import Decimal

from laddbok.model.money import number_text
from laddbok.model.superset import Weekday
from laddbok.model.tariff import Restrictions

_DAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "sv": ("mån", "tis", "ons", "tors", "fre", "lör", "sön"),
}
_WORDS = {
    "en": {
        "window": "{} to {}", "from": "from {}", "to": "up to {}", "since": "from {}", "until": "before {}",
        "RESERVATION": "reserved", "RESERVATION_EXPIRES": "the reservation expired",
    },
    "sv": {
        "window": "{} till {}", "from": "från {}", "to": "upp till {}", "since": "från {}", "until": "före {}",
        "RESERVATION": "bokad", "RESERVATION_EXPIRES": "bokningen förföll",
    },
}  # fmt: skip
_RANGES = (("kwh", "kWh"), ("power", "kW"), ("current", "A"))


def when(restrictions: Restrictions, language: str = "en") -> str:
    """All restrictions of an element in words, "" when there is none. Args: language, "en" or "sv"."""
    return ", ".join(_said(restrictions, _WORDS[language], language))


def _said(given: Restrictions, words: dict[str, str], language: str) -> Iterator[str]:
    if given.reservation in words:
        yield words[given.reservation]
    if given.start_time or given.end_time:
        yield words["window"].format(given.start_time or "00:00", given.end_time or "24:00")
    days = given.day_of_week or ()
    yield from (_DAYS[language][i] for i, day in enumerate(Weekday) if day in days)
    if given.start_date:
        yield words["since"].format(given.start_date.isoformat())
    if given.end_date:
        yield words["until"].format(given.end_date.isoformat())
    for name, unit in _RANGES:
        yield from _range(getattr(given, f"min_{name}"), getattr(given, f"max_{name}"), unit, words, language)
    yield from _range(_minutes(given.min_duration), _minutes(given.max_duration), "min", words, language)


def _range(
    least: Decimal | None, most: Decimal | None, unit: str, words: dict[str, str], language: str
) -> Iterator[str]:
    for word, number in (("from", least), ("to", most)):
        if number is not None:
            yield words[word].format(f"{number_text(number, 0, language)} {unit}")


def _minutes(seconds: int | None) -> Decimal | None:
    return None if seconds is None else round(Decimal(seconds) / 60, 2)
