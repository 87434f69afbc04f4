"""How is garbage from the field turned into JSON that can be read?

Text goes in and text comes out: only what a reader would stumble over is replaced, token by token, so numbers keep
every digit. An absent value becomes null, what no database can store as text (NUL, a lone surrogate, bytes that are
not UTF-8) becomes U+FFFD, and numbers lose a plus sign and leading zeros. Text that is still no JSON stays so.

>>> repair(b'{"transactionId":,"value":007}')
b'{"transactionId":null,"value":7}'
"""

import re

REPAIR_MAX_BYTES = 32 * 1024
"""A broken frame above this is not worth repairing: real ones are a few kB, and each is repaired in the event loop."""

_TOKEN = re.compile(
    r"""(?P<string>"(?:[^"\\]|\\.)*+"?)"""
    r"""|(?P<empty>:\s*+(?=[,}\]]))"""
    r"""|(?P<surplus>,\s*+(?=[}\]]))"""
    r"""|(?P<sign>(?<![\w.+-])-0+(?=[0-9]))"""
    r"""|(?P<padding>(?<![\w.+-])(?:\+0*|0+)(?=[0-9]))"""
    r"""|(?P<word>-?\b(?:NaN|Infinity|undefined|None|True|False)\b)""",
    re.DOTALL,
)
_ESCAPE = re.compile(
    r"""(?P<pair>\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"""
    r"""|(?P<unfit>\\u0000|\\u[dD][89a-fA-F][0-9a-fA-F]{2})"""
    r"""|(?P<code>\\u[0-9a-fA-F]{4})"""
    r"""|(?P<short>\\["\\/bfnrt])"""
    r"""|(?P<odd>\\.?)""",
    re.DOTALL,
)
_CONTROL = re.compile(r"[\x00-\x1f]")
_CONTROLS = {code: f"\\u{code:04x}" if code else "\ufffd" for code in range(0x20)}
_SURROGATE = re.compile(r"[\ud800-\udfff]")
_WORDS = {"True": "true", "False": "false"}


def repair(text: bytes) -> bytes:
    """The same JSON text without the garbage that stations are known to send.

    Args: text: at most REPAIR_MAX_BYTES; longer text comes back unchanged.
    Source: our choice; field cases S44 (`"transactionId":,`, tabs, padded numbers).
    """
    if len(text) > REPAIR_MAX_BYTES:
        return text
    readable = text.decode("utf-8-sig", "replace")
    return _TOKEN.sub(_repaired_token, _SURROGATE.sub("\ufffd", readable)).strip("\x00 \t\r\n").encode()


def _repaired_token(match: re.Match[str]) -> str:
    match match.lastgroup:
        case "string":
            text = _ESCAPE.sub(_repaired_escape, match[0]) if "\\" in match[0] else match[0]
            return text.translate(_CONTROLS) if _CONTROL.search(text) else text
        case "empty":
            return ":null"
        case "sign":
            return "-"
        case "word":
            return _WORDS.get(match[0], "null")
        case _:
            return ""


def _repaired_escape(match: re.Match[str]) -> str:
    return "\ufffd" if match.lastgroup in ("unfit", "odd") else match[0]
