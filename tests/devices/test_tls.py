"""Modbus/TCP Security over real sockets: who is let in, who is not, and what is said of it."""

import asyncio
import os
import socket
import ssl
import tempfile
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from evdesk.devices.connection import NoAnswer, Unreachable
from evdesk.devices.modbus import ModbusDevices
from evdesk.devices.simulator.depot import Depot
from evdesk.devices.simulator.listening import Links
from evdesk.devices.simulator.scenario import Device, Scenario
from evdesk.devices.tls import client_context, expires_at
from evdesk.devices.urls import Address
from evdesk.domain.errors import UserError
from evdesk.settings import Polling
from tests.devices.papers import DAY, Authority
from tests.devices.support import ONE, START, SetClock, meter, server, wall_devices

QUICK = Polling(timeout_s=2.0, backoff_first_s=0.02, backoff_last_s=0.02, reconnect_s=0.02)
DEVICE = Device("bay", "heidelberg-energy-control", initial_wh=4_711)


@pytest.fixture
def ours(tmp_path):
    return Authority(tmp_path / "ours")


@pytest.fixture
def theirs(tmp_path):
    return Authority(tmp_path / "theirs", "Another CA")


@pytest.fixture
def box(ours):
    """What a well set-up device shows."""
    return ours.papers("box", "127.0.0.1", "localhost")


@pytest.fixture
def desk(ours):
    """What a well set-up evdesk shows."""
    return ours.papers("desk")


@asynccontextmanager
async def secured_depot(papers, *, stepped=False):
    scenario = Scenario(devices=(DEVICE,), start_at=START)
    depot = Depot(scenario, stepped=stepped, links=Links(papers=papers))
    await depot.start()
    try:
        yield int(str(depot.addresses()[0]["url"]).partition("?")[0].rsplit(":", 1)[1])
    finally:
        await depot.stop()
        await asyncio.sleep(0.02)


def url_of(port, papers, host="127.0.0.1"):
    return Address(host, port, is_rtu=False, papers=papers).bus


async def read_once(devices, url):
    chosen = {"layout": "1.0.7"}  # so that it need not be asked
    reader = devices.reader(meter(url, DEVICE.profile, choices=chosen), ONE)
    (reading,) = await reader.read()
    return reading.import_wh


def read_through(served, shown, host="127.0.0.1"):
    """Read a depot that shows one set of papers with another; return the energy or the refusal."""

    async def main():
        async with secured_depot(served) as port, wall_devices(polling=QUICK) as devices:
            url = url_of(port, shown, host)
            try:
                return await read_once(devices, url)
            except NoAnswer as error:
                return str(error).replace(str(port), "PORT")

    return asyncio.run(main())


# -- what works -----------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_secured_device_is_read(box, desk, host):
    assert read_through(box, desk, host) == 4_711


def test_the_url_that_the_simulator_prints_can_be_read_as_it_is(box):
    async def main():
        depot = Depot(Scenario(devices=(DEVICE,), start_at=START), links=Links(papers=box))
        await depot.start()
        try:
            async with wall_devices(polling=QUICK) as devices:
                return await read_once(devices, str(depot.addresses()[0]["url"]))
        finally:
            await depot.stop()
            await asyncio.sleep(0.02)

    assert asyncio.run(main()) == 4_711


def test_a_demo_site_reads_a_secured_depot_in_stepped_time(box, desk):
    async def main():
        async with secured_depot(box, stepped=True) as port:
            devices = ModbusDevices(SetClock(), stepped=True)
            try:
                reader = devices.reader(meter(url_of(port, desk), DEVICE.profile), ONE)
                await devices.tell_instant(START)
                return (await reader.read())[0].import_wh
            finally:
                await devices.close()
                await asyncio.sleep(0.02)

    assert asyncio.run(main()) == 4_711


def test_renewed_files_are_used_from_the_next_connection_on(ours, theirs, box):
    """The collector of a site runs for months."""
    old = ours.papers("desk", lasts=2 * DAY)

    async def main():
        async with secured_depot(box) as port, wall_devices(polling=QUICK) as devices:
            url = url_of(port, old)
            stranger = theirs.papers("desk")
            before = old.cert.read_bytes(), old.key.read_bytes()
            old.cert.write_bytes(stranger.cert.read_bytes())
            old.key.write_bytes(stranger.key.read_bytes())
            with pytest.raises(NoAnswer):
                await read_once(devices, url)
            old.cert.write_bytes(before[0])
            old.key.write_bytes(before[1])
            await asyncio.sleep(0.05)
            return await read_once(devices, url)

    assert asyncio.run(main()) == 4_711


def test_a_certificate_says_how_long_it_is_valid(ours):
    begins_at = datetime(2026, 1, 1, tzinfo=UTC)
    papers = ours.papers("desk", begins_at=begins_at, lasts=10 * DAY)
    assert expires_at(papers.cert) == begins_at + 10 * DAY


# -- what the device shows ------------------------------------------------------------------------


