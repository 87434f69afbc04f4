"""What can be read on the pages of a PDF of ours, and what is inside it? Only what our typesetter writes is understood."""

import re
import zlib
from functools import partial

_OBJECT = re.compile(rb"(\d+) 0 obj\s(.*?)\sendobj", re.DOTALL)
_LENGTH = re.compile(rb"/Length (\d+)")
_RANGE = re.compile(rb"<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]+)>")
_CHAR = re.compile(rb"<([0-9A-Fa-f]{4})>\s*<([0-9A-Fa-f]+)>")
_SECTION = re.compile(rb"begin(bfchar|bfrange)(.*?)endbf", re.DOTALL)
_PIECE = rb"\\.|[^\\()]"
_STRING = rb"\((?:" + _PIECE + rb"|\((?:" + _PIECE + rb"|\((?:" + _PIECE + rb"|\((?:" + _PIECE + rb")*\))*\))*\))*\)"
_OPERATOR = re.compile(rb"/(f\d+) [\d.]+ Tf|" + _STRING + rb"|\bBT\b", re.DOTALL)
_ESCAPE = re.compile(rb"\\([nrtbf()\\]|[0-7]{1,3})")
_PLAIN = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def objects(pdf: bytes) -> dict[int, bytes]:
    return {int(found[1]): found[2] for found in _OBJECT.finditer(pdf)}


def stream(body: bytes) -> bytes:
    head, _, rest = body.partition(b"stream\n")
    length = _LENGTH.search(head)
    assert length is not None, head
    return zlib.decompress(rest[: int(length[1])]) if b"/FlateDecode" in head else rest[: int(length[1])]


def page_texts(pdf: bytes) -> list[str]:
    """The text of each page, in the order in which it was set; a blank between two runs."""
    parts = objects(pdf)
    pages = [body for body in parts.values() if body.startswith(b"<</Type/Page/")]
    return [_page_text(page, parts) for page in pages]


def embedded(pdf: bytes) -> list[bytes]:
    return [stream(body) for body in objects(pdf).values() if b"/Type/EmbeddedFile" in body]


def _page_text(page: bytes, parts: dict[int, bytes]) -> str:
    resources = parts[_reference(rb"/Resources (\d+) 0 R", page)]
    fonts = {name: parts[int(number)] for name, number in re.findall(rb"/(f\d+) (\d+) 0 R", resources)}
    maps = {name: _unicode(stream(parts[_reference(rb"/ToUnicode (\d+) 0 R", font)])) for name, font in fonts.items()}
    content = stream(parts[_reference(rb"/Contents (\d+) 0 R", page)])
    told, current = [], {}
    for found in _OPERATOR.finditer(content):
        if found[1]:
            current = maps[found[1]]
        elif found[0] == b"BT":
            told.append(" ")
        else:
            glyphs = _ESCAPE.sub(_unescaped, found[0][1:-1])
            told += [current.get(glyphs[at : at + 2], "") for at in range(0, len(glyphs), 2)]
    return re.sub(r"\s+", " ", "".join(told).replace("\u00a0", " ").replace("\u200b", ""))


def _reference(pattern: bytes, body: bytes) -> int:
    found = re.search(pattern, body)
    assert found is not None, (pattern, body[:120])
    return int(found[1])


def _unescaped(found: re.Match[bytes]) -> bytes:
    code = found[1]
    return bytes([int(code, 8)]) if code[:1].isdigit() else _PLAIN.get(code, code)


def _unicode(cmap: bytes) -> dict[bytes, str]:
    """The character of each glyph."""
    parse = partial(int, base=16)
    known: dict[bytes, str] = {}
    for kind, body in _SECTION.findall(cmap):
        if kind == b"bfchar":
            known |= {
                bytes.fromhex(g.decode()): bytes.fromhex(u.decode()).decode("utf-16-be") for g, u in _CHAR.findall(body)
            }
            continue
        for first, last, text in _RANGE.findall(body):
            start = bytes.fromhex(text.decode()).decode("utf-16-be")
            for step, glyph in enumerate(range(parse(first), parse(last) + 1)):
                known[glyph.to_bytes(2, "big")] = start[:-1] + chr(ord(start[-1]) + step)
    return known
