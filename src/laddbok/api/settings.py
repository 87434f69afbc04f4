"""How is the API set up?

Few things, each with a reason to differ between deployments; everything else is a named constant where it is used.
"""

from dataclasses import dataclass, field
from pathlib import Path

from laddbok.sessions.quirks import QuirkTable, known_quirks

CONSOLE_FOLDER = Path(__file__).parent.parent / "console"


@dataclass(frozen=True)
class ApiSettings:
    """The settings of one API process.

    `secure_cookies`: the console is reached over TLS, so that browsers must never send the cookie without it.
    `quirks`: what is known of models, to be shown with their stations. `mails`: there is a mail server.
    """

    version: str = "0"
    console_folder: Path = CONSOLE_FOLDER
    secure_cookies: bool = False
    command_time_limit_s: float = 30.0
    max_event_streams: int = 200
    live_interval_s: float = 2.0
    heartbeat_s: float = 15.0
    quirks: QuirkTable = field(default_factory=known_quirks)
    mails: bool = False