def test_an_expired_device_is_refused(ours, desk):
    served = ours.papers("box", "127.0.0.1", begins_at=datetime.now(UTC) - 9 * DAY, lasts=8 * DAY)
    # The depot would not start with it, so it is served by hand.
    assert _by_hand(served, desk) == (
        "127.0.0.1 port PORT shows a certificate that has expired: it needs a new one."
    )


def test_a_device_of_tomorrow_is_refused(ours, desk):
    served = ours.papers("box", "127.0.0.1", begins_at=datetime.now(UTC) + DAY)
    assert _by_hand(served, desk) == (
        "127.0.0.1 port PORT shows a certificate that is not valid yet: compare the clocks of"
        " device and computer."
    )


def test_a_device_that_another_authority_vouches_for_is_refused(ours, theirs, desk):
    served = theirs.papers("box", "127.0.0.1", trusts=ours)
    assert read_through(served, desk) == (
        f"127.0.0.1 port PORT shows a certificate that {desk.ca} does not vouch for."
    )


def test_the_certificate_of_another_host_is_refused(ours, desk):
    served = ours.papers("box", "192.0.2.7", "meter.example")
    for host in ("127.0.0.1", "localhost"):
        assert read_through(served, desk, host) == (
            f"{host} port PORT shows the certificate of another host, not of {host}."
        )


def test_a_device_without_encryption_is_refused_and_there_is_no_way_back_to_it(desk):
    heard = []

    async def plain(reader, writer):
        heard.append(await reader.read(100))
        writer.write(b"\x00\x01\x00\x00\x00\x03\x01\x84\x01")
        await asyncio.sleep(1)

    async def main():
        async with server(plain) as port, wall_devices(polling=QUICK) as devices:
            with pytest.raises(Unreachable) as caught:
                await read_once(devices, url_of(port, desk))
            return str(caught.value).replace(str(port), "PORT")

    assert asyncio.run(main()) == (
        "127.0.0.1 port PORT does not speak TLS; it may be a port for plain Modbus (tcp://)."
    )
    assert heard[0][:1] == b"\x16"  # a handshake; not one word of Modbus
    assert len(heard) == 1


def test_a_device_that_says_nothing_to_tls_is_told_apart(desk):
    async def silent(reader, writer):
        await asyncio.sleep(5)

    short = replace(QUICK, timeout_s=0.2)

    async def main():
        async with server(silent) as port, wall_devices(polling=short) as devices:
            with pytest.raises(Unreachable, match="did not secure the connection in time; it may"):
                await read_once(devices, url_of(port, desk))

    asyncio.run(main())


def test_a_device_that_hangs_up_on_tls_is_told_apart(desk):
    async def closing(reader, writer):
        await reader.read(1)

    async def main():
        async with server(closing) as port, wall_devices(polling=QUICK) as devices:
            with pytest.raises(Unreachable, match="closed the connection while it was being sec"):
                await read_once(devices, url_of(port, desk))

    asyncio.run(main())


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated")
def test_tls_1_1_is_refused(box, desk):
    def old(context):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        context.set_ciphers("ALL:@SECLEVEL=0")

    assert _by_hand(box, desk, old) == (
        "127.0.0.1 port PORT does not speak TLS 1.2 or later; older ones are not safe."
    )


def test_tls_1_2_is_enough(box, desk):
    def older(context):
        context.maximum_version = ssl.TLSVersion.TLSv1_2

    told = _by_hand(box, desk, older)
    assert told.startswith("127.0.0.1 port PORT unit 1 closed the connection without a word")


