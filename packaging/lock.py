"""Write the two lock files anew: `python packaging/lock.py [--upgrade]`. Needs uv in that Python.

They hold every version and the hashes of every wheel, for Windows, macOS and Linux and each Python
from 3.11 on, and name no index: whoever installs decides where packages come from, the hashes
decide that they are the right ones.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RUNTIME = "packaging/requirements.txt"
DEV = "packaging/requirements-dev.txt"


def compile_lock(output: str, *arguments: str) -> None:
    """Resolve pyproject.toml into one lock file; pins that still fit stay, unless `--upgrade`."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--quiet"]
    command += ["--no-config", "--universal", "--python-version", "3.11", "--generate-hashes"]
    command += ["--no-emit-index-url", "--no-emit-find-links"]
    command += ["--custom-compile-command", "python packaging/lock.py"]
    command += ["--output-file", output, *arguments]
    subprocess.run(command, cwd=ROOT, check=True)


def main() -> None:
    """Resolve the runtime lock first, then the developers' lock held to the same versions."""
    compile_lock(RUNTIME, *sys.argv[1:])
    compile_lock(DEV, "--extra", "dev", "--constraint", RUNTIME, *sys.argv[1:])


if __name__ == "__main__":
    main()
