"""Do the console's plain modules compute what they should? They are run in the browser, as they are served."""

from typing import Any

import pytest
from playwright.sync_api import Page

ROWS = 10_000
BENCH = """async ([rows, changes]) => {
  const { html, render } = await import("/vendor/preact.js");
  const { SessionRows } = await import("/session-rows.js");
  const { SessionHead, SessionRow } = await import("/parts/session-row.js");
  const { VirtualList } = await import("/parts/virtual-list.js");
  const session = (n, energy_wh) => ({ id: `S${String(n).padStart(5, "0")}`, station_id: "A", evse_id: 1, state: "active",
    activity: "charging", energy_wh, started_at: new Date(Date.UTC(2026, 0, 1) + n * 1000).toISOString() });
  const list = new SessionRows();
  const box = document.createElement("div");
  box.style.cssText = "position: fixed; inset: 0; display: grid; background: white; z-index: 99";
  document.body.append(box);
  const frame = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  list.apply(Array.from({ length: rows }, (_, n) => session(n, 0)));
  render(html`<${VirtualList} rows=${list} rowHeight=${36} Head=${SessionHead} Row=${SessionRow} label="bench" />`, box);
  await frame();
  const ids = () => [...box.querySelectorAll(".id")].map((element) => element.textContent);
  const top = ids()[0];
  const scroller = box.querySelector(".list-box");
  scroller.scrollTop = 36 * 5000;
  await frame();
  const first = () => ids()[8]; // the first in sight: eight more are drawn above
  const before = first();
  list.apply(Array.from({ length: changes }, (_, n) => session(n * 7, 1000 + n)));
  list.apply([session(rows, 5), session(rows + 1, 5)]);
  await frame();
  return { top, before, after: first(), drawn: ids().length, size: list.size, changed: list.list.filter((one) => one.energy_wh >= 1000).length };
}"""


def run(page: Page, module: str, expression: str) -> Any:
    """Evaluates an expression over a module `m` of the console."""
    page.goto("/")
    return page.evaluate(f'async () => {{ const m = await import("{module}"); return {expression}; }}')


@pytest.mark.parametrize(
    "text",
    [
        "AWQD-K011-CEHY-SPKN",
        "awqdk011cehyspkn",
        " see awqd k0l1 cehy spkn!",
        "https://host/sessions/AWQD-KO11-CEHY-SPKN?x",
    ],
)
def test_a_session_id_is_found_in_whatever_was_pasted(page: Page, text: str) -> None:
    page.goto("/")
    found = page.evaluate('async (text) => (await import("/session-id.js")).findSessionId(text)', text)
    assert found == "AWQD-K011-CEHY-SPKN"


def test_other_text_is_no_session_id(page: Page) -> None:
    assert (
        run(page, "/session-id.js", '["LB-0022", "04A2BC77", "", "AWQD-K011-CEHY"].map(m.findSessionId)') == [None] * 4
    )


def test_vat_is_the_exact_difference_of_decimal_strings(page: Page) -> None:
    pairs = '[["117.05", "93.64"], ["1", "0.80"], ["0.3", "0.1"], ["-5.00", "-4.00"], ["90071992547409.93", "0.01"]]'
    differences = run(page, "/parts/price.js", f"{pairs}.map(([a, b]) => m.difference(a, b))")
    assert differences == ["23.41", "0.20", "0.2", "-1.00", "90071992547409.92"]


def test_an_intent_becomes_the_call_of_the_stations_protocol(page: Page) -> None:
    calls = run(
        page,
        "/commands.js",
        '["1.6", "2.0.1"].map((version) => m.callFor(version, "availability", { evse_id: 2, operative: false }))',
    )
    assert calls == [
        ["ChangeAvailability", {"connectorId": 2, "type": "Inoperative"}],
        ["ChangeAvailability", {"operationalStatus": "Inoperative", "evse": {"id": 2}}],
    ]


def test_neighbouring_periods_of_one_activity_are_told_as_one(page: Page) -> None:
    periods = """[
        { start_at: "a", end_at: "b", activity: "charging", energy_wh: 5 },
        { start_at: "b", end_at: "c", activity: "charging", energy_wh: 7 },
        { start_at: "c", end_at: "d", activity: "idle", energy_wh: 0 },
    ]"""
    joined = run(page, "/parts/curves.js", f"m.joinPeriods({periods})")
    assert [(one["start_at"], one["end_at"], one["energy_wh"]) for one in joined] == [("a", "c", 12), ("c", "d", 0)]


