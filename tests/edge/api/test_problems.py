"""Is trouble told by name, and nothing of our inside with it?"""

import asyncpg
import pytest

from laddbok.api.problems import TooMany, misfit, problem_of
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.store.people import TooManyHashes


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (Invalid("a.b", "is missing"), 422),
        (NotFound("session", "X"), 404),
        (Conflict("is not connected"), 409),
        (TooMany("slowly", 7), 429),
        (ConnectionRefusedError(), 503),
        (FileNotFoundError(), 503),
        (TimeoutError(), 503),
        (asyncpg.ConnectionDoesNotExistError("gone"), 503),
        (asyncpg.CannotConnectNowError("starting up"), 503),
        (asyncpg.InterfaceError("pool is closing"), 503),
        (asyncpg.CharacterNotInRepertoireError("NUL"), 422),
        (asyncpg.StatementTooComplexError("stack depth limit exceeded"), 422),
        (TooManyHashes("too many log-ins at once"), 429),
        (asyncpg.UndefinedColumnError("secret_column"), 500),
        (ValueError("secret"), 500),
    ],
)
def test_each_kind_of_trouble_has_its_status(error: Exception, status: int) -> None:
    problem, headers = problem_of(error)
    assert problem.status == status
    assert "secret" not in problem.detail
    assert ("Retry-After" in headers) == (status in (429, 503))


@pytest.mark.parametrize(
    ("message", "field"),
    [
        ("Expected `str`, got `int` - at `$.evses[0].connectors[1].standard`", "evses[0].connectors[1].standard"),
        ("Object missing required field `name`", "name"),
        ("Object missing required field `evse_id` - at `$.evses[0]`", "evses[0].evse_id"),
        ("Expected `object`, got `array`", "body"),
    ],
)
def test_a_misfit_names_its_field(message: str, field: str) -> None:
    assert misfit(message).field == field
