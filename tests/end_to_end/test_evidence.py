"""A bundle on somebody else's computer: nothing in it can be changed unnoticed."""

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from types import ModuleType

import pytest

from evdesk.documents.evidence import BESIDE, EvidenceZip
from evdesk.domain.notes import Head, parse_head
from evdesk.domain.verdicts import Known
from evdesk.settings import shipped
from tests.documents.verifier import verifier
from tests.end_to_end.tampering import Tampered, make_site
from tests.end_to_end.test_mutations import checked
from tests.storage.sites import DONE


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Tampered, Path, str]:
    """A site, an unpacked bundle of it, and the head that was printed with it."""
    folder = tmp_path_factory.mktemp("evidence")
    site = make_site(folder / "site")
    anchored = site.keys().anchored()
    assert anchored is not None
    with site.opened() as store, store.read() as unit:
        evidence = unit.audit.evidence(Known(site.keys().verifier(), [anchored]))
        out = BytesIO()
        EvidenceZip(shipped("resources")).write(evidence, out, lambda _share: None)
    with zipfile.ZipFile(out) as archive:
        archive.extractall(folder / "bundle")
    return site, folder / "bundle", str(evidence.head)


@pytest.fixture
def bundle(made: tuple[Tampered, Path, str], tmp_path: Path) -> Path:
    return Path(shutil.copytree(made[1], tmp_path / "bundle"))


def judge(module: ModuleType, folder: Path) -> str:
    return str(module.verify(folder, module.Given([], None, None))["result"])


def test_a_bundle_checks_itself_against_the_head_on_paper(made, bundle) -> None:
    code, report = checked(bundle, "--anchor", made[2])
    assert (code, report["result"], report["head"]) == (0, "intact", made[2])


def test_a_head_of_another_log_is_found(made, bundle) -> None:
    other = Head(parse_head(made[2]).size, bytes(32))
    code, report = checked(bundle, "--anchor", str(other))
    assert (code, report["what"]) == (1, "rolled_back")


@pytest.mark.parametrize("options", [("--anchor", "nonsense"), ("--key", "a+b+c"), ("--nonsense",)])
def test_what_cannot_be_understood_is_no_verdict(bundle, options) -> None:
    command = [sys.executable, "-I", str(bundle / "verify.py"), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_that_is_no_bundle_is_no_verdict(bundle, tmp_path) -> None:
    (bundle / "MANIFEST").unlink()
    with pytest.raises(verifier().Unusable):
        judge(verifier(), bundle)


def test_the_key_and_the_manifest_can_be_pinned(made, bundle) -> None:
    key = (bundle / "key.txt").read_text().strip()
    code, report = checked(bundle, "--key", key, "--manifest", "0" * 64)
    assert (code, report["what"]) == (1, "file_changed")
    assert checked(bundle, "--key", key, "--manifest", report["manifest"])[0] == 0
    other = verifier().Key("other", bytes(32))
    given = verifier().Given([], other, None)
    assert verifier().verify(bundle, given)["what"] == "key_changed"


def files(folder: Path) -> list[Path]:
    return sorted(one for one in folder.iterdir() if one.name not in BESIDE)


def test_every_byte_of_every_file_counts(bundle) -> None:
    """A byte here and there of each file, its first and its last one among them."""
    module = verifier()
    assert judge(module, bundle) == "intact"
    for file in files(bundle):
        content = file.read_bytes()
        step = max(1, len(content) // 12)
        for place in {*range(0, len(content), step), len(content) - 1}:
            changed = bytearray(content)
            changed[place] ^= 0x01
            file.write_bytes(bytes(changed))
            assert judge(module, bundle) != "intact", (file.name, place)
        file.write_bytes(content)
    assert judge(module, bundle) == "intact"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_seventh_byte_counts(bundle) -> None:
    module = verifier()
    for file in files(bundle):
        content = file.read_bytes()
        for place in range(0, len(content), 7):
            changed = bytearray(content)
            changed[place] ^= 0x20
            file.write_bytes(bytes(changed))
            assert judge(module, bundle) != "intact", (file.name, place)
        file.write_bytes(content)


def test_a_file_that_is_missing_is_found(bundle) -> None:
    for file in files(bundle):
        if file.name != "MANIFEST":
            content = file.read_bytes()
            file.unlink()
            assert judge(verifier(), bundle) != "intact", file.name
            file.write_bytes(content)


def test_whoever_changes_a_line_and_the_manifest_is_found_all_the_same(bundle) -> None:
    """All but what the site says of itself: rows and segments are as the program found them."""
    for name in ("entries.jsonl", "payloads.jsonl", "checkpoints.txt", "key.txt"):
        file = bundle / name
        content, listed = file.read_bytes(), (bundle / "MANIFEST").read_bytes()
        changed = content.replace(b"2026-03-02", b"2026-03-01", 1).replace(b'"wh":1', b'"wh":2', 1)
        if changed == content:
            changed = content.replace(b"A", b"B", 1)
        file.write_bytes(changed)
        old, new = (hashlib.sha256(one).hexdigest().encode() for one in (content, changed))
        (bundle / "MANIFEST").write_bytes(listed.replace(old, new))
        assert judge(verifier(), bundle) != "intact", name
        file.write_bytes(content)
        (bundle / "MANIFEST").write_bytes(listed)


def test_the_same_evidence_gives_the_same_bytes(made) -> None:
    site, _, _ = made
    files = []
    for _ in range(2):
        with site.opened() as store, store.read() as unit:
            out = BytesIO()
            evidence = unit.audit.evidence(Known(site.keys().verifier(), []))
            EvidenceZip(shipped("resources")).write(evidence, out, lambda _share: None)
            files.append(out.getvalue())
    assert files[0] == files[1]


def test_no_row_and_nobodys_name_is_in_it(made) -> None:
    _, folder, _ = made
    everything = b"".join(file.read_bytes() for file in files(folder))
    for secret in ("Musterfrau", "Ringstr", "eva@example", "Depot GmbH"):
        assert secret.encode() not in everything
    lines = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    assert {frozenset(line) for line in lines} <= {
        frozenset({"table", "key", "seq", "digest"}),
        frozenset({"table", "key", "seq", "digest", "now"}),
    }


def test_the_bundle_has_the_anchor_of_a_log_that_was_rolled_back(made, tmp_path) -> None:
    """Also where nobody types a head from paper."""
    site = replace(made[0], folder=Path(shutil.copytree(made[0].folder, tmp_path / "site")))
    shutil.copy(site.folder / "site.db", tmp_path / "older.db")
    with site.opened() as store, store.write() as unit:
        unit.record_change(DONE)
    for file in site.folder.glob("site.db*"):
        file.unlink()
    shutil.copy(tmp_path / "older.db", site.folder / "site.db")
    anchored = site.keys().anchored()
    assert anchored is not None
    with site.opened() as store, store.read() as unit:
        assert store.rollback is not None
        out = BytesIO()
        known = Known(site.keys().verifier(), [anchored], store.rollback.found.size)
        EvidenceZip(shipped("resources")).write(
            unit.audit.evidence(known), out, lambda _share: None
        )
    with zipfile.ZipFile(out) as archive:
        archive.extractall(tmp_path / "bundle")
    code, report = checked(tmp_path / "bundle")
    assert (code, report["what"], report["first_bad_seq"]) == (1, "rolled_back", anchored.size - 1)
