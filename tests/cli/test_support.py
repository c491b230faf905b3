"""A file for whoever helps says how a site is and nothing of its people."""

import json
from pathlib import Path
from zipfile import ZipFile

from tests.cli.shell import Shell

SECRETS = ("Kim Lee", "kim@example.org", "Ringstr", "04A1B2C3", "DE89370400440532013000")


def test_a_support_bundle_names_nobody(shell: Shell, tmp_path: Path) -> None:
    driver = shell.json(
        *("driver", "add", "--name", "Kim Lee", "--email", "kim@example.org"),
        *("--address", "Ringstr. 7, 10115 Berlin, DE"),
    )["id"]
    shell.json("driver", "card", "add", driver, "04A1B2C3")
    shell.json("issuer", "set", "--name", "Depot", "--iban", "DE89370400440532013000")
    out = tmp_path / "support.zip"
    assert shell.json("support", "--out", str(out))["file"] == str(out)
    with ZipFile(out) as file:
        texts = {name: file.read(name).decode() for name in file.namelist()}
    assert json.loads(texts["site.json"])["counts"]["drivers"] >= 1
    assert not [word for word in SECRETS for text in texts.values() if word in text]


def test_a_support_bundle_is_a_zip_file(shell: Shell, tmp_path: Path) -> None:
    shell.refused(2, "ends in .zip", "support", "--out", tmp_path / "support.txt")
