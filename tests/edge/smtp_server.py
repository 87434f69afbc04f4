"""A mail server on a real socket that behaves as badly as a test tells it to.

It speaks SMTP with STARTTLS and AUTH PLAIN as far as a mail needs them, keeps what it took, refuses whom it is told to, and can hang
up after a mail without saying that it took it.
"""

import socketserver
import ssl
import threading
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from laddbok.wires.mail import SmtpSettings

FROM = "faktura@laddning.example"


@dataclass
class FakeSmtp:
    """Where it listens, what it took, and how it misbehaves."""

    port: int = 0
    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    """To whom, and the mail."""
    refuses: dict[str, str] = field(default_factory=dict)
    """What it says to a recipient, by address: "550 no such user"."""
    takes_from: str = "250 ok"
    """What it says to our own address."""
    hangs_up_after: int = 0
    """So many mails are taken, and the connection is cut before that is said."""
    login: tuple[str, str] | None = None
    """Who may send; None: anybody."""
    was_secret: list[bool] = field(default_factory=list)
    """Of each mail, whether it came over TLS."""
    tls: ssl.SSLContext | None = None


def settings_of(server: FakeSmtp, **more: Any) -> SmtpSettings:
    """How the server is reached."""
    return SmtpSettings(**{"host": "127.0.0.1", "port": server.port, "security": "none", "sender": FROM, **more})


@contextmanager
def smtp_server(tls: ssl.SSLContext | None = None, login: tuple[str, str] | None = None) -> Iterator[FakeSmtp]:
    """A server on a free port, until the end of the block."""
    told = FakeSmtp(tls=tls, login=login)

    class Talk(_Talk):
        fake = told

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Talk) as server:
        server.daemon_threads = True
        told.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield told
        finally:
            server.shutdown()
            thread.join()


class _Talk(socketserver.StreamRequestHandler):
    fake: FakeSmtp

    def handle(self) -> None:
        self.is_secret, self.who, self.to = False, self.fake.login is None, ""
        self.say("220 fake ESMTP")
        while line := self.rfile.readline(2_000).decode().strip():
            verb = line.partition(" ")[0].upper()
            answer = getattr(self, f"on_{verb.lower()}", None)
            if answer is None:
                self.say("250 ok")
            elif answer(line) is False:
                return

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def on_ehlo(self, line: str) -> None:
        offers = ["fake"]
        if self.fake.tls and not self.is_secret:
            offers.append("STARTTLS")
        if self.fake.login:
            offers.append("AUTH PLAIN")
        for each in offers[:-1]:
            self.say(f"250-{each}")
        self.say(f"250 {offers[-1]}")

    def on_starttls(self, line: str) -> bool:
        assert self.fake.tls is not None
        self.say("220 go on")
        try:
            self.connection = self.fake.tls.wrap_socket(self.request, server_side=True)
        except (ssl.SSLError, OSError):
            return False
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)  # type: ignore[assignment]
        self.is_secret = True
        return True

    def on_auth(self, line: str) -> None:
        _, user, password = b64decode(line.split()[2]).decode().split("\0")
        self.who = (user, password) == self.fake.login
        self.say("235 welcome" if self.who else "535 who are you")

    def on_mail(self, line: str) -> None:
        self.say(self.fake.takes_from if self.who else "530 log in first")

    def on_rcpt(self, line: str) -> None:
        self.to = line.partition("<")[2].partition(">")[0]
        self.say(self.fake.refuses.get(self.to, "250 ok"))

    def on_data(self, line: str) -> bool:
        self.say("354 go on")
        lines = []
        while (line_read := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line_read.removeprefix(b"."))
        message = message_from_bytes(b"".join(lines), policy=default)
        assert isinstance(message, EmailMessage)
        self.fake.mails.append((self.to, message))
        self.fake.was_secret.append(self.is_secret)
        if self.fake.hangs_up_after:
            self.fake.hangs_up_after -= 1
            return False
        self.say("250 taken")
        return True

    def on_quit(self, line: str) -> bool:
        self.say("221 bye")
        return False


def own_certificate(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """TLS for a server at 127.0.0.1, and the file with the certificate by which it is known."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "fake mail server")])
    begins = datetime.now(UTC) - timedelta(days=1)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), begins, begins + timedelta(days=3)
    )
    named = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = builder.add_extension(named, critical=False).sign(key, hashes.SHA256())
    certificate, secret = folder / "mail.pem", folder / "mail.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, secret)
    return context, certificate
