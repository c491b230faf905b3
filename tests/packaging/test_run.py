from __future__ import annotations

import ast
import subprocess
import sys
import types
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "packaging" / "run.py"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """The script as a module, with its `.venv` in a scratch folder."""
    module = types.ModuleType("run")
    module.__file__ = str(SCRIPT)
    exec(compile(SCRIPT.read_bytes(), SCRIPT, "exec"), module.__dict__)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python").touch()
    monkeypatch.setattr(module, "VENV", tmp_path)
    monkeypatch.setattr(module, "PYTHON", tmp_path / "bin" / "python")
    monkeypatch.setattr(module, "STAMP", tmp_path / "stamp.txt")
    monkeypatch.setattr(module, "make_environment", lambda: pytest.fail("made anew"))
    monkeypatch.setattr(module, "install", lambda _lock: pytest.fail("installed"))
    return module


def stamp(run, *locks):
    run.STAMP.write_text("\n".join([run.made_for(), *(run.digest(lock) for lock in locks)]))


def call(*arguments):
    return subprocess.run(
        [sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True, check=False
    )


def test_needs_nothing_but_the_standard_library():
    tree = ast.parse(SCRIPT.read_text(encoding="utf-8"))
    names = [n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)]
    names += [a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names]
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


def test_an_older_python_can_read_it_far_enough_to_be_told():
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 7))


def test_a_finished_set_up_is_left_alone(run):
    stamp(run, run.DEV_LOCK, run.RUNTIME_LOCK)
    run.ensure_libraries(run.RUNTIME_LOCK)
    run.ensure_libraries(run.DEV_LOCK)


def test_an_unfinished_set_up_is_made_anew(run):
    with pytest.raises(pytest.fail.Exception, match="made anew"):
        run.ensure_libraries(run.RUNTIME_LOCK)


def test_a_set_up_for_another_folder_is_made_anew(run):
    run.STAMP.write_text(f"Python 3.11 in /elsewhere\n{run.digest(run.RUNTIME_LOCK)}\n")
    with pytest.raises(pytest.fail.Exception, match="made anew"):
        run.ensure_libraries(run.RUNTIME_LOCK)


def test_a_changed_lock_is_installed_over_the_old_one(run):
    stamp(run, run.RUNTIME_LOCK)
    with pytest.raises(pytest.fail.Exception, match="installed"):
        run.ensure_libraries(run.DEV_LOCK)
    assert not run.STAMP.exists()  # from here on, an interruption leaves an unfinished set-up


def test_without_rights_the_one_line_to_type_is_named(run, monkeypatch):
    monkeypatch.setattr(run, "missing_packages", lambda: ["libegl1", "libgl1"])
    monkeypatch.setattr(run.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(run.os, "geteuid", lambda: 1000, raising=False)
    with pytest.raises(run.SetUpError, match="sudo apt-get install -y libegl1 libgl1\n"):
        run.ensure_packages()


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("NewConnectionError: Temporary failure in name resolution", "Is this machine online?"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES", "not the one evdesk was tested with"),
        ("ERROR: No space left on device", "pip says:\n\nERROR: No space left"),
    ],
)
def test_a_failed_installation_is_explained(run, output, sentence):
    assert sentence in run.explain(output)


def test_help_names_the_commands():
    done = call("--help")
    assert done.returncode == 0
    assert "packaging/run.py demo" in done.stdout


def test_an_unknown_command_is_bad_usage():
    assert call("frobnicate").returncode == 2


@pytest.mark.parametrize(
    ("given", "shared"), [([], True), (["--all"], True), (["-k", "invoice"], False)]
)
def test_only_a_whole_run_is_shared_by_the_processors(run, given, shared):
    assert (run.with_workers(given)[:1] == ["-n"]) is shared
    assert run.with_workers(given)[-len(given) :] == given or not given
