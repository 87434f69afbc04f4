"""Where does one installation keep its state, and who is using it now?

The state folder holds the embedded database and what else must survive a restart. Every process of ours holds the
folder while it uses the database: a shared lock on the file `holders.lock`. Whoever lets go and finds that nobody else
holds it is the last one, and stops the server. The kernel drops the lock of a killed process, so the count is never
wrong. Starting and stopping are done one process at a time, under an exclusive lock on `starting.lock`.

>>> from pathlib import Path
>>> str(default_state_folder({"LADDBOK_DATA": "/srv/laddbok"}))
'/srv/laddbok'
>>> str(default_state_folder({"XDG_STATE_HOME": "/srv/state"}, is_root=False))
'/srv/state/laddbok'
"""

import errno
import fcntl
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from laddbok.model.errors import ConfigurationError

LOCK_TIMEOUT_S = 330.0
"""Longest wait for another process that starts or stops the server (more than either may take)."""
LOCK_POLL_S = 0.02


def default_state_folder(environ: Mapping[str, str], is_root: bool | None = None) -> Path:
    """The state folder that the environment names, else the customary one.

    Args: environ: the environment variables. is_root: whether we run as root (None: ask the system).
    Returns: `LADDBOK_DATA`, else as root /var/lib/laddbok, else laddbok in $XDG_STATE_HOME or ~/.local/state.
    Source: our choice; XDG Base Directory Specification 0.8.
    """
    if named := environ.get("LADDBOK_DATA"):
        return Path(named).expanduser()
    if os.geteuid() == 0 if is_root is None else is_root:
        return Path("/var/lib/laddbok")
    if state_home := environ.get("XDG_STATE_HOME"):
        return Path(state_home) / "laddbok"
    return Path("~/.local/state/laddbok").expanduser()


def open_state_folder(folder: Path) -> Path:
    """Make the state folder if it is missing, and check that we can write in it.

    A new one is private (0700). As root others may pass through it (0711), because the database runs as another user.
    Returns: its absolute path, without links.
    Raises: ConfigurationError when it can't be made, or not be written.
    Source: our choice.
    """
    with _named_trouble(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        if os.geteuid() == 0:
            folder.chmod(folder.stat().st_mode | 0o011)
        (folder / "holders.lock").touch(mode=0o600)
        (folder / "starting.lock").touch(mode=0o600)
        return folder.resolve()


class Hold:
    """A process's hold on a state folder, from construction until `drop()`.

    Raises: ConfigurationError when the lock file can't be opened.
    Source: our choice, design "embedded database".
    """

    def __init__(self, folder: Path) -> None:
        with _named_trouble(folder):
            self._lock_fd = os.open(folder / "holders.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # Nobody keeps this lock exclusively for longer than `starting.lock`, which the caller holds.
        fcntl.flock(self._lock_fd, fcntl.LOCK_SH)

    def is_last(self) -> bool:
        """Whether nobody else holds the folder. Call it under `one_at_a_time` only, then nobody new can come."""
        return _try_lock(self._lock_fd, fcntl.LOCK_EX)

    def drop(self) -> None:
        """Let go of the folder."""
        os.close(self._lock_fd)


@contextmanager
def one_at_a_time(folder: Path) -> Iterator[None]:
    """Keep every other process from starting or stopping the server of this folder meanwhile.

    Raises: ConfigurationError when another process keeps it for more than LOCK_TIMEOUT_S.
    Source: our choice.
    """
    with _named_trouble(folder):
        lock_fd = os.open(folder / "starting.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        give_up_at_s = time.monotonic() + LOCK_TIMEOUT_S
        while not _try_lock(lock_fd, fcntl.LOCK_EX):
            if time.monotonic() > give_up_at_s:
                raise ConfigurationError(
                    f"state folder {folder}: another process has been starting or stopping "
                    f"its database for {LOCK_TIMEOUT_S:.0f} s"
                )
            time.sleep(LOCK_POLL_S)
        yield
    finally:
        os.close(lock_fd)


def _try_lock(lock_fd: int, kind: int) -> bool:
    try:
        fcntl.flock(lock_fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _named_trouble(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ConfigurationError(f"state folder {folder}: no space left") from error
        raise ConfigurationError(f"state folder {folder} can't be used: {error.strerror}") from error
