"""Pseudo-terminals, which stand for serial lines: a bare container may have none to give."""

import os

import pytest


def has_terminals() -> bool:
    """Whether the system makes a pair."""
    try:
        ends = os.openpty()
    except (AttributeError, OSError):
        return False
    for end in ends:
        os.close(end)
    return True


needs_terminals = pytest.mark.skipif(not has_terminals(), reason="needs pseudo-terminals")
