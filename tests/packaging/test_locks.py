from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
RUNTIME = ROOT / "packaging" / "requirements.txt"
DEV = ROOT / "packaging" / "requirements-dev.txt"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def pins(lock: Path) -> set[tuple[str, str]]:
    found = re.findall(r"^([\w.-]+)==([^\s;]+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    return {(canonicalize_name(name), version) for name, version in found}


@pytest.mark.parametrize(
    ("lock", "wanted"),
    [(RUNTIME, PROJECT["dependencies"]), (DEV, PROJECT["optional-dependencies"]["dev"])],
    ids=["runtime", "dev"],
)
def test_the_lock_holds_what_the_project_asks_for(lock, wanted):
    locked = pins(lock)
    for requirement in map(Requirement, wanted):
        versions = [v for name, v in locked if name == canonicalize_name(requirement.name)]
        assert versions, f"{requirement.name} is not locked: run packaging/lock.py"
        assert all(requirement.specifier.contains(version) for version in versions)


def test_developers_run_what_users_run():
    assert pins(RUNTIME) <= pins(DEV)


@pytest.mark.parametrize("lock", [RUNTIME, DEV], ids=["runtime", "dev"])
def test_a_lock_pins_by_hash_and_names_no_source(lock):
    lines = lock.read_text(encoding="utf-8").splitlines()
    allowed = re.compile(
        r"^$|^ *#|^[a-z0-9-]+==\S+( ; .+)? \\$|^    --hash=sha256:[0-9a-f]{64}( \\)?$"
    )
    assert [line for line in lines if not allowed.match(line)] == []
