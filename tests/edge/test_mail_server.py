"""What does the wire to the mail server do with what is no mail, and with a server that refuses, and is it set up?"""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace

from laddbok.billing.mail_text import MailText
from laddbok.flow.mail import Attachment, Mail, MailDown, MailRefused
from laddbok.model.errors import ConfigurationError
from laddbok.settings import read_settings
from laddbok.verbs import doctor
from laddbok.wires.mail import SmtpServer, SmtpSettings, message_of
from tests.edge.smtp_server import FROM, own_certificate, settings_of, smtp_server

MAIL = Mail(
    key="k" * 32, to="åsa@example.com", sender="Brf Eken\r\nBcc: all@example.com", reply_to=None,
    text=MailText("Faktura 1 från Örnen", "Å ä ö\n.\nSlut\n"), attachments=(Attachment("1.pdf", "application/pdf", b"%PDF"),),
)  # fmt: skip


def sent(settings: SmtpSettings, mail: Mail) -> str:
    return asyncio.run(SmtpServer(settings).send(mail))


def test_it_goes_over_tls_with_a_password_or_not_at_all(tmp_path: Path) -> None:
    mail = replace(MAIL, to="kund@example.com")
    context, certificate = own_certificate(tmp_path)
    with smtp_server(context, ("laddbok", "hemligt")) as server:
        right = settings_of(server, security="starttls", user="laddbok", password="hemligt", authority=str(certificate))
        assert sent(right, mail) == f"<{'k' * 32}@laddning.example>"
        assert server.was_secret == [True]
        _, message = server.mails[0]
        assert message["Bcc"] is None
        body = message.get_body()
        assert body is not None
        assert body.get_content().splitlines() == ["Å ä ö", ".", "Slut"]
        for wrong in ({"password": "fel"}, {"authority": None}, {"authority": str(tmp_path / "none.pem")}):
            with pytest.raises(MailDown):
                sent(settings_of(server, **{"security": "starttls", "user": "laddbok", "password": "hemligt",
                                            "authority": str(certificate), **wrong}), mail)  # fmt: skip
        assert len(server.mails) == 1
    with smtp_server() as plain, pytest.raises(MailDown):
        sent(settings_of(plain, security="starttls"), mail)


@pytest.mark.parametrize("to", ["a@example.com\r\nRCPT TO:<b@example.com>", "åsa@example.com"])
def test_an_address_that_the_server_can_not_be_told_is_refused_for_good(to: str) -> None:
    with smtp_server() as server:
        with pytest.raises(MailRefused) as caught:
            sent(settings_of(server), replace(MAIL, to=to))
        assert caught.value.is_final
        assert server.mails == []


@pytest.mark.parametrize(
    "to", ["a@[1.2.3.4", "a@b.example, c@d.example", "a@,b.:x<", "a@,b:c]<", "a@:b.,(<x]=).'<+", "a@b..example"]
)
def test_what_is_no_address_though_it_has_an_at_sign_is_refused_and_stops_nobody_else(to: str) -> None:
    """Python's parser of addresses raises AttributeError and TypeError at some of them, which ended the process of the workers."""
    with pytest.raises(MailRefused, match="addressed") as caught:
        message_of(replace(MAIL, to=to), FROM)
    assert caught.value.is_final


def test_a_name_that_hides_a_line_break_begins_no_header() -> None:
    hidden = replace(
        MAIL, to="kund@example.com", text=MailText("Faktura 1 =?utf-8?q?=0d=0aBcc:_all=40example.com?=", "")
    )
    with pytest.raises(MailRefused, match="line break"):
        message_of(hidden, FROM)
    assert message_of(replace(MAIL, to="kund@example.com"), FROM)["Subject"] == "Faktura 1 från Örnen"


@pytest.mark.parametrize(
    ("said", "raised"), [("550 not yours", MailDown), ("451 later", MailDown), ("552 too long", MailRefused)]
)
def test_a_server_that_takes_nothing_from_our_address_costs_no_document_a_try(
    said: str, raised: type[Exception]
) -> None:
    with smtp_server() as server:
        server.takes_from = said
        with pytest.raises(raised, match=said):
            sent(settings_of(server), replace(MAIL, to="kund@example.com"))
        assert server.mails == []


def test_a_mail_that_is_too_long_is_not_tried() -> None:
    long = replace(MAIL, attachments=(Attachment("1.pdf", "application/pdf", bytes(20 * 1_048_576)),))
    with pytest.raises(MailRefused, match="longer than"):
        sent(SmtpSettings(host="127.0.0.1", port=1, security="none", sender=FROM), long)


@pytest.mark.parametrize(
    ("more", "name"),
    [
        ({"LADDBOK_SMTP_FROM": ""}, "LADDBOK_SMTP_FROM"),
        ({"LADDBOK_SMTP_SECURITY": "ssl"}, "LADDBOK_SMTP_SECURITY"),
        ({"LADDBOK_SMTP_USER": "a"}, "LADDBOK_SMTP_PASSWORD"),
        ({"LADDBOK_SMTP_USER": "a", "LADDBOK_SMTP_PASSWORD": "b", "LADDBOK_SMTP_SECURITY": "none"}, "LADDBOK_SMTP_SECURITY"),
        ({"LADDBOK_SMTP_PASSWORD_FILE": "/nowhere/at/all"}, "LADDBOK_SMTP_PASSWORD_FILE"),
        ({"LADDBOK_PUBLIC_URL": "laddning.example"}, "LADDBOK_PUBLIC_URL"),
    ],
)  # fmt: skip
def test_half_of_the_settings_is_refused_by_name(more: dict[str, str], name: str) -> None:
    with pytest.raises(ConfigurationError, match=name):
        read_settings({"LADDBOK_SMTP_HOST": "mail.example", "LADDBOK_SMTP_FROM": FROM, **more})


def test_the_doctor_knocks_at_the_mail_server(tmp_path: Path) -> None:
    def told(**more: str) -> tuple[bool, str]:
        settings = read_settings({"LADDBOK_DATA": str(tmp_path), **more})
        found = asyncio.run(doctor.mail_server(settings))
        return found["ok"], found["detail"]

    with smtp_server() as server:
        at = {"LADDBOK_SMTP_HOST": "127.0.0.1", "LADDBOK_SMTP_FROM": FROM, "LADDBOK_SMTP_PORT": str(server.port)}
        assert told(**at, LADDBOK_SMTP_SECURITY="none") == (True, f"127.0.0.1:{server.port} lets us in")
        is_in, why = told(**at)
        assert not is_in and "STARTTLS" in why
        assert server.mails == []
    assert not told(**at, LADDBOK_SMTP_SECURITY="none")[0]
    assert told()[0]


def test_a_password_may_stand_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hemligt\n", encoding="utf-8")
    settings = read_settings({
        "LADDBOK_SMTP_HOST": "mail.example", "LADDBOK_SMTP_FROM": FROM, "LADDBOK_SMTP_USER": "laddbok",
        "LADDBOK_SMTP_PASSWORD_FILE": str(tmp_path / "password"),
    })  # fmt: skip
    assert (settings.smtp_password, settings.smtp_port, settings.smtp_security) == ("hemligt", 587, "starttls")
