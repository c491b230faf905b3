"""What keeps secrets and people out of places where nobody looks for them."""

import ctypes
import os
import sys
import traceback
from types import TracebackType

SEM_FAILCRITICALERRORS, SEM_NOGPFAULTERRORBOX = 0x0001, 0x0002


def harden() -> None:
    """Leave no memory image when the process dies: it would hold keys and names in plain text."""
    if os.name == "posix":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    elif sys.platform == "win32":
        ctypes.windll.kernel32.SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOGPFAULTERRORBOX)


def told_of(error: BaseException) -> str:
    """Return where an error came from, without what it says: that may name a person."""
    lines, seen = list[str](), error
    while seen is not None:
        lines += [*_places(seen.__traceback__), f"{type(seen).__module__}.{type(seen).__name__}"]
        cause = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
        if cause is None:
            break
        lines, seen = [*lines, "", "after:"], cause
    return "\n".join(lines) + "\n"


def _places(where: TracebackType | None) -> list[str]:
    return [
        f"{frame.filename}:{frame.lineno} in {frame.name}: {frame.line}"
        for frame in traceback.extract_tb(where)
    ]
