"""Is the house in order? The rules of CONTRIBUTING.md that a machine can check."""

import ast
import graphlib
import re
import subprocess
from collections.abc import Container, Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src/laddbok"
GENERATED = SOURCE / "ocpp/messages"
FUNCTION_MAX_LINES = 50
FILE_MAX_LINES = 400

PURE = ("model", "ocpp", "sessions", "rating", "billing", "demand", "insight", "flow")
CLOCK = "src/laddbok/model/clock.py"
"""The one place that asks what time it is."""
RIM_ONLY_MODULES = frozenset(
    "asyncio socket time random secrets logging subprocess threading multiprocessing ssl http urllib selectors "
    "asyncpg sqlite3 httpx litestar uvicorn uvloop websockets picows".split()
)
RIM_ONLY_CALLS = frozenset(
    "datetime.now datetime.utcnow datetime.today date.today time.time time.monotonic open input print uuid.uuid1 "
    "uuid.uuid4 uuid4 os.urandom os.getenv".split()
)
FOR_TESTS_AND_PEOPLE = frozenset(
    "billing.balance.open_amount billing.balance.open_by_day flow.evidence.refold rating.reimbursement.reimburse_by_tariff "
    "store.memory.MemoryStore".split()
)
"""What the platform itself does not use; whatever else only tests use is to go."""
UNWANTED_NAMES = re.compile(r"(Manager|Service|Helper|Utils?|Handler)$")

# Written in pieces, so that this file passes its own test.
REGISTRY_HOSTS = (
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "registry.npm" + "js.org",
    "unp" + "kg.com",
    "jsdel" + "ivr.net",
)
MACHINE_PATH = re.compile(r"(?<![\w.~-])/(?:work|root|home|Users|opt/wheels)/\w")


@cache
def project_files() -> tuple[Path, ...]:
    """What is or would be in the repository."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if listed.returncode == 0:
        return tuple(path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file())
    folders = (ROOT / name for name in ("src", "tests", "tools", "docs", ".ci"))
    return tuple(path for folder in folders for path in folder.rglob("*") if path.is_file())


@cache
def text_files() -> dict[str, str]:
    texts = {}
    for path in project_files():
        try:
            texts[str(path.relative_to(ROOT))] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
    return texts


@cache
def trees() -> dict[str, ast.Module]:
    """The Python files that people write."""
    generated = str(GENERATED.relative_to(ROOT))
    return {
        name: ast.parse(text, name)
        for name, text in text_files().items()
        if name.endswith(".py") and not name.startswith(generated)
    }


def pure_trees() -> Iterator[tuple[str, ast.Module]]:
    for name, tree in trees().items():
        if name.startswith(tuple(f"src/laddbok/{layer}/" for layer in PURE)) and name != CLOCK:
            yield name, tree


def imported(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.lineno, node.module.partition(".")[0]


def calls(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.lineno, ".".join(ast.unparse(node.func).split(".")[-2:])


def overlong_functions(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_MAX_LINES:
                yield f"{node.lineno}: {node.name} has {lines} lines"


def module_name(path: str) -> str:
    return path.removeprefix("src/").removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def modules_imported(tree: ast.Module, known: Container[str]) -> Iterator[str]:
    """The modules among these from which a file takes something, for types alone too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            inner = [f"{node.module}.{alias.name}" for alias in node.names]
            yield from (name for name in (each if each in known else node.module for each in inner) if name in known)


def circle(modules: dict[str, ast.Module]) -> list[str]:
    """Modules each of which imports the next, and the last the first; none: there is no circle."""
    graph = {name: set(modules_imported(tree, modules)) for name, tree in modules.items()}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def names_of(tree: ast.Module) -> Iterator[str]:
    """The functions, classes and constants of a module, but for those that a decorator hands to somebody."""
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            if all(
                ast.unparse(each) in ("cache", "contextmanager", "asynccontextmanager") for each in node.decorator_list
            ):
                yield node.name
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (each.id for each in targets if isinstance(each, ast.Name) and not each.id.startswith("__"))


def names_used(module: str, tree: ast.Module) -> Iterator[str]:
    """What a module takes from others, and what of its own it uses elsewhere than within itself."""
    taken: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            taken |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    yield from taken.values()
    for top in tree.body:
        for node in ast.walk(top):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in taken:
                yield f"{taken[node.value.id]}.{node.attr}"
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id != getattr(top, "name", ""):
                yield f"{module}.{node.id}"
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):  # a type in quotes
                yield f"{module}.{node.value.partition('[')[0]}"


