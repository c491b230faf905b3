"""A process that is killed leaves whole transactions and nothing else."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from evdesk.domain.secrets import Secret
from tests.storage.sites import EVA, add_meter, opened, persons_of, writing

ROOT = Path(__file__).resolve().parents[2]
PRELUDE = """
import sys
from pathlib import Path
from evdesk.domain.secrets import Secret
from tests.storage.sites import EVA, add_meter, opened, reading, writing
store = opened(Path(sys.argv[1]), Secret(bytes.fromhex(sys.stdin.readline())))
"""
JOURNAL = """
batch = 0
while True:
    with store.journal() as unit:
        unit.readings.add([reading(1, 20 * batch + n) for n in range(20)])
    batch += 1
    print(batch, flush=True)
"""
HALF_WAY = """
with writing(store) as unit:
    unit.drivers.add(EVA)
    unit.readings.add([reading(1, n) for n in range(10_000)])
    print("half way", flush=True)
    sys.stdin.read()
"""


@contextmanager
def child(code: str, folder: Path, data_key: Secret) -> Iterator[subprocess.Popen[str]]:
    """A process at work on the site, killed at the end of the block."""
    command = [sys.executable, "-c", PRELUDE + code, str(folder)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        process.stdin.write(data_key.reveal().hex() + "\n")
        process.stdin.flush()
        yield process
        process.kill()
        process.communicate()


@pytest.fixture
def meter(folder, data_key) -> None:
    store = opened(folder, data_key)
    with writing(store) as unit:
        add_meter(unit)
    store.close()


@pytest.mark.usefixtures("meter")
def test_every_committed_batch_is_there_and_no_half_of_one(folder, data_key) -> None:
    with child(JOURNAL, folder, data_key) as process:
        assert process.stdout is not None
        told = [int(process.stdout.readline()) for _ in range(50)]
    store = opened(folder, data_key)
    with store.read() as unit:
        kept = unit.readings.count()
    store.close()
    assert kept % 20 == 0
    assert kept >= 20 * told[-1]


@pytest.mark.usefixtures("meter")
def test_nothing_is_left_of_a_transaction_killed_half_way(folder, data_key) -> None:
    with child(HALF_WAY, folder, data_key) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "half way\n"
        assert persons_of(folder, data_key).pending() == [EVA.id]
    store = opened(folder, data_key)
    with store.read() as unit:
        assert (unit.readings.count(), unit.drivers.all()) == (0, [])
    store.close()
    assert persons_of(folder, data_key).keyrings() == {}
