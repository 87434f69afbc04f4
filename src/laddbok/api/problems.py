"""What is an asker told when something can't be done?

A problem+json document: what kind of trouble (`title`, `status`), this case of it (`detail`), and the field of the
request that it lies in, when it lies in one. Trouble that nobody expected says nothing of our inside; that goes to the
log.
"""

import logging
import re
from typing import Any

import asyncpg
import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException, NotFoundException, ValidationException

from laddbok.api.legible import refuse_slash
from laddbok.model.errors import Invalid, LaddbokError, NotFound
from laddbok.store.people import TooManyHashes

MEDIA_TYPE = "application/problem+json"
DATABASE_RETRY_S = 5
HASH_RETRY_S = 5

_log = logging.getLogger(__name__)
_AT_FIELD = re.compile(r"^(?P<reason>.*?) - at `\$\.?(?P<field>[^`]*)`$", re.DOTALL)
_NAMED = re.compile(r"^Object (?:missing required|contains unknown) field `(?P<field>[^`]*)`")
_FOREIGN_KEY = re.compile(r"^(?:tenant_)?(?P<field>\w+)_fkey$")
_OUTSIDE = {"in_state": "state", "from_at": "from", "to_at": "to", "idempotency_key": "Idempotency-Key"}
"""Names of parameters that are words of Python or of the framework."""

_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.CannotConnectNowError,
    asyncpg.TooManyConnectionsError,
    asyncpg.QueryCanceledError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    ConnectionError,
    FileNotFoundError,  # the server's socket
    TimeoutError,
)


class Problem(msgspec.Struct, omit_defaults=True):
    """A problem document. Source: RFC 9457; `field` and `command_id` are ours."""

    title: str
    status: int
    detail: str
    type: str = "about:blank"
    field: str | None = None
    command_id: str | None = None


class TooMany(LaddbokError):
    """Asked too often; again after `retry_s` seconds."""

    def __init__(self, reason: str, retry_s: int) -> None:
        super().__init__(reason)
        self.retry_s = retry_s


class NotAllowed(LaddbokError):
    """The asker is known, and may not do this."""


class NotKnown(LaddbokError):
    """The asker has shown no key or cookie that is valid."""


class NoAnswer(LaddbokError):
    """A station did not answer a command in time."""

    def __init__(self, reason: str, command_id: str) -> None:
        super().__init__(reason)
        self.command_id = command_id


def problem_of(error: Exception) -> tuple[Problem, dict[str, str]]:
    """The document that tells of an error, and headers to go with it."""
    match error:
        case NotKnown():
            return Problem("Not logged in", 401, str(error)), {"WWW-Authenticate": "Bearer"}
        case TooMany():
            return Problem("Too many requests", 429, str(error)), {"Retry-After": str(error.retry_s)}
        case TooManyHashes():
            return Problem("Too many requests", 429, str(error)), {"Retry-After": str(HASH_RETRY_S)}
        case LaddbokError():
            return _problem_of_ours(error), {}
        case asyncpg.ForeignKeyViolationError() | asyncpg.UniqueViolationError() | asyncpg.CheckViolationError():
            return _problem_of_constraint(error), {}
        case asyncpg.StatementTooComplexError():
            return Problem("Invalid", 422, "is nested too deeply", field="body"), {}
        case asyncpg.DataError():
            return Problem("Invalid", 422, "the database can't store this value"), {}
        case ValidationException():
            return _problem_of_validation(error), {}
        case HTTPException():
            return _problem_of_http(error), dict(error.headers or {})
        case _ if isinstance(error, _GONE):
            _log.warning("the database did not answer: %s", error)
            problem = Problem("Database not available", 503, "the database does not answer at the moment")
            return problem, {"Retry-After": str(DATABASE_RETRY_S)}
    _log.error("a request failed", exc_info=error)
    return Problem("Internal error", 500, "something unexpected happened; it is in the log"), {}


def _problem_of_ours(error: LaddbokError) -> Problem:
    match error:
        case Invalid():
            return Problem("Invalid", 422, error.reason, field=error.field)
        case NotFound():
            return Problem("Not found", 404, str(error))
        case NoAnswer():
            return Problem("No answer", 504, str(error), command_id=error.command_id)
        case NotAllowed():
            return Problem("Not allowed", 403, str(error))
        case _:
            return Problem("Conflict", 409, str(error))


def answer_problem(request: Request[Any, Any, Any], error: Exception) -> Response[Problem]:
    """The response that tells of an error."""
    problem, headers = problem_of(_no_path(request, error) if isinstance(error, NotFoundException) else error)
    headers |= {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(problem, status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


def misfit(message: str) -> Invalid:
    """What a typed decoder complains about, with the field named."""
    if found := _AT_FIELD.match(message):
        named = _NAMED.match(found["reason"])
        return Invalid(f"{found['field']}.{named['field']}".strip(".") if named else found["field"], found["reason"])
    if named := _NAMED.match(message):
        return Invalid(named["field"], message)
    return Invalid("body", message)


def _no_path(request: Request[Any, Any, Any], error: Exception) -> Exception:
    """Why no path fits: a slash inside an id looks like one more step of the path."""
    try:
        refuse_slash(request)
    except Invalid as invalid:
        return invalid
    return error


def _cause_of(error: HTTPException) -> Invalid:
    return misfit(str(error.__cause__ or error.detail))


def _problem_of_http(error: HTTPException) -> Problem:
    if error.status_code == 400:
        # The framework raises this for a body that its decoder refused; the cause names the field.
        cause = _cause_of(error)
        return Problem("Invalid", 422, cause.reason, field=cause.field)
    return Problem(
        {404: "Not found", 405: "Not allowed"}.get(error.status_code, "Refused"), error.status_code, error.detail
    )


def _problem_of_validation(error: ValidationException) -> Problem:
    details = [entry for entry in (error.extra if isinstance(error.extra, list) else []) if isinstance(entry, dict)]
    if not details:
        cause = _cause_of(error)
        return Problem("Invalid", 422, cause.reason, field=cause.field)
    first = details[0]
    if first.get("message") == "'data'":  # the framework's parameter for the body, looked for in vain
        return Problem("Invalid", 422, "is missing", field="body")
    cause = misfit(str(first.get("message", error.detail)))
    key = str(first.get("key") or "").removeprefix("data").lstrip(".")
    return Problem("Invalid", 422, cause.reason, field=_OUTSIDE.get(key, key) or cause.field)


def _problem_of_constraint(error: asyncpg.PostgresError) -> Problem:
    # The database hides the key under row-level security; the constraint's name tells the column.
    name = (error.constraint_name or "").removeprefix(f"{error.table_name}_")
    found = _FOREIGN_KEY.match(name)
    field = found["field"] if found else name
    if isinstance(error, asyncpg.ForeignKeyViolationError):
        return Problem("Invalid", 422, "names something that does not exist", field=field)
    if isinstance(error, asyncpg.UniqueViolationError):
        return Problem("Conflict", 409, "is taken already", field=field)
    return Problem("Invalid", 422, "is not allowed", field=error.constraint_name)
