"""Folders of files that appear whole or not at all."""

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from evdesk.domain.errors import UserError
from evdesk.ports import PackageFile
from evdesk.storage import keys

OWNER_ONLY, OWNERS_FILE = 0o700, 0o600


@contextmanager
def saving_folder(path: Path) -> Iterator[Callable[[Sequence[PackageFile]], None]]:
    """Give what writes files into a folder that appears when the block ends; a failure leaves none.

    The folder must be new or empty. It and its files are for who writes them only.

    Raises:
        UserError: it is a file, not empty or that of a site, or cannot be written.

    """
    _check_free(path)
    partial = path.with_name(f".{path.name}.{os.getpid()}.part")

    def write(files: Sequence[PackageFile]) -> None:
        for one in files:
            descriptor = os.open(
                partial / one.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, OWNERS_FILE
            )
            with os.fdopen(descriptor, "wb") as file:
                file.write(one.content)

    try:
        partial.mkdir(OWNER_ONLY)
        yield write
        if path.exists():
            path.rmdir()
        partial.rename(path)
    except OSError as error:
        raise UserError(
            "{path} cannot be written: {why}. Nothing was saved.", path=path, why=error.strerror
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)  # renamed by now, unless something failed


_BINARY = getattr(os, "O_BINARY", 0)  # Windows would change line ends


def _check_free(path: Path) -> None:
    for folder in (path, path.parent):
        if (folder / keys.KEYS).exists() or (folder / keys.SECOND).exists():
            raise UserError(
                "{folder} is the folder of a site. Nothing was saved: choose another folder.",
                folder=folder,
            )
    if path.is_dir() and not any(path.iterdir()):
        return
    if path.exists():
        raise UserError(
            "{path} exists already and is not empty. Nothing was saved: name a new folder.",
            path=path,
        )
