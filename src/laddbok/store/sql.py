"""Where is the SQL that people read with?

In `queries/*.sql`, by name and with one line of purpose each; code says only the name. All files are read once, at
import, so a missing query is found at the start and not by the first person who asks.

>>> parse("-- name: site_list\\n-- The sites of a tenant.\\nSELECT id FROM site")
{'site_list': '-- The sites of a tenant.\\nSELECT id FROM site'}
"""

import re
from pathlib import Path

QUERY_FOLDER = Path(__file__).parent / "queries"

_NAME = re.compile(r"^-- name: *([a-z0-9_]+) *$", re.MULTILINE)


def parse(text: str) -> dict[str, str]:
    """The named queries of one file, in its order.

    Args: text: blocks that each begin with a line `-- name: NAME`, then a line `-- purpose`, then one statement.
    Raises: ValueError when a query has no purpose or two have one name.
    Source: our choice, house style "every query has a name and one line of purpose".
    """
    parts = _NAME.split(text)[1:]
    queries: dict[str, str] = {}
    for name, body in zip(parts[::2], parts[1::2], strict=True):
        statement = body.strip()
        if name in queries or not statement.startswith("-- "):
            raise ValueError(f"query {name!r} is named twice or does not say its purpose")
        queries[name] = statement
    return queries


def _load(folder: Path) -> dict[str, str]:
    queries: dict[str, str] = {}
    for path in sorted(folder.glob("*.sql")):
        for name, statement in parse(path.read_text(encoding="utf-8")).items():
            if name in queries:
                raise ValueError(f"{path.name}: query {name!r} is named twice")
            queries[name] = statement
    return queries


QUERIES = _load(QUERY_FOLDER)


def query(name: str) -> str:
    """The statement of this name.

    Raises: KeyError when no file has it.
    """
    return QUERIES[name]
