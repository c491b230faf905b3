#!/usr/bin/env python3
"""Set evdesk up in this checkout and run it; needs nothing but Python 3.11 or newer.

python3 packaging/run.py demo [options]         a simulated depot, with everything running
python3 packaging/run.py evdesk [arguments]     any evdesk command, as `evdesk --help` lists them
python3 packaging/run.py test [--all] [...]     every check and test; the rest goes to pytest
python3 packaging/run.py bench [...]            the benchmarks; the rest goes to pytest

The first run installs the locked libraries into `.venv` in the checkout; later runs find them
there. Remove that folder to start anew. Where packages come from is left to your pip settings; the
hashes in the lock decide that they are the right ones.
"""

from __future__ import annotations

import ctypes
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
SCRIPTS = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "evdesk-set-up.txt"
RUNTIME_LOCK = ROOT / "packaging" / "requirements.txt"
DEV_LOCK = ROOT / "packaging" / "requirements-dev.txt"  # holds all of the runtime lock, too

# What Qt's wheels load and do not bring along on Linux. Asking for the library and not for the
# package is fast and holds where a release has renamed the package (libglib2.0-0t64).
LIBRARIES = {
    "libglib-2.0.so.0": "libglib2.0-0",
    "libEGL.so.1": "libegl1",
    "libGL.so.1": "libgl1",
    "libfontconfig.so.1": "libfontconfig1",
    "libdbus-1.so.3": "libdbus-1-3",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-sync.so.1": "libxcb-sync1",
    "libxcb-xfixes.so.0": "libxcb-xfixes0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libX11-xcb.so.1": "libx11-xcb1",
}
FONT_FOLDERS = ("/usr/share/fonts", "/usr/local/share/fonts", "~/.local/share/fonts", "~/.fonts")

CHECKS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
    "import contracts": ["lint-imports"],
}


class SetUpError(Exception):
    """What is missing on this machine, and what to do about it."""


def say(sentence: str) -> None:
    """Tell the person; on standard error, for standard output belongs to evdesk."""
    print(sentence, file=sys.stderr, flush=True)


# --- what the system has to bring ---------------------------------------------------------------


def is_loadable(library: str) -> bool:
    """Whether the system's own loader finds the library."""
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def has_font() -> bool:
    """Whether there is any font: without one, Qt draws empty boxes."""
    folders = (Path(folder).expanduser() for folder in FONT_FOLDERS)
    return any(True for folder in folders for _font in folder.rglob("*.[ot]t[fc]"))


def missing_packages() -> list[str]:
    """Debian packages that this Linux lacks; nothing on Windows and macOS, whose wheels suffice."""
    if not sys.platform.startswith("linux"):
        return []
    missing = [package for library, package in LIBRARIES.items() if not is_loadable(library)]
    if not has_font():
        missing.append("fonts-dejavu-core")
    if importlib.util.find_spec("ensurepip") is None:
        missing.insert(0, f"python{sys.version_info.major}.{sys.version_info.minor}-venv")
    return missing


def ensure_packages() -> None:
    """Install what is missing where we may; else name the one line that does."""
    missing = missing_packages()
    if not missing:
        return
    command = ["apt-get", "install", "-y", "--no-install-recommends", *missing]
    if shutil.which("apt-get") is None:
        raise SetUpError(
            "Some system libraries are missing. Debian calls their packages:\n\n    "
            f"{' '.join(missing)}\n\nInstall what your system calls them, then run this again."
        )
    if os.geteuid() != 0:
        raise SetUpError(
            "Some system packages are missing. Type this line once, then run the same command "
            f"again:\n\n    sudo apt-get install -y {' '.join(missing)}\n"
        )
    say(f"Installing {len(missing)} system packages: {' '.join(missing)}")
    if not succeeds(command):  # a fresh system has no package lists yet, a used one old ones
        succeeds(["apt-get", "update"])
        if not succeeds(command) or missing_packages():
            raise SetUpError(f"This did not work; try it by hand:\n\n    {' '.join(command)}\n")


