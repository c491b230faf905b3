"""Every failure is one sentence and an exit code, and changes nothing."""

from pathlib import Path

import pytest

from evdesk.storage import keys
from tests.cli.shell import DEAD, Shell, fails, files
from tests.services.desk import PASSWORD, tariff_text

ADD = ("meter", "add", "--name", "x", "--profile", "keba-p30", "--url")


# -- what is asked for is not there ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("session show 99", "no session 99"),
        ("session show 99999999999999999999", "no session 999"),
        ("session show x", "no session x"),
        ("session list --station nix", "no station named nix"),
        ("session assign 1 99 --driver D-1", "no session 99"),
        ("session assign 1 --driver D-9", "no driver D-9"),
        ("driver retire D-9 --yes", "no driver D-9"),
        ("station rename nix a", "no station named nix"),
        ("station retire nix --yes", "no station named nix"),
        ("station add a --energy-from nix", "no meter named nix"),
        ("station default-driver bay1 D-9", "no driver D-9"),
        ("meter remove nix --yes", "no meter named nix"),
        ("meter interval nix 5", "no meter named nix"),
        ("meter add --name x --profile nix --url tcp://127.0.0.1", "no device profile 'nix'"),
        ("tariff assign nix", "no tariff nix"),
        ("tariff assign standard --station nix", "no station named nix"),
        ("invoice draft --driver D-9 --month 2026-03", "no driver D-9"),
        ("invoice issue nix", "no invoice nix"),
        ("invoice show nix", "no invoice nix"),
        ("invoice drop nix", "no invoice nix"),
        ("invoice export nix --out a.pdf", "no invoice nix"),
    ],
)
def test_an_unknown_id_is_named(shell: Shell, command: str, sentence: str) -> None:
    shell.refused(2, sentence, *command.split())


# -- what is asked for cannot be ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("invoice draft --driver D-1 --month 2026-3x", "'2026-3x' is not a month: write YYYY-MM"),
        ("invoice draft --driver D-1 --month 9999-12", "is not a month"),
        ("invoice export 1 --out a.xml", "not as .xml"),
        ("invoice export 1 --out a", "not as a file without a suffix"),
        ("export sessions --out a.pdf", "not to .pdf"),
        ("session list --from yesterday", "--from yesterday is no date"),
        ("session list --to 2026-02-30", "--to 2026-02-30 is no date"),
        ("session list --from 0001-01-01", "is no date"),
        ("tariff assign standard --from x", "--from x is no date"),
        ("driver add --name Bo --address Ulm", "street, postcode town, CC"),
        ("driver add --name Bo --email bo", "no e-mail address"),
        ("driver edit D-1", "Say what to correct"),
        ("driver edit D-1 --email bo", "no e-mail address"),
        ("driver edit D-9 --name Bo", "There is no driver D-9"),
        ("station add a --energy-from bay1", "billed twice"),
        ("station add a --energy-from spare:2", "has 1 socket"),
        ("meter remove bay1 --yes", "still uses meter bay1"),
        ("meter interval bay1 often", "'often' is no number of seconds"),
        ("meter interval bay1 inf", "is no number of seconds"),
        ("meter interval bay1 0", "An interval of 0 s cannot be"),
        ("station retire bay1 --yes", "has an open session"),
        ("collect --speed max", "--speed is for demo sites"),
        ("collect --speed fast", "--speed fast: give a number"),
        ("collect --seconds nan", "--seconds nan: give a number"),
        ("collect --seconds -1", "--seconds -1: give a number"),
        ("collect --seconds 1e300", "--seconds 1e300: give a number"),
        ("driver add --name caf\udce9", "The argument caf? is no valid UTF-8 text"),
        ("simulate nix.toml", "nix.toml cannot be read"),
        ("simulate nix.toml --port 70000", "--port 70000: ports go"),
        ("issuer set --name", "--name needs a value after it. See: evdesk issuer set --help"),
        ("session list --state done", "no 'done' for --state. There are: open, closed, review"),
        ("session list --stat open", "This command does not take: --stat open"),
        ("nix", "There is no 'nix'. There are: demo, init"),
        ("meter lst", "There is no 'lst'. Did you mean list?"),
        ("session correct 1 --start-wh 1 --end-wh 2", "Missing: --reason"),
        ("demo --no-gui --days 0", "give it --days 1 or more"),
        ("meter", "Say what to do. See: evdesk meter --help"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(
    shell: Shell, command: str, sentence: str
) -> None:
    shell.refused(2, sentence, *command.split())


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("tcp:/127.0.0.1", "no device URL"),
        ("tpc://127.0.0.1", "did you mean tcp"),
        ("tcp://", "host is missing"),
        ("tcp://127.0.0.1:70000", "the port '70000'"),
        ("tcp://127.0.0.1:502/1", "'/1' after the port"),
        ("tcp://1.2.3", "'1.2.3' is no host name"),
    ],
)
def test_a_typo_in_a_url_is_shown(shell: Shell, url: str, sentence: str) -> None:
    shell.refused(2, sentence, *ADD, url)
    shell.refused(2, sentence, "meter", "probe", url)


def test_a_host_that_refuses_cannot_be_reached(shell: Shell) -> None:
    shell.refused(5, "refused the connection", "meter", "probe", DEAD, "--profile", "keba-p30")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('{"id": "t",\n  "currency": EUR}', "line 2, column 15"),
        (tariff_text(), "Tariff standard exists already"),
        (tariff_text("t").replace("ENERGY", "TIME"), "elements[0].price_components[0].type"),
    ],
)
def test_a_tariff_file_is_refused_with_the_place(
    shell: Shell, tmp_path: Path, text: str, sentence: str
) -> None:
    file = tmp_path / "tariff.json"
    file.write_text(text)
    shell.refused(2, sentence, "tariff", "add", file)
    shell.refused(2, "cannot be read", "tariff", "add", tmp_path)
    file.write_bytes(b"\xff\xfe{}")
    shell.refused(2, "is not UTF-8 text", "tariff", "add", file)