def test_a_run_of_meter_readings_is_one_entry_of_the_timeline(page: Page) -> None:
    items = '["StartTransaction", ..."12345".split("").map(() => "MeterValues"), "StopTransaction", "MeterValues"]'
    groups = run(
        page,
        "/parts/timeline.js",
        f'm.grouped({items}.map((action) => ({{ kind: "frame", action }}))).map((one) => one.length)',
    )
    assert groups == [1, 5, 1, 1]


def test_ten_thousand_sessions_are_a_few_rows_and_stay_put_while_they_change(page: Page) -> None:
    page.goto("/")
    seen = page.evaluate(BENCH, [ROWS, 1_000])
    assert seen["top"] == f"S{ROWS - 1:05}"
    assert seen["size"] == ROWS  # two new ones came, so the two oldest are gone
    assert seen["drawn"] < 100
    assert seen["before"] == seen["after"] == f"S{ROWS - 1 - 5000:05}"
    assert 990 <= seen["changed"] <= 1_000


def test_a_typed_energy_is_whole_wh_in_either_spelling(page: Page) -> None:
    assert run(page, "/decide.js", '["12.345", " 12,5 ", "0"].map(m.energyWh)') == [12_345, 12_500, 0]
    refused = """["", "1,2345", "1.000,5", "-1", "many"].map((text) => {
        try { return m.energyWh(text); } catch (problem) { return problem.status; }
    })"""
    assert run(page, "/decide.js", refused) == [422] * 5


def test_a_correction_sends_only_what_was_changed(page: Page) -> None:
    session = """{ energy_wh: 5000, started_at: "2026-03-29T00:30:00Z", ended_at: "2026-03-29T01:30:00.5Z", token: "04A1",
        tariff: { id: "plain" } }"""
    as_it_was = """{ energy: m.kwhText(5000), started_at: m.localTime("2026-03-29T00:30:00Z").slice(0, 16),
        ended_at: m.localTime("2026-03-29T01:30:00.5Z"), id_token: "04A1 ", tariff_id: "plain" }"""
    assert run(page, "/decide.js", f"m.corrections({session}, {as_it_was})") == {}
    changed = f'{{ ...{as_it_was}, energy: "4", started_at: "2026-03-29T03:15:00" }}'
    assert run(page, "/decide.js", f"m.corrections({session}, {changed})") == {
        "energy_wh": 4_000, "started_at": "2026-03-29T01:15:00.000Z",
    }  # fmt: skip


def test_what_stands_is_the_last_revision_that_was_not_credited(page: Page) -> None:
    cdr, credit = '{ kind: "cdr", revision: 1 }', '{ kind: "credit", revision: 1 }'
    second = '{ kind: "cdr", revision: 2 }'
    issued = f"[[], [{cdr}], [{cdr}, {credit}], [{cdr}, {credit}, {second}]].map(m.standing)"
    assert run(page, "/decide.js", issued) == [
        {"last": 0, "stands": False},
        {"last": 1, "stands": True},
        {"last": 1, "stands": False},
        {"last": 2, "stands": True},
    ]


FORM = """async (text) => {
  const { parseExact, writeExact } = await import("/exact-json.js");
  const { build, placeOf, read } = await import("/tariff-form.js");
  const document = parseExact(text);
  const { form, missing } = read(document);
  const { document: again, places } = build(form);
  return { kind: form.kind, missing, text: writeExact(document, 0), again: writeExact(again, 0),
    place: placeOf({ form, places }, "elements[0].price_components[0].price") };
}"""
ENERGY = '{"type":"ENERGY","price":%s,"vat":25,"step_size":1}'
HEAD = '{"id":"T","currency":"SEK","tax_included":"YES","elements":['


def _element(price: str, restrictions: str = "") -> str:
    return f'{{"price_components":[{ENERGY % price}]' + (f',"restrictions":{restrictions}}}' if restrictions else "}")


