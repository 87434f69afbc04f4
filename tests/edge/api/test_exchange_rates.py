"""Do exchange rates come in through the API, for their tenant only, and is what waited for them booked?"""

import pytest

from tests.edge.api.conftest import RunningApi
from tests.edge.api.october import READER, SELLER, STRANGER, as_, filled, get

__all__ = ["filled"]

PATH = "/exchange-rates/import"
FILE = b"Date,USD,SEK,\n2026-10-20,1.0583,11.0350,\n2026-10-21,1.0601,11.0400,\n"


def test_a_file_is_taken_in_once_and_its_last_rates_are_told(filled: RunningApi) -> None:
    for new in (4, 0):
        told = filled.client.post(PATH, content=FILE).json()
        assert told == {"rates": 4, "new": new, "changed": 0, "unchanged": 4 - new, "booked": 0}
    last = {each["currency"]: (each["day"], each["rate"]) for each in get(filled, "/exchange-rates/last")}
    assert last == {"SEK": ("2026-10-21", "11.0400"), "USD": ("2026-10-21", "1.0601")}
    changed = filled.client.post(PATH, content=FILE.replace(b"11.0400", b"11.05")).json()
    assert (changed["changed"], changed["new"]) == (1, 0)
    first = get(filled, "/exchange-rates", limit=3)
    second = get(filled, "/exchange-rates", limit=3, cursor=first["next"])
    found = [(each["day"], each["currency"], each["rate"]) for page in (first, second) for each in page["items"]]
    assert found == [
        ("2026-10-21", "USD", "1.0601"), ("2026-10-21", "SEK", "11.05"), ("2026-10-20", "USD", "1.0583"),
        ("2026-10-20", "SEK", "11.0350"),
    ]  # fmt: skip
    days = {"from": "2026-10-20", "to": "2026-10-20"}
    [one] = filled.client.get("/exchange-rates", params={"currency": "SEK", **days}).json()["items"]
    assert (one["base"], one["source"]) == ("EUR", "ECB")
    with as_(filled, STRANGER) as stranger:
        assert stranger.get("/exchange-rates/last").json() == stranger.get("/exchange-rates").json()["items"] == []


def test_only_an_administrator_takes_rates_in(filled: RunningApi) -> None:
    with as_(filled, READER) as reader:
        assert reader.post(PATH, content=FILE).status_code == 403
        assert reader.get("/exchange-rates/last").status_code == 200


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b"", "row 1"),
        (b"Date,SEK,\n2026-10-22,x,\n", "row 2.SEK"),
        (b"Date,SEK,\n2026-10-22,11,\n2026-10-22,12,\n", "row 3.SEK"),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', None),
        (b"<Envelope/>", "file"),
    ],
)
def test_a_file_that_can_not_be_read_brings_nothing(filled: RunningApi, content: bytes, field: str | None) -> None:
    before = get(filled, "/exchange-rates", limit=100)["items"]
    answer = filled.client.post(PATH, content=content)
    assert answer.status_code == 422
    assert field is None or answer.json()["field"] == field
    assert get(filled, "/exchange-rates", limit=100)["items"] == before


def test_what_waited_for_a_rate_is_booked_with_its_file(filled: RunningApi) -> None:
    filled.sql(
        """WITH entry AS (
            INSERT INTO journal_entry (tenant, legal_entity_id, date, text, source_kind, source_id, posted_at)
            VALUES (1, $1, '2026-10-23', 'Inbetalning', 'payment', 'p-euro', now()) RETURNING id
        )
        INSERT INTO posting (tenant, entry_id, line, account, amount, currency)
        SELECT 1, id, line, account, amount, 'EUR' FROM entry, (VALUES (1, '1930', 10.00), (2, '2999', -10.00)) AS l (line, account, amount)
        RETURNING line""",
        SELLER,
    )
    days = {"seller_id": SELLER, "from": "2026-10-01", "to": "2026-10-31"}
    assert {each["currency"] for each in get(filled, "/ledger/accounts", **days)["items"]} == {"EUR"}
    told = filled.client.post(PATH, content=b"Date,SEK,\n2026-10-23,11.5,\n").json()
    assert (told["new"], told["booked"]) == (1, 1)
    balance = {
        each["account"]: (each["closing"], each["currency"])
        for each in get(filled, "/ledger/accounts", **days)["items"]
    }
    assert balance == {"1930": ("115.00", "SEK"), "2999": ("-115.00", "SEK")}
    [posting] = get(filled, "/ledger/accounts/1930/postings", **days)["items"]
    assert (posting["amount"], posting["text"], posting["source_kind"]) == ("115.00", "Inbetalning", "exchange")
    assert b"#VALUTA SEK" in filled.client.get("/ledger/sie", params=days).content
