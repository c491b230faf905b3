"""The demo without a display: what it leaves is whole, and nothing of it stays behind."""

import json
import os
import tempfile
import zipfile
from pathlib import Path
from subprocess import run
from sys import executable

import openpyxl
import pikepdf
import pytest
from PySide6.QtGui import QImage

DEMO = ("demo", "--no-gui", "--days", "1", "--seconds", "5")


@pytest.mark.timeout(240)
def test_the_demo_leaves_a_picture_an_invoice_a_spreadsheet_and_evidence(tmp_path: Path) -> None:
    out, scratch = tmp_path / "out", tmp_path / "tmp"
    scratch.mkdir()
    unwanted = {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}
    environment = {key: value for key, value in os.environ.items() if key not in unwanted}
    ended = run(
        [executable, "-m", "evdesk", "--json", *DEMO, "--out", str(out)],
        env=environment | {tempfile_variable(): str(scratch)},
        capture_output=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr.decode()
    summary = json.loads(ended.stdout)
    picture = QImage(str(out / "live.png"))
    assert (picture.width(), picture.height()) == (1440, 900)
    with pikepdf.open(out / "invoice.pdf") as pdf:
        assert summary["invoice"] in str(pdf.docinfo.get("/Title"))
    sheet = openpyxl.load_workbook(out / "sessions.xlsx").active
    assert sheet is not None
    assert sheet.max_row == summary["sessions"] + 1 > 10
    with zipfile.ZipFile(out / "evidence.zip") as archive:
        archive.extractall(out / "evidence")
    verify = [executable, "-I", str(out / "evidence" / "verify.py"), "--anchor", summary["head"]]
    checked = run([*verify, "--json"], capture_output=True, check=False)
    report = json.loads(checked.stdout)
    assert (checked.returncode, report["findings"]) == (0, [])
    assert report["segments"] > 10
    assert report["checkpoints"] > 10
    assert list(scratch.iterdir()) == []


def tempfile_variable() -> str:
    """Return the environment variable that names the folder of temporary files here."""
    assert tempfile.gettempdir()
    return "TEMP" if os.name == "nt" else "TMPDIR"
