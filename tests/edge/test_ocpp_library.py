"""An independent client, the PyPI `ocpp` library, charges from Boot to Stop against `laddbok serve`, in both dialects."""

import asyncio
import base64
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from ocpp import v16, v201
from ocpp.routing import on
from ocpp.v16 import call as call16
from ocpp.v16 import call_result as result16
from ocpp.v201 import call as call201
from ocpp.v201 import call_result as result201
from websockets.asyncio.client import connect

from tests.edge.platform import TOKEN, Platform, fast_clock, finished, platform

ENERGY_WH = 12_345
CHARGE_S = 0.7
"""3.5 minutes of the platform's time; in less no outlet gives that much."""
EXCL_VAT, INCL_VAT = "35.60", "44.50"
"""12.345 kWh x 2.56 = 31.6032, and 4.00 to start: 35.6032 without VAT, with 25 % of it 44.504."""


class Station16(v16.ChargePoint):
    """A 1.6 station of the library, which agrees to be configured."""

    @on("ChangeConfiguration")
    def configured(self, **_: Any) -> Any:
        return result16.ChangeConfiguration(status="Accepted")


class Station201(v201.ChargePoint):
    """A 2.0.1 station of the library, which agrees to be configured."""

    @on("SetVariables")
    def configured(self, set_variable_data: list[dict[str, Any]], **_: Any) -> Any:
        named = ({key: each[key] for key in ("component", "variable")} for each in set_variable_data)
        return result201.SetVariables([{**each, "attribute_status": "Accepted"} for each in named])


@pytest.fixture(scope="module")
def running() -> Iterator[Platform]:
    with platform(LADDBOK_CLOCK=fast_clock().to_text()) as running:
        running.fill()
        yield running


def charge(running: Platform, identity: str, kind: Any, subprotocol: str, go: Callable[[Any], Awaitable[None]]) -> None:
    """Register the station, connect it with the library, and let it go through its charge."""
    password = running.new_station(identity)

    async def run() -> None:
        login = base64.b64encode(f"{identity}:{password}".encode()).decode()
        headers = {"Authorization": f"Basic {login}"}
        url = f"{running.stations}/{identity}"
        async with connect(url, subprotocols=[subprotocol], additional_headers=headers) as socket:  # type: ignore[list-item]
            assert socket.subprotocol == subprotocol
            station = kind(identity, socket)
            listening = asyncio.create_task(station.start())
            try:
                await asyncio.wait_for(go(station), 30)
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    asyncio.run(run())


def assert_priced(running: Platform, identity: str, transaction_id: str) -> None:
    """The one session of the station has the right energy and price, in the API and in the terminal."""
    [session] = running.settled(identity)
    price = session["price"]
    assert (session["energy_wh"], session["transaction_id"]) == (ENERGY_WH, transaction_id)
    assert (session["id_token"], session["evse_id"], session["connector_id"]) == (TOKEN, 1, 1)
    assert (price["excl_vat"], price["incl_vat"], price["currency"], price["final"]) == (
        EXCL_VAT,
        INCL_VAT,
        "SEK",
        True,
    )
    assert session["review_reasons"] == []
    whole = running.get(f"/sessions/{session['id']}/price")
    lines = {line["dimension"]: (line["quantity"], line["unit"], line["excl_vat"]) for line in whole["lines"]}
    assert lines == {"flat": (1, "1", "4.00"), "energy": (ENERGY_WH, "Wh", "31.60")}, lines
    told = finished(["session", session["id"], "--json"], running.folder)
    assert told.returncode == 0, told.stderr
    printed = json.loads(told.stdout.splitlines()[-1])
    assert (printed["energy_wh"], printed["state"]) == (ENERGY_WH, "settled")
    assert (printed["price"]["excl_vat"], printed["price"]["incl_vat"]) == (EXCL_VAT, INCL_VAT)
    words = finished(["session", session["id"]], running.folder).stdout
    assert "12.345 kWh" in words and "44.50" in words
    assert re.search(rf"found by\s+{printed['energy']['method']}, confidence: {printed['energy']['confidence']}", words)