def test_a_file_in_a_folder_that_is_not_there_is_not_written(shell: Shell, tmp_path: Path) -> None:
    shell.refused(2, "cannot be written", "export", "sessions", "--out", tmp_path / "nix" / "a.csv")
    draft = shell.json("invoice", "draft", "--driver", "D-1", "--month", "2026-03")["id"]
    shell.refused(2, "Nothing was saved", "invoice", "export", draft, "--out", tmp_path / "n/a.pdf")
    assert not (tmp_path / "nix").exists()


def test_nothing_is_saved_over_the_keys_of_a_site(shell: Shell, tmp_path: Path) -> None:
    keys_file = tmp_path / "depot" / "keys.json"
    keys_file.parent.mkdir()
    keys_file.write_text("keys")
    shell.refused(2, "the folder of a site", "export", "sessions", "--out", keys_file)
    assert keys_file.read_text() == "keys"
    assert list(keys_file.parent.iterdir()) == [keys_file]


def test_nothing_to_bill_is_no_usage_error(shell: Shell) -> None:
    shell.refused(
        1,
        "no closed session in 2026-01",
        "invoice",
        "draft",
        "--driver",
        "D-1",
        "--month",
        "2026-01",
    )


@pytest.mark.parametrize(
    "command", ["driver retire D-1", "station retire bay1", "meter remove bay1"]
)
def test_what_destroys_never_proceeds_unasked_in_a_pipe(shell: Shell, command: str) -> None:
    shell.refused(2, "so nothing was done: add --yes", *command.split())


# -- the site does not open -----------------------------------------------------------------------


def test_a_wrong_password_opens_nothing(shell: Shell) -> None:
    shell.password_file.write_text("wrong")
    shell.refused(4, "password does not open this site", "info")
    shell.refused(4, "password does not open this site", "collect", "--seconds", "1")
    shell.refused(4, "After 2 wrong passwords the next one can be tried in 2 s", "info")


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_the_end_of_a_password_files_line_is_no_part_of_it(shell: Shell, end: bytes) -> None:
    shell.password_file.write_bytes(PASSWORD.reveal() + end)
    assert shell.run("info").code == 0


def test_a_password_file_that_is_no_use_is_named(shell: Shell, tmp_path: Path) -> None:
    for content, sentence in ((b"", "is empty"), (b"\n", "is empty"), (b"\xff", "not UTF-8")):
        shell.password_file.write_bytes(content)
        shell.refused(2, sentence, "info")
    shell.password_file = tmp_path / "nix"
    shell.refused(2, "cannot be read: No such file", "info")


def test_without_a_terminal_a_password_must_come_from_a_file(shell: Shell) -> None:
    answer = shell.bare("--site", shell.folder, "info")
    assert answer.code == 2
    fails(answer, "name a file with --password-file")


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_that_is_no_site_says_how_to_make_one(
    shell: Shell, tmp_path: Path, there: bool
) -> None:
    shell.folder = tmp_path / "empty"
    if there:
        shell.folder.mkdir()
    before = files(tmp_path)
    for command in ("info", "collect"):
        answer = shell.run(command)
        assert answer.code == 2
        fails(answer, "There is no site in")
    assert files(tmp_path) == before


def test_without_both_key_files_nobody_is_asked_to_try_again(shell: Shell) -> None:
    for name in (keys.KEYS, keys.SECOND):
        (shell.folder / name).unlink()
    shell.refused(2, "has no key file", "info")


@pytest.mark.parametrize("command", ["info", "collect --seconds 0.1"])
def test_a_damaged_key_file_is_said_and_its_second_copy_used(shell: Shell, command: str) -> None:
    (shell.folder / keys.KEYS).write_text("{")
    answer = shell.run(*command.split())
    assert answer.code == 0
    fails(shell.run(*command.split()), "keys.json.bak was used")


def test_two_damaged_key_files_open_nothing(shell: Shell) -> None:
    for name in (keys.KEYS, keys.SECOND):
        (shell.folder / name).write_text("{")
    shell.refused(2, "Both copies of the key file", "info")


@pytest.mark.parametrize(("size", "sentence"), [(40_000, "evdesk changed nothing"), (0, "site.db")])
def test_a_database_whose_end_is_missing_is_not_touched(
    shell: Shell, size: int, sentence: str
) -> None:
    database = shell.folder / "site.db"
    database.write_bytes(database.read_bytes()[:size])
    answer = shell.run("info")
    assert answer.code == 2
    fails(answer, sentence)
    assert database.stat().st_size == size


def test_a_site_is_never_made_where_one_is(shell: Shell) -> None:
    shell.refused(2, "is not empty; nothing was created", "init", "--owner", "Eve")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--tz Berlin", "'Berlin' is no time zone"),
        ("--tz Europe", "'Europe' is no time zone"),
        ("--currency eur", "'eur' is no currency"),
        ("--country DEU", "'DEU' is no country"),
        ("--language fr", "choose en or de"),
    ],
)
def test_a_site_that_cannot_be_is_not_begun(
    shell: Shell, tmp_path: Path, options: str, sentence: str
) -> None:
    shell.folder = tmp_path / "new"
    before = files(tmp_path)
    answer = shell.run("init", "--owner", "Ada", *options.split())
    assert answer.code == 2
    fails(answer, sentence)
    assert files(tmp_path) == before
