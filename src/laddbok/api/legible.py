"""Can this request be read, and could what it says be kept?

Before a handler runs, three things are refused with the field named: a body that is not UTF-8 or nests without end, a
NUL in any text (the database can't hold one), and an id with a slash (no path would lead to it afterwards).

>>> nul_in({"a": [{"b": "x"}, {"b": "y" + chr(0)}]})
'a[1].b'
"""

from itertools import pairwise
from typing import Any

import msgspec
from litestar import Request

from laddbok.model.errors import Invalid

MANY_BRACKETS = 100
"""A body with fewer can't nest deeply enough for trouble, and is not looked through."""
SPARE_DEPTH = 500
"""What is left of the decoder's depth for those who look into the body later."""
_KEPT_BY_ID = {
    "contracts": "contract_id", "id-tokens": "token", "legal-entities": "entity_id", "payers": "payer_id",
    "sites": "site_id",
}  # fmt: skip
"""Where a PUT makes what its path names, and what the path calls that."""


async def refuse_illegible(request: Request[Any, Any, Any]) -> None:
    """Refuse a request that nothing good can come of. Raises: Invalid, with the field."""
    refuse_slash(request)
    for name, value in [*request.path_params.items(), *request.query_params.multi_items()]:
        if "\0" in str(value):
            raise Invalid(name, "holds a NUL character")
    if request.method != "GET":
        check_body(await request.body())


def refuse_slash(request: Request[Any, Any, Any]) -> None:
    """Refuse to make anything under an id with a slash in it. Raises: Invalid."""
    if request.method != "PUT":
        return
    segments = bytes(request.scope.get("raw_path") or b"").decode("latin-1").lower().split("/")
    for collection, segment in pairwise(segments):
        if "%2f" in segment and collection in _KEPT_BY_ID:
            raise Invalid(_KEPT_BY_ID[collection], "can't hold a slash")


def check_body(body: bytes) -> None:
    """Refuse a body that can't be read or kept. What else is wrong with it the typed decoders tell.

    Raises: Invalid.
    """
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise Invalid("body", f"is not UTF-8 (byte {error.start})") from error
    try:
        if body.count(b"[") + body.count(b"{") > MANY_BRACKETS:
            msgspec.json.decode(b"[" * SPARE_DEPTH + body + b"]" * SPARE_DEPTH)
        where = nul_in(msgspec.json.decode(body)) if b"\\u0000" in body else None
    except RecursionError as error:
        raise Invalid("body", "is nested too deeply") from error
    except msgspec.DecodeError:
        return
    if where is not None:
        raise Invalid(where or "body", "holds a NUL character")


def nul_in(value: object, path: str = "") -> str | None:
    """The path of the first text in decoded JSON that holds a NUL; a key that does is told by its object's path."""
    if isinstance(value, str):
        return path if "\0" in value else None
    if isinstance(value, dict):
        parts = [(f"{path}.{key}".lstrip("."), inner) for key, inner in value.items()]
        if any("\0" in key for key in value):
            return path
    else:
        parts = [(f"{path}[{number}]", inner) for number, inner in enumerate(value)] if isinstance(value, list) else []
    return next((found for where, inner in parts if (found := nul_in(inner, where)) is not None), None)