def succeeds(command: list[str]) -> bool:
    """Run a system command without a word or a question."""
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    return (
        subprocess.run(command, env=environment, capture_output=True, check=False).returncode == 0
    )


# --- the virtual environment --------------------------------------------------------------------


def made_for() -> str:
    """What a virtual environment is bound to: it can be neither moved nor handed on."""
    return f"Python {sys.version_info.major}.{sys.version_info.minor} in {ROOT}"


def digest(lock: Path) -> str:
    """Name one exact set of libraries."""
    return hashlib.sha256(lock.read_bytes()).hexdigest()


def read_stamp() -> list[str]:
    """What the finished set-up was made for, then the locks that it holds; empty if unfinished."""
    try:
        return STAMP.read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def ensure_libraries(lock: Path) -> None:
    """Make `.venv` hold what the lock says; does nothing if it does already.

    The stamp is written last and removed first. So a folder without one is half-made, whatever
    interrupted it, and is made anew.
    """
    stamp = read_stamp()
    usable = stamp[:1] == [made_for()] and PYTHON.exists()
    if usable and digest(lock) in stamp:
        return
    began = time.monotonic()
    STAMP.unlink(missing_ok=True)
    if not usable:
        make_environment()
    install(lock)
    # A line in a .pth file is all that an editable install would do, without a build step and the
    # tools for one: `python -m evdesk` then works from any folder.
    packages = sysconfig.get_path("purelib", "venv", {"base": str(VENV), "platbase": str(VENV)})
    Path(packages, "evdesk-checkout.pth").write_text(f"{ROOT}\n", encoding="locale")
    holds = {digest(lock), digest(RUNTIME_LOCK)}
    STAMP.write_text("\n".join([made_for(), *sorted(holds)]) + "\n", encoding="utf-8")
    say(f"Ready after {time.monotonic() - began:.0f} seconds. The next start takes none of this.")


def make_environment() -> None:
    """Make an empty virtual environment in place of whatever is there."""
    if VENV.exists():
        say("The set-up in .venv is unfinished, or of another Python or folder: making it anew.")
        try:
            shutil.rmtree(VENV)
        except OSError as error:
            raise SetUpError(f"Close evdesk and remove {VENV} by hand: {error}") from error
    say(f"Setting up evdesk in {VENV} (about a minute, once).")
    # run by the environment's own Python, this is the one that outlives the folder
    python = getattr(sys, "_base_executable", sys.executable)
    made = subprocess.run(
        [python, "-m", "venv", str(VENV)], capture_output=True, text=True, check=False
    )
    if made.returncode != 0:
        raise SetUpError(
            f"Python could not make a virtual environment:\n{made.stdout}{made.stderr}"
        )


def install(lock: Path) -> None:
    """Install the lock with pip, telling a person at a terminal how far it is."""
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", "install", "--no-input"]
    command += ["--require-hashes", "--only-binary", ":all:", "--no-deps", "-r", str(lock)]
    command += [
        "--no-compile"
    ]  # all of it takes half a minute; what is used compiles as it is used
    total = len(set(re.findall(r"^([\w.-]+)==", lock.read_text(encoding="utf-8"), re.MULTILINE)))
    say(f"Installing {total} libraries, each checked against its hash.")
    lines: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as pip:
        for line in pip.stdout or ():
            lines.append(line)
            show_progress(lines, total)
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K")
    if pip.returncode != 0:
        raise SetUpError(explain("".join(lines)))


def show_progress(lines: list[str], total: int) -> None:
    """Rewrite one line of a terminal; say nothing in a pipe."""
    if not sys.stderr.isatty():
        return
    fetched = re.findall(
        r"^(?:Collecting|Requirement already satisfied:) ([\w.-]+)", "".join(lines), re.MULTILINE
    )
    last = "unpacking" if lines[-1].startswith("Installing") else (fetched or ["starting"])[-1]
    sys.stderr.write(f"\r\033[K  {len(fetched)} of {total}: {last}")
    sys.stderr.flush()


