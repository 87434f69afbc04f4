"""How is this installation set up?

Everything comes from the environment, is read once, and each part gets only what it needs. A setting that can't be
used is an error that names it. docs/settings.md lists them all; a test holds the two together.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from laddbok.model.clock import Clock, clock_from_text
from laddbok.model.errors import ConfigurationError, Invalid
from laddbok.model.market_prices import checked_zone
from laddbok.sessions.quirks import QuirkTable, known_quirks, read_quirks
from laddbok.store.state_folder import default_state_folder

NAMES = {
    "LADDBOK_DATA": "The state folder, with the embedded database in it.",
    "LADDBOK_DATABASE_URL": "A PostgreSQL (15 or later) to use instead of the embedded one.",
    "LADDBOK_HOST": "The address that is listened on; 127.0.0.1 unless set.",
    "LADDBOK_OCPP_PORT": "The port for stations; 9000 unless set.",
    "LADDBOK_HTTP_PORT": "The port for console and API; 8080 unless set.",
    "LADDBOK_ADMIN_KEY": "An API key that exists from the first start on.",
    "LADDBOK_ADMIT_UNKNOWN_STATIONS": "true: stations that nobody knows are admitted at once. For labs only.",
    "LADDBOK_GATEWAY": "The name of this gateway process; each of several needs its own.",
    "LADDBOK_BATCH": "Messages in one commit at most; 512 unless set.",
    "LADDBOK_MAX_FRAME_BYTES": "The longest message of a station; 262144 unless set.",
    "LADDBOK_STATION_MESSAGES_PER_S": "Messages of one station in a second at most; 1000 unless set.",
    "LADDBOK_STATION_BYTES_PER_S": "Bytes of one station in a second at most; 262144 unless set.",
    "LADDBOK_COMMAND_LIMIT_S": "Seconds that a station may take to answer a command; 30 unless set.",
    "LADDBOK_TRUSTED_PROXIES": "Addresses, with commas between, whose X-Forwarded-For is believed.",
    "LADDBOK_TIME_ZONE": "The time zone of a new installation's first site; Europe/Stockholm unless set.",
    "LADDBOK_QUIRKS": "A file with an operator's own rows about models; added to those that ship.",
    "LADDBOK_PRICE_ZONES": "Bidding zones, with commas between, whose day-ahead prices a worker fetches; none unless set.",
    "LADDBOK_PRICE_URL": "Where they are fetched; https://www.elprisetjustnu.se/api/v1/prices unless set.",
    "LADDBOK_EINVOICE_RULES": "The folder with the official rules of e-invoices; einvoice-rules in the state folder unless set.",
    "LADDBOK_SWISH_URL": "Where Swish is; https://cpc.getswish.net/swish-cpcapi unless set.",
    "LADDBOK_SWISH_PAYEE": "The Swish number that is paid; without it there is no Swish.",
    "LADDBOK_SWISH_CALLBACK_URL": "Our own address for Swish, https://.../api/v1/payment-callbacks/swish.",
    "LADDBOK_SWISH_CERTIFICATE": "A file with our certificate for Swish, and those above it.",
    "LADDBOK_SWISH_KEY": "A file with the key of that certificate.",
    "LADDBOK_SWISH_AUTHORITY": "A file with the certificate that Swish's own is signed by; the system's unless set.",
    "LADDBOK_STRIPE_URL": "Where Stripe is; https://api.stripe.com unless set.",
    "LADDBOK_STRIPE_KEY": "The secret key to Stripe; without it there is no Stripe.",
    "LADDBOK_STRIPE_WEBHOOK_SECRET": "The secret by which Stripe signs its webhooks.",
    "LADDBOK_SMTP_HOST": "The mail server that documents are sent by; without it they wait.",
    "LADDBOK_SMTP_PORT": "Its port; 587 unless set.",
    "LADDBOK_SMTP_SECURITY": "starttls, tls or none; starttls unless set.",
    "LADDBOK_SMTP_AUTHORITY": "A file with the certificate that the mail server's own is signed by; the system's unless set.",
    "LADDBOK_SMTP_USER": "Who we are to it; nobody unless set.",
    "LADDBOK_SMTP_PASSWORD": "The password that goes with it.",
    "LADDBOK_SMTP_PASSWORD_FILE": "A file with that password instead.",
    "LADDBOK_SMTP_FROM": "The address that mails come from; needed with LADDBOK_SMTP_HOST.",
    "LADDBOK_PUBLIC_URL": "Where customers reach us, https://...; without it mails have no link.",
    "LADDBOK_SECURE_COOKIES": "true: the console is reached over TLS, so its cookie is never sent without it.",
    "LADDBOK_CLOCK": "The scaled clock of a demo; set by `laddbok demo` for its processes.",
    "LADDBOK_PARENT": "The process without which this one stops; set by laddbok for its own processes.",
}


SECRET = frozenset({
    "LADDBOK_ADMIN_KEY", "LADDBOK_DATABASE_URL", "LADDBOK_STRIPE_KEY", "LADDBOK_STRIPE_WEBHOOK_SECRET", "LADDBOK_SMTP_PASSWORD",
})  # fmt: skip
"""Whose values nobody is shown."""
SWISH_URL = "https://cpc.getswish.net/swish-cpcapi"
STRIPE_URL = "https://api.stripe.com"
PRICE_URL = "https://www.elprisetjustnu.se/api/v1/prices"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of one process."""

    state_folder: Path
    database_url: str | None = None
    host: str = "127.0.0.1"
    ocpp_port: int = 9000
    http_port: int = 8080
    admin_key: str | None = None
    admit_unknown_stations: bool = False
    gateway: str = "gateway"
    batch: int = 512
    max_frame_bytes: int = 262_144
    station_messages_per_s: int = 1_000
    station_bytes_per_s: int = 262_144
    command_limit_s: int = 30
    trusted_proxies: tuple[str, ...] = ()
    time_zone: str = "Europe/Stockholm"
    quirks_file: Path | None = None
    price_zones: tuple[str, ...] = ()
    price_url: str = PRICE_URL
    einvoice_rules_folder: Path | None = None
    swish_url: str = SWISH_URL
    swish_payee: str | None = None
    swish_callback_url: str | None = None
    swish_certificate: str | None = None
    swish_key: str | None = None
    swish_authority: str | None = None
    stripe_url: str = STRIPE_URL
    stripe_key: str | None = None
    stripe_webhook_secret: str | None = None
    smtp_host: str | None = None
    smtp_port: int = 587
    smtp_security: str = "starttls"
    smtp_authority: str | None = None
    smtp_user: str | None = None
    smtp_password: str | None = None
    smtp_from: str | None = None
    public_url: str | None = None
    secure_cookies: bool = False
    clock_text: str | None = None
    parent_pid: int | None = None

    @property
    def clock(self) -> Clock:
        """Business time in this process."""
        return clock_from_text(self.clock_text)

    @property
    def einvoice_rules(self) -> Path:
        """The folder with the official rules of e-invoices."""
        return self.einvoice_rules_folder or self.state_folder / "einvoice-rules"


