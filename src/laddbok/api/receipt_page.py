"""What does a customer see of an invoice without a log-in, and how do they say that they don't agree?

A page behind a signed link, one per document; nothing else can be reached from it. Looking and writing are limited per
document and per address, wrong links per address.
"""

from time import monotonic
from typing import Any

import msgspec
from litestar import Request, Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath

from laddbok.api.attempts import Attempts
from laddbok.api.console_files import HEADERS
from laddbok.api.disputes import CUSTOMER, NewDispute, disputes, opened
from laddbok.api.invoices import rendering
from laddbok.api.parts import parts_of
from laddbok.api.problems import TooMany
from laddbok.api.receipt_html import WORDS, page, receipt_page
from laddbok.billing.receipt_token import SIGNATURE_CHARS
from laddbok.model.errors import Conflict, Invalid, NotFound
from laddbok.model.invoice import Invoice
from laddbok.store.reads import Filters, on_behalf, read_rows
from laddbok.store.receipt_links import PAGE, opened_by
from laddbok.store.sql import query

VIEWS = (60, 300)
"""How often a page may be looked at in five minutes: one page, and all from one address."""
WRITES = (5, 20)
"""How often something may be written in five minutes: about one document, and from one address."""
PAGE_HEADERS = {**HEADERS, "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
AnyRequest = Request[Any, Any, State]
_invoice = msgspec.json.Decoder(Invoice)


@get(f"{PAGE}/{{token:str}}", include_in_schema=False)
async def show_receipt(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    """The page of an invoice."""
    parts, found = parts_of(request), await _opened(request, token)
    if found is None:
        return _gone(request)
    tenant, invoice_id = found
    async with on_behalf(parts.pool, tenant) as connection:
        filters = Filters(parts.clock.now())
        filters.add("i.id = ?", invoice_id)
        rows = await read_rows(connection, "invoice_rows", filters, 1)
        if not rows:
            return _gone(request)
        frozen = await connection.fetchrow(query("invoice_frozen"), invoice_id)
        assert frozen is not None, invoice_id
        ground = await connection.fetchrow(query("dispute_ground"), invoice_id)
        told = await disputes(connection, invoice_id)
        stored = {row["kind"] for row in await connection.fetch(query("invoice_documents"), invoice_id)}
    assert ground is not None, invoice_id
    invoice = _invoice.decode(frozen["content"])
    language = _language(request, invoice.buyer.language)
    html = receipt_page(
        invoice, told, rows[0]["open"], has_pdf="pdf" in stored, zone=ground["time_zone"], language=language,
        path=f"{PAGE}/{token}",
    )  # fmt: skip
    return Response(html, media_type="text/html", headers=PAGE_HEADERS)


@get(f"{PAGE}/{{token:str}}/pdf", include_in_schema=False)
async def show_receipt_pdf(request: AnyRequest, token: FromPath[str]) -> Response[Any]:
    """The document as a file, as it was rendered."""
    found = await _opened(request, token)
    if found is None:
        return _gone(request)
    async with on_behalf(parts_of(request).pool, found[0]) as connection:
        try:
            answer = await rendering(connection, found[1], "pdf")
        except NotFound:
            return _gone(request)
    return Response(answer.content, media_type="application/pdf", headers={**answer.headers, **PAGE_HEADERS})


@post(f"{PAGE}/{{token:str}}", include_in_schema=False)
async def object_to(request: AnyRequest, token: FromPath[str]) -> Response[str]:
    """Open a dispute about the invoice, with the reason that was typed."""
    parts, found = parts_of(request), await _opened(request, token)
    if found is None:
        return _gone(request)
    _limit(request, parts.receipt_writes, token)
    form = await request.form()
    reason, session_id = (
        value if isinstance(value := form.get(name), str) else "" for name in ("reason", "session_id")
    )
    wanted = NewDispute(reason=reason, session_id=session_id or None)
    try:
        async with on_behalf(parts.pool, found[0], write=True) as connection:
            await opened(connection, found[1], wanted, CUSTOMER, parts.clock.now())
    except (Conflict, Invalid) as error:
        return _refused(request, token, error)
    return Response("", status_code=303, headers={**PAGE_HEADERS, "Location": _address(request, token)})


HANDLERS = [show_receipt, show_receipt_pdf, object_to]


async def _opened(request: AnyRequest, token: str) -> tuple[int, str] | None:
    """Tenant and document behind a link; None: it is wrong, which is counted. Raises: TooMany."""
    parts = parts_of(request)
    _limit(request, parts.receipt_views, token)
    found = await opened_by(parts.pool, token)
    if found is None:
        _limit(request, parts.receipt_writes, token)
    return found


def _limit(request: AnyRequest, attempts: Attempts, token: str) -> None:
    address = request.client.host if request.client else ""
    if wait_s := attempts.book(token[:SIGNATURE_CHARS], address, monotonic()):
        raise TooMany("asked for too often", wait_s)


def _refused(request: AnyRequest, token: str, error: Conflict | Invalid) -> Response[str]:
    language = _language(request, "sv")
    words = WORDS[language]
    parts = [f"<h1>{words['not_taken']}</h1>", f'<p><a href="{_address(request, token)}">{words["again"]}</a></p>']
    status = 409 if isinstance(error, Conflict) else 422
    return Response(
        page(words["not_taken"], parts, language), status_code=status, media_type="text/html", headers=PAGE_HEADERS
    )


def _gone(request: AnyRequest) -> Response[Any]:
    language = _language(request, "sv")
    words = WORDS[language]
    parts = [f"<h1>{words['gone']}</h1><p>{words['gone_lead']}</p>"]
    return Response(page(words["gone"], parts, language), status_code=404, media_type="text/html", headers=PAGE_HEADERS)


def _language(request: AnyRequest, otherwise: str) -> str:
    wanted = request.query_params.get("language", otherwise)
    return wanted if wanted in WORDS else "sv"


def _address(request: AnyRequest, token: str) -> str:
    wanted = request.query_params.get("language", "")
    return f"{PAGE}/{token}" + (f"?language={wanted}" if wanted in WORDS else "")