def explain(output: str) -> str:
    """Turn what pip said into what happened and what to do."""
    if "DO NOT MATCH THE HASHES" in output:
        return "A fetched library is not the one evdesk was tested with; it was not installed."
    lines = output.splitlines()
    tail = "\n".join([line for line in lines if line.startswith("ERROR")] or lines[-12:])
    if re.search(
        r"name resolution|NewConnectionError|ConnectTimeout|ReadTimeout|ProxyError", output
    ):
        return f"The libraries could not be fetched. Is this machine online? pip says:\n\n{tail}"
    return f"The libraries could not be installed. pip says:\n\n{tail}"


# --- the commands -------------------------------------------------------------------------------


def run_program(arguments: list[str]) -> int:
    """Become `python -m evdesk`, so that signals and the exit code are its own."""
    command = [str(PYTHON), "-m", "evdesk", *arguments]
    if os.name != "nt":
        os.execv(PYTHON, command)  # noqa: S606 - no shell is what we want
    return subprocess.run(command, check=False).returncode  # on Windows, exec would not wait


def run_checks() -> bool:
    """Run the static checks; the first that fails tells why and ends them."""
    for name, command in CHECKS.items():
        began = time.monotonic()
        done = subprocess.run(
            [str(SCRIPTS / command[0]), *command[1:]],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
        failed = done.returncode != 0
        if failed:
            print(done.stdout)
        print(line_of(name, failed=failed, seconds=time.monotonic() - began), flush=True)
        if failed:
            return False
    return True


def line_of(name: str, *, failed: bool, seconds: float) -> str:
    """One line of the summary."""
    return f"{'FAILED' if failed else 'passed':7} {name:17} {seconds:6.1f} s"


def run_pytest(arguments: list[str]) -> int:
    """Run pytest without a display; answers its exit code."""
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    command = [str(PYTHON), "-m", "pytest", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


def with_workers(arguments: list[str]) -> list[str]:
    """A whole run is shared by the processors, file by file; a chosen test runs by itself.

    Files keep their order, so that the longest ones are not left for the end; one more at a time
    than there are processors, as many of them wait for sockets and clocks.
    """
    is_whole = not [each for each in arguments if each != "--all"]
    workers = str((os.cpu_count() or 1) + 1)
    shared = ["-n", workers, "--dist", "loadfile", "--no-loadscope-reorder"]
    return [*shared, *arguments] if is_whole else arguments


def run_test(arguments: list[str]) -> int:
    """Every check, then every test; the exit code is 0 only if all of them passed."""
    if not run_checks():
        return 1
    began = time.monotonic()
    code = run_pytest(with_workers(arguments))
    print(line_of("pytest", failed=code != 0, seconds=time.monotonic() - began))
    return code


def run_bench(arguments: list[str]) -> int:
    """The benchmarks alone: they say how fast, not whether right."""
    return run_pytest(["tests/benchmarks", "-s", *arguments])


def main(arguments: list[str]) -> int:
    """Set up what the command needs, then run it; 2 if the set-up cannot be finished."""
    if sys.version_info < (3, 11):  # noqa: UP036 - this file must say so before anything else
        say(f"evdesk needs Python 3.11 or newer; this is {sys.version.split()[0]}.")
        return 2
    command, *rest = arguments or ["--help"]
    commands: dict[str, tuple[Path, Callable[[], int]]] = {
        "demo": (RUNTIME_LOCK, lambda: run_program(["demo", *rest])),
        "evdesk": (RUNTIME_LOCK, lambda: run_program(rest)),
        "test": (DEV_LOCK, lambda: run_test(rest)),
        "bench": (DEV_LOCK, lambda: run_bench(rest)),
    }
    if command not in commands:
        print(__doc__)
        return 0 if command in {"-h", "--help"} else 2
    lock, run = commands[command]
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # or every start compiles pandas: 4 s for 1
    try:
        ensure_packages()
        ensure_libraries(lock)
        return run()
    except SetUpError as error:
        say(f"\n{error}")
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
