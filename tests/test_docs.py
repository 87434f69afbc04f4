"""Do the documents tell what is there, and is there what they tell?

Whatever a person can meet (a setting, a command, an event of a station, a reason for review, a rule, a dependency, an
address) must stand in its document. What the documents name (a file, a heading, a function, a constant, a test) must exist.
"""

import argparse
import ast
import importlib
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest

from laddbok.api.app import BASE, HANDLERS
from laddbok.cli import build_parser
from laddbok.gateway.handshake import SUBPROTOCOLS
from laddbok.model.events import Event
from laddbok.model.session import ReviewReason
from laddbok.ocpp.messages import v16_in, v201_in
from laddbok.ocpp.v16 import COMMANDS as COMMANDS_16
from laddbok.ocpp.v201 import COMMANDS as COMMANDS_201
from laddbok.settings import NAMES

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src/laddbok"
PACKAGES = "model ocpp sessions rating billing flow store gateway api workers wires fleet app reports settings".split()
NO_RULES = {"__init__", "examples"}
LINK = re.compile(r"\[[^\]]+\]\((?!https?://)([^)\s]+)\)")
CODE = re.compile(r"`([^`\n]+)`")
TEST_NAME = re.compile(r"\btest_\w+")
MENTION = re.compile(r"\bdocs/[\w/.-]+\.md\b")


@cache
def pages() -> dict[str, str]:
    """Every document that people read, by its path."""
    files = [*ROOT.glob("*.md"), *sorted((ROOT / "docs").rglob("*.md"))]
    return {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in files}


def page(name: str) -> str:
    return pages()[f"docs/{name}.md"]


def words(text: str) -> set[str]:
    """What stands in backquotes, whole and split at blanks, commas and slashes."""
    spans = CODE.findall(text)
    return {*spans, *(word for span in spans for word in re.split(r"[\s,]+", span))}


def missing(wanted: Iterator[str] | set[str] | list[str], text: str) -> list[str]:
    return sorted(set(wanted) - words(text))


def test_every_setting_is_documented() -> None:
    assert not missing(list(NAMES), page("settings"))


def test_every_documented_setting_exists() -> None:
    known = {*NAMES, "LADDBOK_SHARED_DATA", "LADDBOK_TEST_STATE", "LADDBOK_REWRITE_GOLDEN"}
    named = {word for text in pages().values() for word in re.findall(r"\bLADDBOK_[A-Z_]+\b", text)}
    assert not named - known


def leaves(parser: argparse.ArgumentParser, name: str = "laddbok") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """Every command that does something, with its whole name."""
    below = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield name, parser
    for action in below:
        for word, child in action.choices.items():
            yield from leaves(child, f"{name} {word}")


