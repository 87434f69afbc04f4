"""What do the browser tests share? The real platform in a process of its own, one station's password, and a browser."""

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

START_S = 60.0
STOP_S = 30.0
PASSWORD = "a password of the administrator's own"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TARIFF = {
    "country_code": "SE",
    "party_id": "LAD",
    "id": "per-kwh",
    "currency": "SEK",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 3.2, "vat": 25.0, "step_size": 1}]}],
    "last_updated": "2020-01-01T00:00:00Z",
}


class Platform(NamedTuple):
    """Where it listens, and how to get in."""

    console: str
    stations: str
    one_time_password: str
    api: httpx.Client
    state: str
    """The folder with its database."""

    def site_id(self) -> str:
        """The site that a new installation has."""
        return str(self.api.get("/sites").json()["items"][0]["id"])

    def new_station(self, identity: str) -> str:
        """Names a station. Returns: its password."""
        answer = self.api.post("/stations", json={"station_id": identity, "site_id": self.site_id()})
        return str(answer.raise_for_status().json()["password"])

    def put(self, path: str, body: dict[str, Any]) -> None:
        """A write that must succeed."""
        self.api.put(path, json=body).raise_for_status()


def _started(process: "subprocess.Popen[bytes]", output: Path) -> dict[str, str]:
    """What the platform says when it is ready."""
    until = time.monotonic() + START_S
    while time.monotonic() < until:
        said = output.read_text()
        if found := re.search(r"(ws://\S+)/STATION.*?(http://\S+).*?one-time password (\S+)", said, re.DOTALL):
            return dict(zip(("stations", "console", "one_time_password"), found.groups(), strict=True))
        if process.poll() is not None:
            break
        time.sleep(0.05)
    raise AssertionError(f"the platform did not start: {output.read_text()}")


@pytest.fixture(scope="session")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    """`laddbok serve` from nothing, with a tariff and one id token."""
    state = tempfile.mkdtemp(prefix="laddbok-browser-")
    key = secrets.token_urlsafe(32)
    ports = {"LADDBOK_HTTP_PORT": "0", "LADDBOK_OCPP_PORT": "0"}
    environ = {**os.environ, **ports, "LADDBOK_DATA": state, "LADDBOK_ADMIN_KEY": key}
    output = tmp_path_factory.mktemp("platform") / "output.txt"
    with output.open("wb") as sink:
        command = [sys.executable, "-m", "laddbok.cli", "serve"]
        process = subprocess.Popen(command, env=environ, stdout=sink, stderr=sink, start_new_session=True)
    try:
        ready = _started(process, output)
        headers = {"Authorization": f"Bearer {key}"}
        with httpx.Client(base_url=f"{ready['console']}/api/v1", headers=headers, timeout=30) as api:
            platform = Platform(**ready, api=api, state=state)
            api.post("/tariffs", json={**TARIFF, "start_date_time": _now()}).raise_for_status()
            platform.put("/id-tokens/04A2BC77", {"status": "Accepted"})
            yield platform
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(STOP_S)
        shutil.rmtree(state, ignore_errors=True)
    assert "Traceback" not in (said := output.read_text()), said


def _now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


@contextmanager
def _launched(chromium_path: str) -> Iterator[Browser]:
    """A browser with an empty profile. While one is there, no other test of the process may run an event loop."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium_path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser(chromium_path: str) -> Iterator[Browser]:
    """The browser of one module's tests."""
    with _launched(chromium_path) as browser:
        yield browser


@pytest.fixture(scope="session")
def login_state(platform: Platform, chromium_path: str) -> Any:
    """The cookie of the administrator, who has logged in for the first time and chosen a password."""
    with _launched(chromium_path) as browser:
        return _first_login(browser, platform)


def _first_login(browser: Browser, platform: Platform) -> Any:
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(platform.console)
    page.get_by_label("Person").fill("admin")
    page.get_by_label("Password").fill(platform.one_time_password)
    page.get_by_role("button", name="Log in").click()
    page.get_by_label("Present password").fill(platform.one_time_password)
    page.get_by_label(re.compile("New password .at least")).fill(PASSWORD)
    page.get_by_label("New password, again").fill(PASSWORD)
    page.get_by_role("button", name="Change password").click()
    page.get_by_role("heading", name="Overview").wait_for()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def context(browser: Browser, platform: Platform, login_state: Any) -> Iterator[BrowserContext]:
    """A browser that is logged in."""
    context = browser.new_context(
        base_url=platform.console, locale="en-GB", timezone_id="Europe/Stockholm", storage_state=login_state
    )
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page of the console; whatever goes wrong in the browser fails the test."""
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    yield page
    assert troubles == []
