"""The anchor file: always whole to whoever reads it."""

import json
import os
import threading
from pathlib import Path

import pytest

from evdesk.domain.notes import Head
from evdesk.storage.anchor import ANCHOR, WIDTH, Anchor


def head(size: int) -> Head:
    return Head(size, size.to_bytes(32, "big"))


@pytest.mark.parametrize("size", [0, 1, 9, 10, 2**40, 5])
def test_what_is_put_is_read(tmp_path: Path, size: int) -> None:
    anchor = Anchor(tmp_path)
    anchor.put(head(10**9))
    anchor.put(head(size))
    assert Anchor(tmp_path).read() == head(size)
    content = (tmp_path / ANCHOR).read_bytes()
    assert len(content) == WIDTH
    assert json.loads(content)["size"] == size
    assert [file.name for file in tmp_path.iterdir()] == [ANCHOR]


def test_an_anchor_of_an_older_evdesk_is_read_and_goes_on(tmp_path: Path) -> None:
    text = '{"root":"' + str(head(7)).partition(":")[2] + '","size":7}\n'
    (tmp_path / ANCHOR).write_text(text + " " * 500)
    anchor = Anchor(tmp_path)
    assert anchor.read() == head(7)
    anchor.advance(head(8))
    assert Anchor(tmp_path).read() == head(8)
    assert (tmp_path / ANCHOR).stat().st_size == WIDTH


def test_half_a_write_is_no_anchor(tmp_path: Path) -> None:
    anchor = Anchor(tmp_path)
    anchor.put(head(7))
    before = (tmp_path / ANCHOR).read_bytes()
    anchor.put(head(9))
    after = (tmp_path / ANCHOR).read_bytes()
    for cut in range(1, WIDTH):
        torn = after[:cut] + before[cut:]
        (tmp_path / ANCHOR).write_bytes(torn)
        expected = {before: head(7), after: head(9)}.get(torn)
        if cut % 20 == 0 or expected is not None:  # looking again takes its time
            assert anchor.read() == expected


def test_a_reader_never_sees_half_a_write(tmp_path: Path) -> None:
    anchor = Anchor(tmp_path)
    anchor.put(head(1))
    heads = [head(n) for n in (9, 10, 2**33)]
    ended = threading.Event()

    def write() -> None:
        while not ended.is_set():
            for one in heads:
                anchor.put(one)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(500):
            assert Anchor(tmp_path).read() in {*heads, head(1)}
    finally:
        ended.set()
        writer.join()


@pytest.mark.skipif(os.name != "posix", reason="elsewhere nobody asks for permission bits")
def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    Anchor(tmp_path).put(head(1))
    assert (tmp_path / ANCHOR).stat().st_mode & 0o777 == 0o600
