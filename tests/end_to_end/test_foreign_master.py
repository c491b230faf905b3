"""A Modbus master that is not ours reads the simulator: mbpoll of Debian, which uses libmodbus."""

import json
import re
import shutil
import subprocess
import sys
from contextlib import contextmanager

import pytest

pytestmark = pytest.mark.skipif(
    shutil.which("mbpoll") is None, reason="needs mbpoll (apt-get install mbpoll)"
)

# 3,450 W on three phases; the counters of the others stand still, so that they can be compared.
SCENARIO = """schema_version = 1
name = "foreign master"
[[device]]
name = "float"
profile = "eastron-sdm630"
unit = 1
bus = "line"
initial_wh = 1_234_560
[[device]]
name = "loaded"
profile = "eastron-sdm630"
unit = 2
bus = "line"
base_w = 3_450
[[device]]
name = "four words"
profile = "abb-b23-b24"
unit = 31
bus = "line"
initial_wh = 98_765_432_100
[[device]]
name = "two words"
profile = "heidelberg-energy-control"
unit = 247
bus = "line"
initial_wh = 70_001
"""


@pytest.fixture(params=["rtu", "tcp"])
def master(request, tmp_path):
    """Return what asks a simulated unit with mbpoll, over a serial line or over TCP."""
    options = ["--pty", "--baud", "9600"] if request.param == "rtu" else []
    with served(tmp_path, *options) as url:
        place = url.partition("://")[2].partition("?")[0]
        if request.param == "rtu":
            target = ["-m", "rtu", "-b", "9600", "-P", "none", place]
        else:
            host, port = place.split(":")
            target = ["-m", "tcp", "-p", port, host]

        def ask(unit, kind, address, count=1):
            what = ["-a", str(unit), "-t", kind, "-0", "-r", str(address), "-c", str(count)]
            command = ["mbpoll", *what, "-B", "-1", "-o", "2", *target]
            done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
            found = re.findall(r"^\[(\d+)\]:\s+(\S+)", done.stdout, re.MULTILINE)
            assert [int(at) for at, _ in found] == _addresses(kind, address, count) * bool(found)
            return [value for _, value in found] or done.stderr.strip()

        yield ask


@contextmanager
def served(folder, *options):
    """Run the simulator as people do; return the URL of its one bus."""
    scenario = folder / "scenario.toml"
    scenario.write_text(SCENARIO, encoding="utf-8")
    command = [sys.executable, "-m", "evdesk", "simulate", str(scenario), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        assert child.stdout is not None
        devices = json.loads(child.stdout.readline())["devices"]
        yield devices[0]["url"]
        child.terminate()
        out, err = child.communicate(timeout=20)
        assert (set(json.loads(out)), err) == ({"served"}, b"")


def _addresses(kind, first, count):
    step = 2 if kind.endswith(("float", "int")) else 1
    return [first + step * number for number in range(count)]


def test_mbpoll_reads_what_the_simulator_measures(master):
    assert master(1, "3:float", 342) == ["1234.56"]  # kWh
    assert [float(text) for text in master(2, "3:float", 12, 3)] == [1150.0] * 3  # W
    volts = [float(text) for text in master(2, "3:float", 0, 3)]
    amperes = [float(text) for text in master(2, "3:float", 6, 3)]
    assert all(227 < volt < 233 for volt in volts)
    for volt, ampere in zip(volts, amperes, strict=True):
        assert volt * ampere == pytest.approx(1150, rel=1e-4)
    words = master(31, "4:hex", 0x5000, 4)
    assert int("".join(word.removeprefix("0x") for word in words), 16) == 9_876_543_210  # 0.01 kWh
    assert master(247, "3:int", 17) == ["70001"]  # Wh


def test_mbpoll_understands_what_the_simulator_refuses(master):
    assert "Illegal data address" in master(247, "3", 60_000)
    assert "Illegal function" in master(247, "0", 5)
    assert "timed out" in master(99, "3", 5)
