"""A process that dies leaves neither an image of its memory nor words of its data."""

import subprocess
import sys

import pytest

from evdesk.bootstrap.hardening import told_of

NAME = "Eva"


def failing(name: str) -> None:
    try:
        dict[str, str]()[name]
    except KeyError as error:
        raise ValueError(f"no {name}") from error


def test_an_error_is_told_by_where_it_came_from_and_not_by_what_it_says() -> None:
    name = NAME  # the line that is shown does not hold it
    with pytest.raises(ValueError, match=f"no {name}") as caught:
        failing(name)
    told = told_of(caught.value)
    assert name not in told
    assert "in failing: raise ValueError" in told
    assert "builtins.ValueError" in told
    assert "after:" in told
    assert "builtins.KeyError" in told


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of that kind")
def test_no_memory_image_is_left() -> None:
    code = (
        "import resource; from evdesk.bootstrap.hardening import harden; harden();"
        "print(resource.getrlimit(resource.RLIMIT_CORE))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "(0, 0)"