def quirk_table(settings: Settings) -> QuirkTable:
    """What is known of models: the rows that ship, and the operator's own.

    Raises: ConfigurationError when the file can't be read, or a row in it can't be used.
    """
    if settings.quirks_file is None:
        return known_quirks()
    try:
        return (*known_quirks(), *read_quirks(settings.quirks_file.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, Invalid) as error:
        raise ConfigurationError(f"LADDBOK_QUIRKS={settings.quirks_file}: {error}") from error


def unknown_names(environ: Mapping[str, str]) -> list[str]:
    """Variables that look like settings and are none: misspelled, or of another version."""
    return [name for name in environ if name.startswith("LADDBOK_") and name not in NAMES and name not in _OF_TESTS]


_OF_TESTS = frozenset({"LADDBOK_SHARED_DATA", "LADDBOK_TEST_STATE", "LADDBOK_REWRITE_GOLDEN"})


def read_settings(environ: Mapping[str, str]) -> Settings:
    """The settings that the environment names. Raises: ConfigurationError naming the variable."""
    return Settings(
        state_folder=default_state_folder(environ),
        database_url=environ.get("LADDBOK_DATABASE_URL") or None,
        host=environ.get("LADDBOK_HOST") or "127.0.0.1",
        ocpp_port=_integer(environ, "LADDBOK_OCPP_PORT", 9000, 0, 65_535),
        http_port=_integer(environ, "LADDBOK_HTTP_PORT", 8080, 0, 65_535),
        admin_key=environ.get("LADDBOK_ADMIN_KEY") or None,
        admit_unknown_stations=_yes(environ, "LADDBOK_ADMIT_UNKNOWN_STATIONS"),
        gateway=environ.get("LADDBOK_GATEWAY") or "gateway",
        batch=_integer(environ, "LADDBOK_BATCH", 512, 1, 10_000),
        max_frame_bytes=_integer(environ, "LADDBOK_MAX_FRAME_BYTES", 262_144, 1_024, 64 * 1_048_576),
        station_messages_per_s=_integer(environ, "LADDBOK_STATION_MESSAGES_PER_S", 1_000, 10, 1_000_000),
        station_bytes_per_s=_integer(environ, "LADDBOK_STATION_BYTES_PER_S", 262_144, 1_024, 1_024 * 1_048_576),
        command_limit_s=_integer(environ, "LADDBOK_COMMAND_LIMIT_S", 30, 1, 600),
        trusted_proxies=_listed(environ, "LADDBOK_TRUSTED_PROXIES"),
        time_zone=environ.get("LADDBOK_TIME_ZONE") or "Europe/Stockholm",
        quirks_file=Path(environ["LADDBOK_QUIRKS"]) if environ.get("LADDBOK_QUIRKS") else None,
        price_zones=_zones(environ),
        price_url=_url(environ, "LADDBOK_PRICE_URL", PRICE_URL),
        einvoice_rules_folder=_folder(environ, "LADDBOK_EINVOICE_RULES"),
        swish_url=_url(environ, "LADDBOK_SWISH_URL", SWISH_URL),
        stripe_url=_url(environ, "LADDBOK_STRIPE_URL", STRIPE_URL),
        **_of_providers(environ),
        smtp_port=_integer(environ, "LADDBOK_SMTP_PORT", 587, 1, 65_535),
        **_of_mail(environ),
        public_url=_url(environ, "LADDBOK_PUBLIC_URL", "") if environ.get("LADDBOK_PUBLIC_URL") else None,
        secure_cookies=_yes(environ, "LADDBOK_SECURE_COOKIES"),
        clock_text=environ.get("LADDBOK_CLOCK") or None,
        parent_pid=_integer(environ, "LADDBOK_PARENT", 0, 0, 2**31) or None,
    )


def _of_providers(environ: Mapping[str, str]) -> dict[str, Any]:
    """What goes with a provider of payments, or is not set; half of it is a slip that no payment should find out."""
    found: dict[str, Any] = {name: environ.get(f"LADDBOK_{name.upper()}") or None for name in _PROVIDERS}
    for first, *others in (("swish_payee", "swish_callback_url"), ("stripe_key", "stripe_webhook_secret")):
        for other in others:
            if found[first] and not found[other]:
                raise ConfigurationError(f"LADDBOK_{first.upper()} is set, and LADDBOK_{other.upper()} is not")
    is_secret = (environ.get("LADDBOK_SWISH_URL") or SWISH_URL).startswith("https:")
    if found["swish_payee"] and is_secret and not (found["swish_certificate"] and found["swish_key"]):
        raise ConfigurationError("Swish needs LADDBOK_SWISH_CERTIFICATE and LADDBOK_SWISH_KEY")
    return found


def _of_mail(environ: Mapping[str, str]) -> dict[str, Any]:
    """The mail server; a password never goes over a line that others can read."""
    names = ("host", "user", "password", "from", "authority")
    found: dict[str, Any] = {name: environ.get(f"LADDBOK_SMTP_{name.upper()}") or None for name in names}
    security = environ.get("LADDBOK_SMTP_SECURITY") or "starttls"
    if security not in ("starttls", "tls", "none"):
        raise ConfigurationError(f"LADDBOK_SMTP_SECURITY={security!r} must be starttls, tls or none")
    if file := environ.get("LADDBOK_SMTP_PASSWORD_FILE"):
        try:
            found["password"] = Path(file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"LADDBOK_SMTP_PASSWORD_FILE={file}: {error}") from error
    if found["host"] and not _is_address(found["from"]):
        raise ConfigurationError("LADDBOK_SMTP_FROM must be the address that mails come from, name@host")
    if found["user"] and not found["password"]:
        raise ConfigurationError("LADDBOK_SMTP_USER is set, and LADDBOK_SMTP_PASSWORD is not")
    if found["user"] and security == "none":
        raise ConfigurationError(
            "LADDBOK_SMTP_SECURITY=none would send LADDBOK_SMTP_PASSWORD readably: starttls or tls"
        )
    return {**{f"smtp_{name}": value for name, value in found.items()}, "smtp_security": security}


def _is_address(text: str | None) -> bool:
    name, at, host = (text or "").partition("@")
    return bool(name and at and host) and (text or "").isascii() and not set(text or "") & set(" \t\r\n<>,")


_PROVIDERS = (
    "swish_payee", "swish_callback_url", "swish_certificate", "swish_key", "swish_authority", "stripe_key",
    "stripe_webhook_secret",
)  # fmt: skip


def _listed(environ: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(filter(None, (environ.get(name) or "").replace(" ", "").split(",")))


def _zones(environ: Mapping[str, str]) -> tuple[str, ...]:
    try:
        zones = dict.fromkeys(_listed(environ, "LADDBOK_PRICE_ZONES"))
        return tuple(checked_zone(each, "LADDBOK_PRICE_ZONES") for each in zones)
    except Invalid as error:
        raise ConfigurationError(str(error)) from error


def _url(environ: Mapping[str, str], name: str, default: str) -> str:
    text = environ.get(name) or default
    try:
        parts = urlsplit(text)
        is_url = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        is_url = False
    if not is_url:
        raise ConfigurationError(f"{name}={text!r} must be an address that begins with https:// or http://")
    return text


def _integer(environ: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = environ.get(name) or str(default)
    if not text.isdecimal() or not least <= int(text) <= most:
        raise ConfigurationError(f"{name}={text!r} must be a whole number from {least} to {most}")
    return int(text)


def _folder(environ: Mapping[str, str], name: str) -> Path | None:
    text = environ.get(name)
    return Path(text).expanduser() if text else None


def _yes(environ: Mapping[str, str], name: str) -> bool:
    text = (environ.get(name) or "false").lower()
    if text not in ("true", "false", "1", "0", "yes", "no"):
        raise ConfigurationError(f"{name}={text!r} must be true or false")
    return text in ("true", "1", "yes")
