"""The rules of the house that a program can hold; complexity and much else is ruff's.

Each test lists every offender at once, as `path:line`.
"""

from __future__ import annotations

import ast
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

MODULE_LINES = 400
CLASS_LINES = 250
CLASS_METHODS = 20
FUNCTION_LINES = 50
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

# Where a process or a thread ends, every failure becomes a sentence; nowhere else may one vanish.
PROCESS_EDGES = {
    "evdesk/__main__.py",
    "evdesk/cli/main.py",
    "evdesk/gui/app.py",
    "evdesk/gui/tasks.py",
    "evdesk/services/collecting.py",
    "evdesk/web/app.py",
}
# What is billed is exact. Statistics and pictures may round.
BILLED = re.compile(r"money|tariff|invoice|billing|price|vat")
NAMES_THAT_SAY_NOTHING = re.compile(r"^(utils?|helpers?|common|misc|managers?)$|_(utils?|manager)$")

# Each pattern is written so that it does not match itself.
LEAKS = re.compile(
    r"pypi[.]org|python[h]osted|--(?:extra-)?index-(?:url)|--find-link[s]"
    r"|https?://[^\s/]+(?:/[^\s/]+)*/(?:simple|pool)/"
    r"|(?<![\w.:/-])/(?:home|Users|root|work)/\w"
)


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of evdesk, parsed, by its path."""
    paths = sorted((ROOT / "evdesk").rglob("*.py"))
    return {p.relative_to(ROOT).as_posix(): ast.parse(p.read_text(encoding="utf-8")) for p in paths}


def nodes(*kinds: type[ast.AST], within: str = "") -> Iterator[tuple[str, ast.AST]]:
    """All such nodes of the modules whose name matches, each with `path:line`."""
    for name, tree in modules().items():
        if re.search(within, Path(name).stem):
            for node in ast.walk(tree):
                if isinstance(node, kinds):
                    yield f"{name}:{getattr(node, 'lineno', 1)}", node


def lines_of(node: ast.AST) -> int:
    return int(getattr(node, "end_lineno", 0)) - int(getattr(node, "lineno", 0)) + 1


def test_a_module_fits_in_a_head():
    sizes = {n: len((ROOT / n).read_text(encoding="utf-8").splitlines()) for n in modules()}
    assert {name: size for name, size in sizes.items() if size > MODULE_LINES} == {}


def test_a_function_fits_on_a_screen():
    sizes = {where: lines_of(node) for where, node in nodes(*FUNCTIONS)}
    assert {where: size for where, size in sizes.items() if size > FUNCTION_LINES} == {}


def test_a_class_does_one_thing():
    sizes = {
        where: (lines_of(node), sum(isinstance(n, FUNCTIONS) for n in ast.iter_child_nodes(node)))
        for where, node in nodes(ast.ClassDef)
    }
    too_big = {w: s for w, s in sizes.items() if s[0] > CLASS_LINES or s[1] > CLASS_METHODS}
    assert too_big == {}


def test_a_module_says_what_it_is_for():
    assert [name for name, tree in modules().items() if not ast.get_docstring(tree)] == []


def test_a_module_is_named_after_what_it_holds():
    parts = {part for name in modules() for part in Path(name).with_suffix("").parts}
    assert {part for part in parts if NAMES_THAT_SAY_NOTHING.search(part)} == set()


def test_only_the_edge_of_a_process_catches_everything():
    caught = {
        where: ast.unparse(node.type) if node.type else ""
        for where, node in nodes(ast.ExceptHandler)
        if isinstance(node, ast.ExceptHandler) and where.split(":")[0] not in PROCESS_EDGES
    }
    assert {w: n for w, n in caught.items() if re.search(r"^$|\b(Base)?Exception\b", n)} == {}


def test_every_instant_has_a_zone():
    naive = re.compile(r"\bdatetime\.(now\(\)|utcnow\(|today\(|utcfromtimestamp\()")
    calls = {where: ast.unparse(node) for where, node in nodes(ast.Call)}
    assert {where: call for where, call in calls.items() if naive.match(call)} == {}


def test_what_is_billed_never_meets_a_float():
    names = [w for w, n in nodes(ast.Name, within=BILLED.pattern) if ast.unparse(n) == "float"]
    numbers = [
        where
        for where, node in nodes(ast.Constant, within=BILLED.pattern)
        if isinstance(node, ast.Constant) and isinstance(node.value, float)
    ]
    assert names + numbers == []


def test_no_tracked_file_names_a_machine_or_a_registry():
    git = ["git", "ls-files", "-z"]
    listed = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("only a git checkout knows what is tracked")
    leaks = []
    for name in filter(None, listed.stdout.split("\0")):
        content = (ROOT / name).read_bytes() if (ROOT / name).is_file() else b""
        if b"\0" not in content:
            found = LEAKS.finditer(content.decode("utf-8", "replace"))
            leaks += [f"{name}: {match.group()}" for match in found]
    assert leaks == []
