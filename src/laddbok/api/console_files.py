"""How does the console reach the browser?

As files from the package's folder, each with an ETag of its content, under a policy that lets a page load and talk to
nothing but this server. A path without a dot is a page of the console and gets `index.html`.
"""

import asyncio
import mimetypes
from hashlib import sha256
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from laddbok.api.parts import parts_of

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self';"
    " manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Cache-Control": "no-cache",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
MAX_FILE_BYTES = 5 * 1024 * 1024
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".svg": "image/svg+xml",
    ".html": "text/html",
}


@get("/", include_in_schema=False)
async def show_console(request: Request[Any, Any, Any]) -> Response[bytes]:
    """The console."""
    return await _serve(request, "")


@get("/{file_path:path}", include_in_schema=False)
async def serve_file(request: Request[Any, Any, Any], file_path: FromPath[str]) -> Response[bytes]:
    """A file of the console, or 304 when the browser has it."""
    return await _serve(request, file_path.strip("/"))


async def _serve(request: Request[Any, Any, Any], name: str) -> Response[bytes]:
    if name == "api" or name.startswith("api/"):
        raise NotFoundException(f"no such path: /{name}")
    folder = parts_of(request).settings.console_folder
    content = await asyncio.to_thread(_read, folder, name if "." in name.rpartition("/")[2] else "index.html")
    if content is None:
        raise NotFoundException(f"no such file: /{name}")
    data, suffix = content
    etag = f'"{sha256(data).hexdigest()[:32]}"'
    headers = {**HEADERS, "ETag": etag}
    if etag in request.headers.get("if-none-match", ""):
        return Response(b"", status_code=304, headers=headers)
    return Response(data, media_type=_media_type(suffix), headers=headers)


def _read(folder: Path, name: str) -> tuple[bytes, str] | None:
    """A file below the folder; None when there is none, or it is none of the console's."""
    if "\0" in name:
        return None
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()) or not path.is_file() or path.stat().st_size > MAX_FILE_BYTES:
            return None
        return path.read_bytes(), path.suffix
    except OSError:  # a name longer than the disk allows
        return None


def _media_type(suffix: str) -> str:
    return _TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")
