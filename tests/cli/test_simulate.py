"""``evdesk simulate``: what cannot be served is refused before anything is."""

import pytest

from evdesk.settings import shipped
from tests.cli.shell import Shell

DEPOT = str(shipped("sample_data") / "depot.toml")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("--pty --port 15020", "--pty serves serial lines, so neither --port nor --tls can be"),
        ("--pty --tls a b c", "--pty serves serial lines, so neither --port nor --tls can be"),
        ("--baud 9600", "--baud is the speed of a serial line: it goes with --pty"),
        ("--pty --baud 9601", "9601 is no speed of a serial line; those are 1200, 2400, 4800"),
        ("--tls /gone/ca.pem b c", "/gone/ca.pem cannot be read: No such file or directory"),
        ("--port 70000", "--port 70000: ports go from 1 to 65535"),
    ],
)
def test_links_that_cannot_be_are_refused(shell: Shell, options: str, sentence: str) -> None:
    answer = shell.bare("simulate", DEPOT, *options.split())
    assert (answer.code, answer.out) == (2, "")
    assert sentence in answer.err
