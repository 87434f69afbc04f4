"""How is a comparison of price plans shown?

As one object with a stable form, and from it as a table that fits a terminal: a row per month, a column per plan.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from laddbok.model.money import amount_text, number_text
from laddbok.rating.compare_plans import Comparison, PlanTotal
from laddbok.rating.plan_cost import Amount

MAX_NAMED = 1_000
"""Sessions that are named as left out."""
SHOWN = 10
"""Of them, in the table."""

_WORDS = {
    "en": {
        "sessions": "sessions", "included": "included energy", "fees": "month fees", "total": "total", "incl_vat": "incl. VAT",
        "excl_vat": "excl. VAT", "cheapest": "cheapest", "less": "less than", "drivers": "drivers", "cheapest_for": "cheapest for",
        "present": "present plan", "shifted": "moved by {} weeks",
        "left_out": "sessions are in no total, because not every plan can price them:", "more": "and {} more",
        "rejected": "rows of the file can't be used",
    },
    "sv": {
        "sessions": "laddningar", "included": "ingående energi", "fees": "månadsavgifter", "total": "summa", "incl_vat": "inkl. moms",
        "excl_vat": "exkl. moms", "cheapest": "billigast", "less": "mindre än", "drivers": "förare", "cheapest_for": "billigast för",
        "present": "nuvarande plan", "shifted": "flyttade {} veckor",
        "left_out": "laddningar ingår inte i någon summa, för alla planer har inte ett pris för dem:", "more": "och {} till",
        "rejected": "rader i filen kan inte användas",
    },
}  # fmt: skip


def answer_of(
    whole: Comparison, contracts: Sequence[Comparison], tariff_ids: Mapping[str, str], names: Mapping[str, str]
) -> dict[str, Any]:
    """The object of --json.

    Args: whole, all contracts together; contracts, each of them; tariff_ids, by plan; names, of sessions, by our session id.
    """
    return {
        "currency": whole.currency,
        "side": whole.side,
        "sessions": whole.session_count,
        "energy_wh": whole.energy_wh,
        "contracts": len(contracts),
        "plans": [
            _plan(plan, tariff_ids[plan.plan], sum(plan.plan in each.cheapest for each in contracts))
            for plan in whole.plans
        ],
        "cheapest": [*whole.cheapest],
        "left_out_count": len({each.session_id for each in whole.left_out}),
        "left_out": [
            {"session": names[each.session_id], "plan": each.plan, "why": each.why}
            for each in whole.left_out[:MAX_NAMED]
        ],
    }


def print_comparison(answer: Mapping[str, Any], language: str) -> None:
    """The table."""
    for line in text_of(answer, language):
        print(line)


def text_of(answer: Mapping[str, Any], language: str) -> list[str]:
    """The lines of the table."""
    words, plans, side = _WORDS[language], answer["plans"], answer["side"]

    def row(title: str, amounts: Sequence[Any]) -> list[str]:
        return [title, *(amount_text(Decimal(each[side]), answer["currency"], language) for each in amounts)]

    months = sorted({month for plan in plans for month in plan["months"]})
    nothing = {side: "0"}
    rows = [["", *(plan["plan"] for plan in plans)]]
    rows += [row(month, [plan["months"].get(month, nothing) for plan in plans]) for month in months]
    rows += [row(words[part], [plan[part] for plan in plans]) for part in ("sessions", "included", "fees", "total")]
    if answer["contracts"] > 1:
        rows.append([words["cheapest_for"], *(str(plan["cheapest_for"]) for plan in plans)])
    return [_head(answer, language), "", *_aligned(rows), "", *_foot(answer, language)]


def _plan(plan: PlanTotal, tariff_id: str, cheapest_for: int) -> dict[str, Any]:
    parts = {name: _amount(getattr(plan, name)) for name in ("sessions", "included", "fees", "total")}
    months = {month: _amount(amount) for month, amount in plan.months.items()}
    return {"plan": plan.plan, "tariff_id": tariff_id, **parts, "months": months, "cheapest_for": cheapest_for}


def _amount(amount: Amount) -> dict[str, str | None]:
    return {name: None if side is None else f"{side:f}" for name, side in amount._asdict().items()}


def _head(answer: Mapping[str, Any], language: str) -> str:
    words = _WORDS[language]
    kwh = f"{number_text(Decimal(answer['energy_wh']) / 1000, 3, language)} kWh"
    parts = [f"{answer['sessions']} {words['sessions']}", kwh, words[answer["side"]]]
    if answer["contracts"] > 1:
        parts.insert(0, f"{answer['contracts']} {words['drivers']}")
    if answer["shift_weeks"]:
        parts.append(words["shifted"].format(answer["shift_weeks"]))
    return ", ".join(parts)


def _foot(answer: Mapping[str, Any], language: str) -> list[str]:
    words, side = _WORDS[language], answer["side"]
    lines = [f"{words['present']}: {', '.join(answer['present'])}"] if answer["present"] else []
    ranked = sorted((Decimal(plan["total"][side]), plan["plan"]) for plan in answer["plans"])
    best = f"{words['cheapest']}: {', '.join(answer['cheapest'])}"
    dearer = [each for each in ranked if each[1] not in answer["cheapest"]]
    if dearer:
        gain = amount_text(dearer[0][0] - ranked[0][0], answer["currency"], language)
        best += f" ({gain} {words['less']} {dearer[0][1]})"
    lines.append(best)
    if answer["left_out_count"]:
        lines.append(f"{answer['left_out_count']} {words['left_out']}")
        shown = answer["left_out"][:SHOWN]
        lines += [f"  {each['session']}  {each['plan']}: {each['why']}" for each in shown]
        more = answer["left_out_count"] - len({each["session"] for each in shown})
        if more:
            lines.append(f"  {words['more'].format(more)}")
    if answer["rejected"]:
        reasons = ", ".join(f"{name} {count}" for name, count in answer["rejected"].items())
        lines.append(f"{sum(answer['rejected'].values())} {words['rejected']}: {reasons}")
    return lines


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Names to the left, numbers to the right, each column as wide as its widest."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    ]
