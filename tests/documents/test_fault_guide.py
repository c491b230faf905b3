"""The guide to faults names every code there is, with its severity."""

from pathlib import Path

import pytest

from evdesk.domain.faults import CATALOGUE, FaultCode

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("code", FaultCode)
def test_the_guide_names_each_code_with_its_severity(code) -> None:
    assert f"| `{code.value}` | {CATALOGUE[code].severity.value} |" in GUIDE
