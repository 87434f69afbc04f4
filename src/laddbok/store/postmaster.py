"""Which server runs on a database folder, and what did a killed one leave behind?

PostgreSQL's own lock file, `postmaster.pid`, names the process, its socket folder and its status. A process id alone
proves nothing: it may be a zombie's, or have been given to another process. So the command line is looked at too.
"""

import os
import re
import shutil
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PORT = 5432
"""Only the name of the socket file: nothing listens on the network."""
SOCKET_FOLDER_PREFIX = "laddbok-"
LAST_WORDS_MAX_BYTES = 8_000
TEXT_MAX_BYTES = 1_000_000


@dataclass(frozen=True)
class Postmaster:
    """What `postmaster.pid` says of a running server. Source: PostgreSQL, src/include/utils/pidfile.h."""

    pid: int
    socket_folder: Path
    status: str


def running_postmaster(database: Path) -> Postmaster | None:
    """The server that runs on this database folder, if one does."""
    try:
        lines = (database / "postmaster.pid").read_text().splitlines()
        status = lines[7].strip() if len(lines) > 7 else "starting"
        postmaster = Postmaster(int(lines[0]), Path(lines[4]), status)
    except (OSError, ValueError, IndexError):
        return None
    return postmaster if is_postmaster(postmaster.pid, database) else None


def is_postmaster(pid: int, database: Path) -> bool:
    """Whether this process is the server of this folder: not a zombie, nor another that was given the same id."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        return os.fsencode(database) in words and b"postgres" in words[0]
    except OSError:
        if Path("/proc/self").exists():
            return False
    listed = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, check=False)
    return b"postgres -D " + os.fsencode(database) in listed.stdout


def children(pid: int) -> list[int]:
    """The process ids of the present children of a process, ascending."""
    pairs = []
    if Path("/proc/self").exists():
        for entry in Path("/proc").glob("[0-9]*/stat"):
            with suppress(OSError):  # it ended meanwhile
                pairs.append((int(entry.parent.name), int(entry.read_text().rpartition(")")[2].split()[1])))
    else:
        listed = subprocess.run(["ps", "-A", "-o", "pid=,ppid="], capture_output=True, text=True, check=True)
        pairs = [(int(child), int(parent)) for child, parent in map(str.split, listed.stdout.splitlines())]
    return sorted(child for child, parent in pairs if parent == pid)


def disarm_leftovers(database: Path, account_uid: int) -> Path | None:
    """Make what a killed server left harmless; the caller knows that it runs no more.

    PostgreSQL takes the process id in its lock file for a living server when that id is a zombie's or was given to
    another process, but not when it is its own parent's: so ours goes there. The file must stay, since by its shared
    memory block PostgreSQL sees whether children of the killed server still write.

    Source: PostgreSQL, src/backend/utils/init/miscinit.c, CreateLockFile.

    Returns: the socket folder that was in use, if it is still there and private to the account.
    """
    lock_file = database / "postmaster.pid"
    try:
        lines = lock_file.read_text().splitlines()
        if not lines:
            lock_file.unlink()
            return None
        lock_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
        socket_folder = Path(lines[4])
        found = socket_folder.lstat()
    except (OSError, IndexError):
        return None
    is_private = (found.st_uid, found.st_mode) == (account_uid, stat.S_IFDIR | 0o700)
    if not is_private or not socket_folder.name.startswith(SOCKET_FOLDER_PREFIX):
        return None
    for name in (f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock"):
        (socket_folder / name).unlink(missing_ok=True)
    return socket_folder


def remove_socket_folder(folder: Path) -> None:
    """Remove a folder that we made for the socket; never one that we did not."""
    if folder.name.startswith(SOCKET_FOLDER_PREFIX):
        shutil.rmtree(folder, ignore_errors=True)


def last_line(log: Path) -> str:
    """What the server's log says last about what is wrong."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - LAST_WORDS_MAX_BYTES))
            return reason(file.read().decode(errors="replace"))
    except OSError:
        return f"there is no {log.name}"


def text_after(log: Path, before_bytes: int) -> str:
    """What the server's log says after its first so many bytes; of very much only the beginning."""
    with log.open("rb") as file:
        file.seek(before_bytes)
        return file.read(TEXT_MAX_BYTES).decode(errors="replace")


def reason(text: str) -> str:
    """The last line in which PostgreSQL says what is wrong, else simply the last line."""
    lines = [line for line in text.splitlines() if line.strip()]
    failures = [line for line in lines if re.search(r"\b(FATAL|PANIC|ERROR|error):", line)]
    return re.sub(r"^.*?\b(FATAL|PANIC|ERROR|error):\s*", "", (failures or lines or ["it said nothing"])[-1])
