"""Does the console have words for everything, in every language? Read from its sources; no browser needed."""

import re
from pathlib import Path

import pytest

from laddbok.model.cdr import Activity
from laddbok.model.energy import Confidence, Method
from laddbok.model.rated import LineKind
from laddbok.model.session import MeterNote, ReviewReason, SessionState, VerdictKind
from laddbok.model.traits import Quirk, RegisterKind

CONSOLE = Path(__file__).resolve().parents[2] / "src/laddbok/console"
LANGUAGES = ("sv", "en")
KEY_LINE = re.compile(r'^  "([^"]+)": "(.*)",$', re.MULTILINE)
NAME = re.compile(r"\{(\w+)\}")
LITERAL = re.compile(r'"([a-z_]+(?:\.\w+)*)"')
PREFIX = re.compile(r'\bt\(`([a-z_]+)\.\$|\btCode\("([a-z_]+)"')
SPOKEN = re.compile(r'\bt\("([^"]+)"')


def words(language: str) -> dict[str, str]:
    return dict(KEY_LINE.findall((CONSOLE / f"i18n/{language}.js").read_text()))


def sources() -> str:
    files = [
        path for path in CONSOLE.rglob("*.js") if not {"vendor", "i18n"} & set(path.relative_to(CONSOLE).parts[:-1])
    ]
    return "\n".join(path.read_text() for path in files)


def test_every_line_of_a_language_is_read() -> None:
    for language in LANGUAGES:
        lines = (CONSOLE / f"i18n/{language}.js").read_text().splitlines()
        assert len(words(language)) == sum(line.startswith('  "') for line in lines) > 200


def test_the_languages_have_the_same_keys_and_fill_in_the_same_names() -> None:
    sv, en = words("sv"), words("en")
    assert sv.keys() == en.keys()
    assert [key for key in sv if set(NAME.findall(sv[key])) != set(NAME.findall(en[key]))] == []


def test_every_key_that_is_used_has_words() -> None:
    spoken = set(SPOKEN.findall(sources()))
    assert len(spoken) > 100
    assert spoken - words("en").keys() == set()


def test_all_words_are_used() -> None:
    text = sources()
    named = set(LITERAL.findall(text))
    prefixes = {one or other for one, other in PREFIX.findall(text)}
    assert [key for key in words("en") if key not in named and key.partition(".")[0] not in prefixes] == []


@pytest.mark.parametrize(
    ("prefix", "codes"),
    [
        ("review", ReviewReason), ("state", SessionState), ("activity", Activity), ("dimension", LineKind), ("method", Method),
        ("confidence", Confidence), ("confidence_why", Confidence), ("note", MeterNote), ("verdict", VerdictKind),
        ("decide", VerdictKind), ("register_kind", RegisterKind), ("quirk", Quirk),
    ],
)  # fmt: skip
def test_every_code_of_the_model_has_words(prefix: str, codes: type[ReviewReason]) -> None:
    assert {f"{prefix}.{code.value}" for code in codes} - words("sv").keys() == set()
