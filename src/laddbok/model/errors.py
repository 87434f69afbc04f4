"""What can go wrong, by name?

Expected trouble carries the id of what it concerns, so that a person can act on the one line they see. Broken
invariants are asserts instead: they park one session or one connection, never the platform.
"""


class LaddbokError(Exception):
    """Any trouble that the platform expects and can name. `str(error)` is one clear line for a person."""


class ConfigurationError(LaddbokError):
    """The platform can't start as it is set up: a port is taken, a folder unreadable, a database too old."""


class NotFound(LaddbokError):
    """Nothing has this id, or nothing that the asker may see."""

    def __init__(self, kind: str, key: str) -> None:
        super().__init__(f"no {kind} {key!r}")
        self.kind = kind
        self.key = key


class Invalid(LaddbokError):
    """A value from outside can't be used. `field` is its path in what was sent (`elements[0].price_components`)."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class Conflict(LaddbokError):
    """What was asked contradicts what is: a stale version, a used key, a station that is not connected."""