def _by_hand(served, shown, setting=None):
    """Secure a port with papers and settings that the simulator would not take; read it.

    The server is a plain one with a thread: unlike asyncio's it sends its alert before it closes.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(served.cert, served.key)
    context.load_verify_locations(served.ca)
    context.verify_mode = ssl.CERT_REQUIRED
    if setting is not None:
        setting(context)

    def serve(listening):
        taken, _ = listening.accept()
        with taken.dup() as kept:  # closed with something unread it would reset, not say why
            with suppress(OSError), context.wrap_socket(taken, server_side=True) as secured:
                secured.recv(1)
            with suppress(OSError):
                kept.shutdown(socket.SHUT_WR)
                while kept.recv(1_000):
                    pass

    async def main(port):
        async with wall_devices(polling=QUICK) as devices:
            with pytest.raises(NoAnswer) as caught:
                await read_once(devices, url_of(port, shown))
            return str(caught.value).replace(str(port), "PORT")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=serve, args=[listening])
        thread.start()
        try:
            return asyncio.run(main(listening.getsockname()[1]))
        finally:
            thread.join()


# -- what we show ---------------------------------------------------------------------------------


def test_the_simulator_lets_nobody_in_without_a_certificate(ours, box):
    context = ssl.create_default_context(cafile=str(ours.file))

    async def main():
        async with secured_depot(box) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
            writer.write(bytes.fromhex("0001 0000 0006 01 04 0005 0001"))
            with suppress(ConnectionError):
                assert await reader.read(1) == b""
            writer.transport.abort()

    asyncio.run(main())


def test_a_device_that_does_not_know_our_authority_is_explained(ours, theirs, box):
    shown = theirs.papers("desk", trusts=ours)
    assert _by_hand(box, shown) == (
        f"127.0.0.1 port PORT unit 1 does not know who issued our certificate {shown.cert}."
    )


def test_a_device_that_gives_no_reason_is_asked_about(ours, theirs, box):
    shown = theirs.papers("desk", trusts=ours)
    assert read_through(box, shown) == (
        "127.0.0.1 port PORT unit 1 closed the connection without a word; it may not accept our"
        f" certificate {shown.cert}."
    )


def test_our_own_expired_certificate_is_named_before_anything_is_sent(ours, box):
    shown = ours.papers("desk", begins_at=datetime.now(UTC) - 9 * DAY, lasts=8 * DAY)
    ended_on = (datetime.now(UTC) - DAY).date()
    assert read_through(box, shown) == (
        f"The certificate {shown.cert} expired on {ended_on}: ask who issued it for a new one."
    )


def test_a_key_with_a_password_is_refused(ours, box):
    shown = ours.papers("desk", password=b"secret")
    assert read_through(box, shown) == (
        f"The private key {shown.key} has a password, and nobody is there to type it when the"
        " collector starts: save it without one, readable for its owner only."
    )


def test_a_key_of_another_certificate_is_refused(ours, box, desk):
    other = ours.papers("other")
    assert read_through(box, replace(desk, key=other.key)) == (
        f"The private key {other.key} does not belong to the certificate {desk.cert}."
    )


@pytest.mark.parametrize("which", ["ca", "cert", "key"])
def test_a_file_that_is_not_there_is_named(box, desk, which):
    gone = desk.ca.with_name("gone.pem")
    told = read_through(box, replace(desk, **{which: gone}))
    assert told == f"{gone} cannot be read: No such file or directory."


@pytest.mark.parametrize("which", ["ca", "cert", "key"])
@pytest.mark.parametrize("content", [b"", b"\x30\x82\x01\x0a", b"certificate: no", "ü".encode()])
def test_a_file_that_is_no_pem_is_named(box, desk, which, content, tmp_path):
    wrong = tmp_path / "wrong.pem"
    wrong.write_bytes(content)
    told = read_through(box, replace(desk, **{which: wrong}))
    kind = "private key" if which == "key" else "certificate"
    assert told == (
        f"{wrong} holds no {kind} in PEM form (a text with '-----BEGIN {kind.upper()}-----')."
    )


@pytest.mark.parametrize("which", ["ca", "cert", "key"])
def test_a_file_that_was_cut_off_is_named(box, desk, which, tmp_path):
    whole = getattr(desk, which).read_text()
    cut = tmp_path / "cut.pem"
    cut.write_text(whole[: len(whole) // 2])
    assert read_through(box, replace(desk, **{which: cut})).startswith(f"{cut} holds no ")


def test_files_that_were_swapped_are_named(box, desk):
    told = read_through(box, replace(desk, cert=desk.key, key=desk.cert))
    assert told.startswith(f"{desk.key} holds no certificate")
    told = read_through(box, replace(desk, key=desk.ca))
    assert told.startswith(f"{desk.ca} holds no private key")
    told = read_through(box, replace(desk, ca=desk.key))
    assert told.startswith(f"{desk.key} holds no certificate")


def test_a_file_that_may_not_be_read_is_named(tmp_path):
    is_root = os.geteuid() == 0
    expires_at(Authority(tmp_path).file)  # loads what must not be loaded by nobody
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        authority = Authority(Path(folder))
        desk = authority.papers("desk")
        desk.key.chmod(0)
        if is_root:
            os.seteuid(65_534)  # the administrator may read everything
        try:
            with pytest.raises(UserError) as caught:
                client_context(desk)
        finally:
            if is_root:
                os.seteuid(0)
    assert str(caught.value) == f"{desk.key} cannot be read: Permission denied."


def test_the_simulator_refuses_files_that_cannot_be(desk, tmp_path):
    with pytest.raises(UserError, match=r"gone\.pem cannot be read"):
        Depot(
            Scenario(devices=(DEVICE,)),
            links=Links(papers=replace(desk, cert=tmp_path / "gone.pem")),
        )


def test_the_device_is_asked_for_no_more_than_the_wait_allows(desk):
    """A file that is wrong stays wrong for a while: the collector does not look every cycle."""
    wrong = replace(desk, ca=Path("/nowhere/ca.pem"))

    async def main():
        async with wall_devices() as devices:
            reader = devices.reader(meter(url_of(1, wrong), DEVICE.profile), ONE)
            told = set()
            for _ in range(3):
                with pytest.raises(Unreachable) as caught:
                    await reader.read()
                told.add(type(caught.value).__name__)
            return told

    assert asyncio.run(main()) == {"Unreachable", "TooEarly"}
