"""Which library is known where, and that headless commands start without Qt.

The layers between our own packages are in pyproject.toml, for `lint-imports`. This part is a test
because a contract about a library that nobody imports yet would be an error there.
"""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]

ADAPTERS = ("storage", "devices", "documents", "delivery", "central")
HOMES = {
    "PySide6": "gui",
    "pyqtgraph": "gui",
    "sqlcipher3": "storage",
    "pcodec": "storage",
    "pymodbus": "devices",
    "serial": "devices",
    "psycopg": "central",
    "starlette": "web",
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("evdesk", include_external_packages=True, cache_dir=None)


def importers(graph: grimp.ImportGraph, package: str) -> set[str]:
    """Modules that import the package or any part of it, from outside of it."""
    parts = {m for m in graph.modules if m == package or m.startswith(f"{package}.")}
    found = {each for part in parts for each in graph.find_modules_that_directly_import(part)}
    return found - parts


def belongs_to(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize(("library", "home"), HOMES.items())
def test_a_library_is_known_in_one_package_only(graph, library, home):
    strangers = {m for m in importers(graph, library) if not belongs_to(m, f"evdesk.{home}")}
    assert strangers == set()


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_adapters_do_not_call_use_cases(graph, adapter):
    users = importers(graph, "evdesk.services")
    assert {m for m in users if belongs_to(m, f"evdesk.{adapter}")} == set()


def test_every_library_that_is_imported_is_declared(graph):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {canonicalize_name(Requirement(each).name) for each in project["dependencies"]}
    imported = {m for m in graph.modules if not belongs_to(m, "evdesk")} - sys.stdlib_module_names
    homes = packages_distributions()
    undeclared = {
        m for m in imported if declared.isdisjoint(map(canonicalize_name, homes.get(m, [m])))
    }
    assert undeclared == set()


def test_the_window_is_opened_in_one_place(graph):
    openers = importers(graph, "evdesk.gui")
    assert {m for m in openers if not belongs_to(m, "evdesk.bootstrap")} == set()


def test_headless_commands_start_without_qt(graph):
    headless = sorted(m for m in graph.modules if belongs_to(m, "evdesk") and ".gui" not in m)
    script = "import importlib, sys; [importlib.import_module(name) for name in sys.argv[1:]]; "
    script += "print([name for name in sys.modules if name.startswith(('PySide6', 'pyqtgraph'))])"
    command = [sys.executable, "-c", script, *headless]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")
