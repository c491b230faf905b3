"""Words that makers print as examples, with the values they print beside them."""

import pytest

from tests.devices.known import DATA, Device, quick_profiles, readings
from tests.devices.words import usual_options

# ABB A43 manual 2CMC48001M0201, 9.11.1: the answer to 05 03 50 00 00 24.
ABB = """
0000 0000 000D 1290  0000 0000 0003 1209  0000 0000 000A 0086  0000 0000 0004 1705
0000 0000 0001 2B18  0000 0000 0002 EBED  0000 0000 000E A7FE  0000 0000 0003 DB92
0000 0000 000A CC6C
"""


@pytest.fixture
def read(tmp_path):
    """Return the reading of a device that holds these words from an address on."""

    def read(profile, function, address, words):
        device = Device(profile, usual_options(DATA[profile]))
        device.put_values()
        for offset, word in enumerate(words.split()):
            device.memory.words[None, function, address + offset] = int(word, 16)
        folder = tmp_path / f"{function}-{address}"
        folder.mkdir()
        (found,) = readings(quick_profiles(folder, [profile]), device)
        return found[1]

    return read


def test_abb_reads_8567_20_kwh(read):
    reading = read("abb-b23-b24", "holding", 0x5000, ABB)
    assert reading.import_wh == 8_567_200
    assert reading.import_raw.hex() == "00000000000d1290"


def test_abb_means_no_value_by_all_ones(read):
    assert read("abb-b23-b24", "holding", 0x5000, "FFFF FFFF FFFF FFFF").import_wh is None


def test_eastron_reads_230_2_volts(read):
    """SDM630 Modbus protocol: the answer 43 66 33 34 to a read of register 30001."""
    assert read("eastron-sdm630", "input", 0, "4366 3334").voltages_v[0] == 230.2


def test_saia_reads_9123_51_kwh(read):
    """ALE3 datasheet, page 6: high word 13, low word 60383; the second tariff stands at 0 here."""
    reading = read("sbc-ale3", "holding", 27, "000D EBDF 0000 0000 0000 0000")
    assert reading.import_wh == 9_123_510
    assert reading.import_raw.hex() == "000debdf" + "00000000"


def test_phoenix_reads_123_456_with_the_low_word_first(read):
    """EMpro manual 109357, 11.6: register n holds 0xE979, n + 1 holds 0x42F6."""
    assert read("phoenix-eem-mb370", "holding", 32774, "E979 42F6").voltages_v[0] == 123.5
    assert read("phoenix-eem-mb370", "holding", 32782, "E979 42F6").currents_a[0] == 123.456


def test_goe_reads_12_3_a(read):
    """go-eCharger API v2, Modbus: 123 equals 12.3 A."""
    assert read("goe-gemini", "input", 114, "0000 007B").currents_a[0] == 12.3


def test_goe_reads_6_kw(read):
    """Issue 163 of that page: 6000 W read as 600000, where it printed 0.01 kW."""
    assert read("goe-gemini", "input", 120, "0009 27C0").power_w == 6_000


def test_goe_reads_277_wh_of_a_session(read):
    """The same: 100000 means 1000000 Ws, which is 277 Wh."""
    signs = read("goe-gemini", "input", 132, "0001 86A0").signs
    assert signs is not None
    assert signs.session_wh == 277
