"""Real processes: one collector a site, ended in order; two who issue at once."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.cli.shell import Shell, fails

SCENARIO = """\
schema_version = 1

[[device]]
name = "Bay 1"
profile = "eastron-sdm630"
initial_wh = 4_812_347
"""


@contextmanager
def ended(child: "subprocess.Popen[str]") -> Iterator["subprocess.Popen[str]"]:
    """Leave no process behind, whatever fails."""
    with child:
        try:
            yield child
        finally:
            if child.poll() is None:
                child.kill()


@pytest.fixture
def charger(shell: Shell, tmp_path: Path) -> Iterator[str]:
    """The URL of a simulated charger."""
    scenario = tmp_path / "depot.toml"
    scenario.write_text(SCENARIO)
    with ended(shell.start("simulate", scenario)) as simulator:
        assert simulator.stdout is not None
        yield json.loads(simulator.stdout.readline())["devices"][0]["url"]
        simulator.send_signal(signal.SIGTERM)
        assert simulator.wait(10) == 0


def wait_for_collector(shell: Shell) -> None:
    for _ in range(100):
        if shell.json("info")["collector"] == "running":
            return
        time.sleep(0.05)
    pytest.fail("the collector did not start")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
def test_an_answer_that_finds_no_space_is_no_bug() -> None:
    command = [sys.executable, "-m", "evdesk", "--version"]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "no space is left" in done.stderr


def test_a_real_device_is_read_and_listed(shell: Shell, charger: str) -> None:
    profile = ("--profile", "eastron-sdm630", "--unit", "1")
    added = shell.json("meter", "add", "--name", "sim", *profile, "--url", charger)
    assert added["answered"]
    values = shell.json("meter", "probe", charger, *profile)
    assert {"name", "address", "value", "unit", "raw", "remark"} <= set(values[0])
    tally = shell.json("collect", "--seconds", "2")
    assert tally["readings"] >= 2
    assert shell.json("info")["readings"] == tally["readings"]
    meter = next(m for m in shell.json("meter", "list") if m["name"] == "sim")
    assert (meter["state"], meter["import_wh"] // 1000) == ("ok", 4_812)
    assert meter["last_read_at"].endswith("Z")
    assert meter["requests"] > 0
    assert meter["interval_s"] > 0


def test_there_is_one_collector_a_site_and_the_stop_row_ends_it(shell: Shell) -> None:
    with ended(shell.start("collect", "--json")) as first:
        wait_for_collector(shell)
        second = shell.run("collect", "--seconds", "1")
        assert second.code == 2
        fails(second, "A collector is running for this site already")
        info = shell.json("info")
        assert (info["pid"], info["since_at"][-1]) == (first.pid, "Z")
        assert shell.json("collect", "--stop") == {"stop": "requested"}
        out, err = first.communicate(timeout=20)
    assert (first.returncode, err) == (0, "")
    assert json.loads(out)["readings"] == 0
    assert shell.json("info")["collector"] == "stopped"
    assert shell.json("collect", "--stop") == {"stop": "not running"}


def test_a_signal_ends_the_collector_in_order(shell: Shell) -> None:
    with ended(shell.start("collect")) as collector:
        wait_for_collector(shell)
        collector.send_signal(signal.SIGTERM)
        out, err = collector.communicate(timeout=20)
    assert (collector.returncode, err) == (0, "")
    assert out.startswith("Stored 0 readings; a device did not answer")


def test_two_processes_that_issue_at_once_get_numbers_without_a_gap(shell: Shell) -> None:
    shell.json(
        "session", "assign", "2", "--driver", shell.json("driver", "add", "--name", "B")["id"]
    )
    drivers = [driver["id"] for driver in shell.json("driver", "list")]
    drafts = [
        shell.json("invoice", "draft", "--driver", d, "--month", "2026-03")["id"] for d in drivers
    ]
    children = [shell.start("invoice", "issue", draft, "--json") for draft in drafts]
    numbers = []
    for child in children:
        with ended(child):
            out, err = child.communicate(timeout=30)
            assert child.returncode == 0, err
            numbers.append(json.loads(out)["number"][-5:])
    assert sorted(numbers) == ["00001", "00002"]


def test_a_host_that_never_answers_is_given_up(shell: Shell) -> None:
    async def probe() -> None:
        gone = asyncio.Event()

        async def mute(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await gone.wait()
            writer.close()

        server = await asyncio.start_server(mute, "127.0.0.1", 0)
        url = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        try:
            args = ("meter", "probe", url, "--profile", "keba-p30")
            await asyncio.to_thread(shell.refused, 5, "127.0.0.1", *args)
        finally:
            gone.set()
            server.close()
            await server.wait_closed()

    asyncio.run(probe())


def test_a_reader_that_left_is_no_bug(shell: Shell) -> None:
    with ended(shell.start("meter", "profiles", "--json")) as child:
        assert child.stdout is not None
        child.stdout.close()
        assert child.wait(20) == 0
        assert child.stderr is not None
        assert child.stderr.read() == ""
