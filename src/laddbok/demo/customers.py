"""Who sells and who pays in the demo, and between which price plans can they choose?

A seller with everything that an invoice must tell; drivers, most of them people, some of them at companies that could
receive e-invoices (which need the official rules, docs/commands.md); and two plans beside the prices of the sites: the market's price by the quarter hour, and a subscription.
"""

import json
from datetime import datetime
from typing import Any

import asyncpg

from laddbok.sessions.authorize import normalise_token
from laddbok.store.sql import query

SELLER = (
    "Norrladd Demo AB", "5560360793", "SE556036079301", "Storgatan 12", "903 26", "Umeå", "991-2346",
    "faktura@norrladd.example",
)  # fmt: skip
LATE_TERMS = {
    "reminder_fee": "60", "compensation": "450", "interest_points": "8", "reference_rates": "2025-01-01 2.00",
    "reminder_days": "5, 20",
}  # fmt: skip
COMPANIES = (
    ("Bageriet i Backen AB", "2021005489", "Backvägen 2"),
    ("Åkeriet Nord AB", "5567037485", "Industrigatan 7"),
)
COMPANY_EVERY = 10
"""Each tenth driver charges for a company."""
DROP_IN_EVERY = 6
"""Each sixth driver has no contract and pays by card (demo.drop_in)."""
SPOT_EVERY, SUBSCRIPTION_EVERY = 4, 7
PLANS: dict[str, dict[str, Any]] = {
    "demo-spot": {
        "laddbok": {
            "spot": {
                "zone": "SE3",
                "markup": "0.08",
                "grid": [
                    {"per_kwh": "0.45", "start_time": "06:00", "end_time": "22:00"},
                    {"per_kwh": "0.20"},
                ],
                "energy_tax": [{"per_kwh": "0.36", "start_date": "2026-01-01"}],
                "vat": 25,
            }
        }
    },
    "demo-subscription": {
        "tax_included": "YES",
        "elements": [{"price_components": [{"type": "ENERGY", "price": "2.60", "vat": 25, "step_size": 1}]}],
        "laddbok": {"subscription": {"month_fee": "199.00", "tiers": [{"to_kwh": 60, "per_kwh": "0"}], "vat": 25}},
    },
}
OFFERS = (
    ("demo-spot", "Timpris", "Market price", "Elbörsens pris varje kvart, plus påslag, nät och skatt",
     "The market's price each quarter hour, plus markup, grid and tax"),
    ("demo-subscription", "Abonnemang", "Subscription", "199 kr i månaden med 60 kWh, sedan 2,60 kr/kWh",
     "199 kr a month with 60 kWh in it, then 2.60 kr/kWh"),
)  # fmt: skip


async def sell(
    connection: asyncpg.Connection, tenant: int, tokens: tuple[str, ...], since: datetime, now: datetime
) -> None:
    """The seller, the plans, and a driver for each token, most with a contract; what is there stays."""
    await connection.execute(query("demo_seller"), tenant, *SELLER, json.dumps(LATE_TERMS))
    for tariff_id, terms in PLANS.items():
        document = {"id": tariff_id, "currency": "SEK", "last_updated": "2026-01-01T00:00:00Z", **terms}
        await connection.execute(query("demo_tariff"), tenant, tariff_id, since, now, json.dumps(document))
    for number, token in enumerate(tokens, start=1):
        if number % DROP_IN_EVERY == 0:
            await connection.execute(query("demo_token"), tenant, normalise_token(token), token)
        else:
            await _driver(connection, tenant, number, token, since)


async def _driver(connection: asyncpg.Connection, tenant: int, number: int, token: str, since: datetime) -> None:
    """A driver with a contract, who is offered both plans; some have chosen one."""
    contract, name = f"demo-{number:03d}", f"Förare {number}"
    names = (contract, name, since, normalise_token(token), token)
    await connection.execute(query("demo_driver"), tenant, *names, *_payer(number, name))
    for offer in OFFERS:
        await connection.execute(query("demo_plan"), tenant, contract, *offer, since)
    chosen = (
        "demo-spot" if number % SPOT_EVERY == 0 else "demo-subscription" if number % SUBSCRIPTION_EVERY == 0 else None
    )
    if chosen is not None:
        await connection.execute(query("demo_assignment"), tenant, "contract", contract, since, chosen)


def _payer(number: int, name: str) -> tuple[Any, ...]:
    """Name, e-mail, address, kind, organisation and VAT number, reference."""
    if number % COMPANY_EVERY == 0:
        company, organisation, street = COMPANIES[number // COMPANY_EVERY % len(COMPANIES)]
        mail = f"ekonomi{number}@example.com"
        return (
            company,
            mail,
            street,
            "903 60",
            "Umeå",
            "company",
            organisation,
            f"SE{organisation}01",
            f"Ref {number}",
        )
    return (name, f"forare{number}@example.com", f"Gatan {number}", "903 31", "Umeå", "consumer", None, None, None)
