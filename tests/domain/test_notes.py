"""Checkpoints as text: the C2SP form, with a vector made by other hands."""

import base64
from hashlib import sha256

import pytest

from evdesk.domain import notes
from evdesk.domain.notes import Head, Verifier

VKEY = "evdesk.example/site-1+5fc56a28+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4"
ROOT = bytes.fromhex("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")
NOTE = """evdesk.example/site-1
8
XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=

\u2014 evdesk.example/site-1 X8VqKAz+h6X70gtWZdfO/KyT7ycRC2J5UT0VPcrdp7izfIfq9a3toUEq83Nzdq35s1u4ff9KM9AoOuy3OGjkZssUrAw=
"""  # noqa: E501


def test_a_checkpoint_reads_as_it_was_written() -> None:
    found = notes.parse(NOTE)
    assert found.head == Head(8, ROOT)
    assert found.origin == "evdesk.example/site-1"
    assert found.body.decode() == notes.body(found.origin, found.head)
    key = notes.parse_verifier(VKEY)
    assert found.key_id == key.key_id()
    assert notes.note(found.body.decode(), key, found.signature) == NOTE


def test_a_key_reads_as_it_was_written() -> None:
    key = notes.parse_verifier(VKEY)
    assert key.name == "evdesk.example/site-1"
    assert str(key) == VKEY
    keys = [Verifier("s", sha256(bytes([n])).digest()) for n in range(99)]
    plus = next(key for key in keys if str(key).count("+") > 2)
    assert notes.parse_verifier(str(plus)) == plus


@pytest.mark.parametrize(
    "text",
    [
        *("", "8", "8:", ":AAAA", "08:" + base64.b64encode(ROOT).decode(), "x:AAAA"),
        *("-1:" + base64.b64encode(ROOT).decode(), "8:" + base64.b64encode(ROOT[1:]).decode()),
    ],
)
def test_what_is_no_head_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"head|cut short|base64"):
        notes.parse_head(text)


def test_a_head_is_read_from_paper() -> None:
    head = Head(8, ROOT)
    assert notes.parse_head(f" {head}\n") == head


@pytest.mark.parametrize(
    "text",
    [
        "",
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("\u2014", "-"),
        NOTE.replace("\n8\n", "\n08\n"),
        NOTE.replace("\n8\n", "\n8\n9\n"),
        NOTE.replace("X8Vq", "X8V"),
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"checkpoint|head|base64|cut short"):
        notes.parse(text)


@pytest.mark.parametrize("text", ["", "a+b", VKEY.replace("5fc5", "5fc6"), VKEY[:-4]])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"name\+id|base64|cut short"):
        notes.parse_verifier(text)