@pytest.mark.parametrize(
    ("kind", "place", "text"),
    [
        ("fixed", "price", HEAD + _element("3.10") + "]}"),
        ("windows", "windows.0.price", HEAD + _element("1", '{"start_time":"22:00"}') + "," + _element("2") + "]}"),
        (
            "tiers",
            "tiers.0.price",
            HEAD + _element("1.000000000000000001", '{"max_kwh":10}') + "," + _element("2") + "]}",
        ),
        (
            "spot",
            None,
            '{"id":"T","currency":"SEK","elements":[],"laddbok":{"spot":{"zone":"SE3","markup":0.05,"grid":'
            '[{"per_kwh":0.25,"start_date":"2026-01-01","day_of_week":["MONDAY"]}],"vat":25}}}',
        ),
    ],
)
def test_a_document_that_a_form_shows_is_written_again_digit_by_digit(
    page: Page, kind: str, place: str | None, text: str
) -> None:
    page.goto("/")
    found = page.evaluate(FORM, text)
    assert (found["kind"], found["missing"], found["place"]) == (kind, [], place)
    assert found["text"] == found["again"] == text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "elements[0].price_components[1]",
            HEAD + _element("1")[:-2] + ',{"type":"PARKING_TIME","price":3,"vat":25}]}]}',
        ),
        ("elements[0].restrictions.min_power", HEAD + _element("1", '{"min_power":50,"start_time":"22:00"}') + "]}"),
        ("elements[0].price_components[0].step_size", HEAD + _element("1").replace('size":1', 'size":500') + "]}"),
        ("laddbok.idle.colour", HEAD + _element("1") + '],"laddbok":{"idle":{"per_min":1,"colour":"red"}}}'),
        ("min_price.before_taxes", HEAD + _element("1") + '],"min_price":{"before_taxes":9,"after_taxes":10}}'),
    ],
)
def test_what_a_form_cannot_show_is_named(page: Page, path: str, text: str) -> None:
    page.goto("/")
    missing = page.evaluate(FORM, text)["missing"]
    assert any(path.startswith(each) for each in missing), missing


def test_a_wall_time_is_an_instant_of_its_zone(page: Page) -> None:
    walls = '["2026-05-04T17:30", "2026-10-25T02:30", "2026-03-29T02:30", "2026-12-31T23:59"]'
    instants = run(
        page, "/zone-time.js", f'{walls}.map((wall) => new Date(m.instantOf(wall, "Europe/Stockholm")).toISOString())'
    )
    assert [each[:16] for each in instants] == [
        "2026-05-04T15:30",
        "2026-10-25T00:30",
        "2026-03-29T01:30",
        "2026-12-31T22:59",
    ]


def test_a_week_is_told_in_words(page: Page) -> None:
    grid = """((cells) => ({ currency: "SEK", prices: [{ incl_vat: "1" }, { incl_vat: "2" }, { pending: true }],
        days: cells.map((row, n) => ({ date: `2026-05-0${n + 4}`, changes: [], cells: row,
            times: row.map((_, i) => `${String(i * 6).padStart(2, "0")}:00`) })) }))"""
    told = "([a, b]) => [m.sentences(a), m.sentences(b)]"
    weeks = f"({told})([{grid}(Array(7).fill([0, 1, 1, 0])), {grid}([[0, 0, 0, 0], [1, 1, 2, null]])])"
    every, some = run(page, "/week.js", weeks)
    assert [each.replace("\u2013", "-") for each in every] == [
        "Cheapest: kr\u00a01.00/kWh, every day 18:00-06:00.",
        "Dearest: kr\u00a02.00/kWh, every day 06:00-18:00.",
    ]
    assert [each.replace("\u2013", "-").replace("\u00a0", " ") for each in some] == [
        "Cheapest: kr 1.00/kWh, Mon all day.",
        "Dearest: kr 2.00/kWh, Tue 00:00-12:00.",
        "Nothing prices energy Tue 18:00-24:00: it is free then.",
        "For 0.25 hours the market price is not known yet.",
    ]


def test_a_number_is_read_as_people_type_it(page: Page) -> None:
    typed = ["4 321,55", " 77,00 kr", "25 %", "1\u00a0000", "", "kr", "10 eur"]
    page.goto("/")
    read = page.evaluate(
        'async (all) => { const m = await import("/format.js"); return all.map(m.typedNumber); }', typed
    )
    assert read == ["4321.55", "77.00", "25", "1000", None, "kr", "10eur"]