def unused(modules: dict[str, ast.Module]) -> set[str]:
    used = {name for module, tree in modules.items() for name in names_used(module, tree)}
    return {f"{module}.{name}" for module, tree in modules.items() for name in names_of(tree)} - used


def banned_at_the_core(tree: ast.Module) -> Iterator[str]:
    yield from (f"{line}: imports {name}" for line, name in imported(tree) if name in RIM_ONLY_MODULES)
    yield from (f"{line}: calls {name}()" for line, name in calls(tree) if name in RIM_ONLY_CALLS)


def test_no_function_is_overlong() -> None:
    assert [f"{name}:{finding}" for name, tree in trees().items() for finding in overlong_functions(tree)] == []


def test_no_file_is_overlong() -> None:
    lengths = {name: len(text_files()[name].splitlines()) for name in trees()}
    assert {name: length for name, length in lengths.items() if length > FILE_MAX_LINES} == {}


def source_modules() -> dict[str, ast.Module]:
    return {module_name(name): tree for name, tree in trees().items() if name.startswith("src/")}


def test_no_modules_import_each_other() -> None:
    assert circle(source_modules()) == []


def test_nothing_is_there_for_tests_alone() -> None:
    found = {name.removeprefix("laddbok.") for name in unused(source_modules()) if ".examples." not in name}
    assert found - FOR_TESTS_AND_PEOPLE == set()


def test_rules_neither_ask_for_the_time_nor_talk_to_the_world() -> None:
    assert [f"{name}:{finding}" for name, tree in pure_trees() for finding in banned_at_the_core(tree)] == []


def test_every_module_says_which_question_it_answers() -> None:
    speechless = [name for name, tree in trees().items() if tree.body and ast.get_docstring(tree) is None]
    assert speechless == []


def test_nothing_is_called_manager_or_the_like() -> None:
    classes = (
        f"{name}:{node.lineno}: {node.name}"
        for name, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef) and UNWANTED_NAMES.search(node.name)
    )
    assert list(classes) == []


def test_no_package_registry_is_named() -> None:
    assert [(name, host) for name, text in text_files().items() for host in REGISTRY_HOSTS if host in text] == []


def test_no_path_of_a_machine_is_named() -> None:
    assert [(name, found[0]) for name, text in text_files().items() if (found := MACHINE_PATH.search(text))] == []


def test_nothing_is_left_to_be_done() -> None:
    left = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")
    assert [name for name in trees() if left.search(text_files()[name])] == []


@pytest.mark.parametrize(
    ("source", "finding"),
    [
        ("import asyncio.subprocess", "1: imports asyncio"),
        ("from time import monotonic", "1: imports time"),
        ("import datetime\nx = datetime.datetime.now(datetime.UTC)", "2: calls datetime.now()"),
        ("x = open('f')", "1: calls open()"),
    ],
)
def test_the_check_of_the_core_finds(source: str, finding: str) -> None:
    assert list(banned_at_the_core(ast.parse(source))) == [finding]


def test_the_check_of_functions_finds() -> None:
    body = "\n".join(["    pass"] * FUNCTION_MAX_LINES)
    assert list(overlong_functions(ast.parse(f"def f():\n{body}"))) == ["1: f has 51 lines"]


def test_the_check_of_circles_finds() -> None:
    sources = {"a.b": "from a import c", "a.c": "if TYPE_CHECKING:\n    import a.d", "a.d": "from a.b import x"}
    assert set(circle({name: ast.parse(source) for name, source in sources.items()})) == {"a.b", "a.c", "a.d"}
    assert circle({name: ast.parse(source) for name, source in sources.items() if name != "a.d"}) == []


def test_the_check_of_what_is_used_finds() -> None:
    one = "A = 1\nB: int = 2\ndef f() -> 'C':\n    return f()\nclass C: pass\n@get\ndef handler(): return A"
    two = "from a import one\nfrom a.one import B\ndef main(): return one.g\n"
    assert unused({"a.one": ast.parse(one), "a.two": ast.parse(two)}) == {"a.one.f", "a.two.main"}


def test_the_check_of_paths_finds() -> None:
    assert MACHINE_PATH.search("see /" + "home/anna")
    assert not MACHINE_PATH.search("https://example.com/home/x or tests/work/x or /var/lib/laddbok")