def sections(text: str) -> dict[str, str]:
    """The text below each heading of the second level."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


COMMANDS = dict(leaves(build_parser()))


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_is_documented_with_its_options(command: str) -> None:
    text = sections(page("commands")).get(command)
    assert text is not None, f"docs/commands.md has no section {command!r}"
    options = {text for action in COMMANDS[command]._actions for text in action.option_strings}
    undocumented = [
        each for each in options - {"-h", "--help", "--json"} if each not in re.findall(r"(?<![\w-])--?\w[\w-]*", text)
    ]
    assert not undocumented


def test_every_documented_command_exists() -> None:
    assert set(sections(page("commands"))) == set(COMMANDS)


def test_every_event_is_documented() -> None:
    assert not missing([event.__name__ for event in get_args(Event)], page("events"))


def test_every_message_of_a_station_is_documented() -> None:
    commands = {*COMMANDS_16, *COMMANDS_201}
    for messages in (v16_in, v201_in):
        told = set(re.findall(r"\b[A-Z]\w+", page("events")))
        assert not messages.REQUESTS.keys() - told - commands


def test_every_version_is_in_the_status() -> None:
    for version in SUBPROTOCOLS:
        assert f"## OCPP {version.removeprefix('ocpp')}" in page("spec-status")


def test_every_review_reason_is_explained() -> None:
    assert not missing([reason.value for reason in ReviewReason], sections(page("rules"))["Review"])
    assert not missing([reason.value for reason in ReviewReason], sections(page("runbook"))["Review"])


@pytest.mark.parametrize("package", ["rating", "sessions"])
def test_every_rule_file_is_in_the_rules(package: str) -> None:
    files = {path.stem for path in (SOURCE / package).glob("*.py")} - NO_RULES
    told = {word.split(".")[1] for word in words(page("rules")) if word.startswith(f"{package}.")}
    assert not files - told


def test_every_rule_has_its_function_its_test_and_its_source() -> None:
    for title, text in sections(page("rules")).items():
        assert all(f"- {word}: " in text for word in ("Function", "Test", "Source")), title
        tests = text.partition("- Test: ")[2].partition("- Source: ")[0]
        assert TEST_NAME.search(tests) or tests.startswith("example"), f"{title}: no test"


def test_every_rule_is_found_by_a_question() -> None:
    """The table at the top leads to each section, and each question stands in it once."""
    index, _, rules = page("rules").partition("\n# Money\n")
    linked = [link for link in LINK.findall(index) if link.startswith("#")]
    titles = re.findall(r"^## (.+)$", rules, re.MULTILINE)
    assert sorted(linked) == sorted(f"#{anchor}" for title in titles for anchor in anchors(f"# {title}"))


def test_every_direct_dependency_has_its_reason() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = project["dependencies"] + [each for group in project["optional-dependencies"].values() for each in group]
    needed = {re.split(r"[<>=;\[ ]", each)[0] for each in listed}
    told = set(re.findall(r"^\| `([\w-]+)` \| ", page("dependencies"), re.MULTILINE))
    assert told == needed


def test_every_address_of_the_api_is_documented() -> None:
    addresses = {path for handler in HANDLERS for path in handler.paths}
    firsts = {address.strip("/").partition("/")[0] for address in addresses} | {"health", "openapi.json"}
    text = "".join(pages()[name] for name in ("docs/api.md", "docs/console.md"))
    assert not [first for first in firsts if f"/{first}" not in text]
    assert BASE in text


def test_every_console_page_is_documented() -> None:
    files = {path.stem for path in (SOURCE / "console/pages").glob("*.js")} - {"login"}
    assert not [name for name in files if not re.search(rf"^\|[^|]*\b{name}\b", page("console"), re.MULTILINE)]


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as code hosts make them."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.replace("`", "")).strip().lower().replace(" ", "-") for title in titles}


def test_every_link_leads_somewhere() -> None:
    broken = []
    for name, text in pages().items():
        for link in LINK.findall(text):
            path, _, anchor = link.partition("#")
            target = (ROOT / name).parent / path if path else ROOT / name
            if not target.exists():
                broken.append(f"{name}: {link}")
            elif anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
                broken.append(f"{name}: {link} has no such heading")
    assert not broken


def test_every_page_is_reached_from_the_readme() -> None:
    linked = {link.partition("#")[0] for link in LINK.findall(pages()["README.md"])}
    unreached = [
        name for name in pages() if name.startswith("docs/") and name not in linked and "docs/adr/" not in name
    ]
    assert not unreached


def test_what_the_source_says_of_the_documents_is_so() -> None:
    """A docstring that names a page, or a section of the rules, must find it."""
    titles = set(sections(page("rules")))
    wrong = []
    for path in [*SOURCE.rglob("*.py"), *(ROOT / "tools").glob("*.py")]:
        text = path.read_text(encoding="utf-8")
        wrong += [f"{path.name}: {name}" for name in MENTION.findall(text) if name not in pages()]
        wrong += [
            f"{path.name}: {title}" for title in re.findall(r'docs/rules\.md "([^"]+)"', text) if title not in titles
        ]
    assert not wrong


def resolve(name: str) -> Any:
    """What a dotted name below `laddbok` stands for. Raises: AttributeError or ImportError when there is none."""
    found = importlib.import_module(f"laddbok.{name.partition('.')[0]}")
    for part in name.split(".")[1:]:
        try:
            found = getattr(found, part)
        except AttributeError:
            found = importlib.import_module(f"{found.__name__}.{part}")
    return found


def test_every_name_in_the_documents_exists() -> None:
    dotted = re.compile(rf"(?:{'|'.join(PACKAGES)})(?:\.[A-Za-z_]\w*)+")
    unknown = []
    for page_name, text in pages().items():
        for word in sorted(filter(dotted.fullmatch, words(text))):
            if word.endswith((".py", ".js", ".md")):
                continue
            try:
                resolve(word)
            except (AttributeError, ImportError):
                unknown.append(f"{page_name}: {word}")
    assert not unknown


@cache
def names_of_tests() -> set[str]:
    files = (ROOT / "tests").rglob("test_*.py")
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in files)
    return {
        node.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_every_test_named_in_the_documents_exists() -> None:
    named = {
        (name, test) for name, text in pages().items() for test in TEST_NAME.findall(text) if f"{test}.py" not in text
    }
    assert not sorted(f"{name}: {test}" for name, test in named if test not in names_of_tests())
