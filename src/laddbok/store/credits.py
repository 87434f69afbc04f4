"""What is left of a final document, and how is it credited once and never too much?

The series of credit notes is held while what is left is read and taken, so two people who credit the same document at the same
moment come one after the other, and the second sees what the first took.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import asyncpg
import msgspec
from msgspec.structs import replace

from laddbok.billing.credit import Credits, check_credit
from laddbok.model.errors import Conflict
from laddbok.model.invoice import Invoice
from laddbok.store.sql import query

_invoice = msgspec.json.Decoder(Invoice)


async def with_credits(
    connection: asyncpg.Connection, tenant: int, seller_id: str, numbers: Iterable[str]
) -> dict[str, Credits]:
    """Final documents by number, each with the credit notes to it, and the later invoices that take back from it."""
    wanted = list(numbers)
    documents: dict[str, Invoice] = {}
    notes, later = defaultdict[str, list[Invoice]](list), defaultdict[str, list[Invoice]](list)
    for row in await connection.fetch(query("invoices_with_credits"), tenant, seller_id, wanted):
        document = _invoice.decode(row["content"])
        if row["of"] is None:
            documents[row["number_text"]] = document
        else:
            notes[row["of"]].append(document)
    for row in await connection.fetch(query("invoices_taking_back"), tenant, seller_id, wanted):
        later[row["of"]].append(_invoice.decode(row["content"]))
    return {
        number: Credits(document=document, notes=tuple(notes[number]), later=tuple(later[number]))
        for number, document in documents.items()
    }


async def check_left(
    connection: asyncpg.Connection, tenant: int, seller_id: str, notes: Sequence[Invoice], rests_on: Mapping[str, int]
) -> None:
    """Whether credit notes may be final. Call it with their series held.

    Args: rests_on, how many credit notes there were to documents, by number, when something that takes back from them was planned.
    Raises: Invalid when one of these credit notes takes back more than is left; Conflict when a document was credited meanwhile.
    """
    numbers = {note.refers_to.number for note in notes if note.refers_to}
    found = await with_credits(connection, tenant, seller_id, numbers | rests_on.keys())
    for number, count in rests_on.items():
        if len(found[number].notes) != count:
            raise Conflict(f"{number} was credited meanwhile; start it again, and what is left is billed")
    for note in notes:
        if note.refers_to is not None and note.refers_to.number in found:
            known = found[note.refers_to.number]
            check_credit(known.document, known.notes, note)
            found[note.refers_to.number] = replace(known, notes=(*known.notes, note))