def test_a_16_station_of_the_library(running: Platform) -> None:
    transaction_ids: list[int] = []

    async def go(station: Any) -> None:
        boot = await station.call(call16.BootNotification(charge_point_model="M", charge_point_vendor="V"))
        assert (boot.status, boot.interval > 0) == ("Accepted", True)
        status = {"connector_id": 1, "error_code": "NoError"}
        await station.call(call16.StatusNotification(status="Preparing", **status))
        assert (await station.call(call16.Authorize(id_tag=TOKEN))).id_tag_info["status"] == "Accepted"
        started = await station.call(
            call16.StartTransaction(connector_id=1, id_tag=TOKEN, meter_start=4_000, timestamp=running.now_text())
        )
        assert started.id_tag_info["status"] == "Accepted"
        transaction_ids.append(started.transaction_id)
        await station.call(call16.StatusNotification(status="Charging", **status))
        reading = {"value": "9000", "measurand": "Energy.Active.Import.Register", "unit": "Wh"}
        values = [{"timestamp": running.now_text(), "sampled_value": [reading]}]
        await station.call(
            call16.MeterValues(connector_id=1, transaction_id=started.transaction_id, meter_value=values)
        )
        await asyncio.sleep(CHARGE_S)
        stopped = await station.call(
            call16.StopTransaction(
                meter_stop=4_000 + ENERGY_WH,
                timestamp=running.now_text(),
                transaction_id=started.transaction_id,
                reason="Local",
                id_tag=TOKEN,
            )
        )
        assert stopped.id_tag_info["status"] == "Accepted"
        await station.call(call16.StatusNotification(status="Available", **status))

    charge(running, "LIB-16", Station16, "ocpp1.6", go)
    assert_priced(running, "LIB-16", str(transaction_ids[0]))


def test_a_201_station_of_the_library(running: Platform) -> None:
    def event(kind: str, reason: str, number: int, meter_wh: int, **more: Any) -> Any:
        reading = {"value": meter_wh, "measurand": "Energy.Active.Import.Register"}
        return call201.TransactionEvent(
            event_type=kind,
            timestamp=running.now_text(),
            trigger_reason=reason,
            seq_no=number,
            transaction_info={"transaction_id": "T-201", **more.pop("info", {})},
            evse={"id": 1, "connector_id": 1},
            meter_value=[{"timestamp": running.now_text(), "sampled_value": [reading]}],
            **more,
        )

    async def go(station: Any) -> None:
        about = {"vendor_name": "V", "model": "M"}
        boot = await station.call(call201.BootNotification(charging_station=about, reason="PowerUp"))
        assert boot.status == "Accepted"
        for status in ("Available", "Occupied"):
            await station.call(
                call201.StatusNotification(
                    timestamp=running.now_text(), connector_status=status, evse_id=1, connector_id=1
                )
            )
        token = {"id_token": TOKEN, "type": "ISO14443"}
        assert (await station.call(call201.Authorize(id_token=token))).id_token_info["status"] == "Accepted"
        started = await station.call(event("Started", "Authorized", 0, 4_000, id_token=token))
        assert started.id_token_info["status"] == "Accepted"
        charging = {"charging_state": "Charging"}
        await station.call(event("Updated", "MeterValuePeriodic", 1, 9_000, info=charging))
        await asyncio.sleep(CHARGE_S)
        ended = {"charging_state": "Idle", "stopped_reason": "Local"}
        await station.call(event("Ended", "StopAuthorized", 2, 4_000 + ENERGY_WH, info=ended, id_token=token))
        await station.call(
            call201.StatusNotification(
                timestamp=running.now_text(), connector_status="Available", evse_id=1, connector_id=1
            )
        )

    charge(running, "LIB-201", Station201, "ocpp2.0.1", go)
    assert_priced(running, "LIB-201", "T-201")
