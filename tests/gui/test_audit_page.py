import base64
import json
from dataclasses import replace
from functools import partial

import pytest
from PySide6.QtGui import QGuiApplication

from evdesk.domain.audit import AuditEntry, Outcome
from evdesk.domain.notes import Head, Rollback
from evdesk.domain.site import Role
from evdesk.gui import audit_texts
from evdesk.gui.widgets.entry_panel import proven
from evdesk.gui.widgets.timeline import PAGE
from tests.fakes.audit import BEGAN, StubAudit
from tests.fakes.desk import stub_desk


@pytest.fixture
def audit():
    return StubAudit(1_000)


@pytest.fixture
def page(open_window, qtbot, audit):
    window = open_window(replace(stub_desk(), audit=audit))
    found = window.open("audit")
    qtbot.waitSignal(found.drawn).wait()
    return found


def seqs(page):
    return [entry.seq for entry in page.timeline.rows.rows()]


def shown(page, qtbot, act):
    with qtbot.waitSignal(page.timeline.shown):
        act()


def test_only_the_newest_entries_are_read_and_the_rest_by_scrolling(page, audit, qtbot):
    assert seqs(page) == list(range(999, 999 - PAGE, -1))
    bar, rows = page.timeline.verticalScrollBar(), page.timeline.rows
    goes_on = partial(rows.canFetchMore, page.timeline.rootIndex())
    qtbot.waitUntil(lambda: page.count.text() == "1,000 entries")
    while goes_on():
        before = len(seqs(page))
        bar.setValue(bar.maximum())
        qtbot.waitUntil(lambda before=before: len(seqs(page)) > before or not goes_on())
    assert seqs(page) == list(range(999, -1, -1))
    assert [before for _, before in audit.asked] == [None, 800, 600, 400, 200, 0]


def test_entries_say_who_did_what_to_what(page, qtbot):
    qtbot.waitUntil(lambda: bool(page.timeline.names))
    model = page.timeline.rows
    rows = [[model.index(n, c).data() for c in (2, 3, 4)] for n in range(6)]
    assert ["Hanna Krüger", "Session assigned", "session 12"] in rows
    assert ["Collector", "Hour sealed", "hour 2026-11-20T07"] in rows
    assert ["Deniz Aydin", "Refused", "action change tariffs"] in rows


def test_what_did_not_happen_is_not_told_as_if_it_had():
    entry = AuditEntry(1, BEGAN, "A", "account.password", "account", "A", Outcome.FAILED, None, "")
    words = audit_texts.actions()
    assert audit_texts.what(entry, words) == "Password changed: failed"
    assert audit_texts.what(replace(entry, action="what.ever"), words) == "what.ever: failed"


@pytest.mark.parametrize(
    ("part", "value", "what"),
    [
        ("who", "A-DENIZ000", lambda e: e.actor == "A-DENIZ000"),
        ("what", "session", lambda e: e.action.startswith("session.")),
        ("period", "day", lambda e: False),
    ],
)
def test_filters_ask_for_other_entries(page, qtbot, part, value, what):
    qtbot.waitUntil(lambda: bool(page.timeline.names))
    shown(page, qtbot, lambda: getattr(page.filters, part).choose(value))
    entries = page.timeline.rows.rows()
    assert all(map(what, entries))
    assert bool(entries) == (part != "period")
    assert page.empty.isVisible() == (part == "period")


def test_an_object_is_searched_by_its_id(page, qtbot):
    shown(page, qtbot, lambda: page.filters.about.setText("invoice/I-1F4K2"))
    assert {entry.object_ref for entry in page.timeline.rows.rows()} == {"I-1F4K2"}
    qtbot.waitUntil(lambda: page.count.text() == "167 of 1,000 entries")


def test_a_number_shows_one_entry_and_there_is_a_way_back(page, qtbot):
    shown(page, qtbot, lambda: page.filters.about.setText("#40"))
    assert page.timeline.entry().seq == 40
    assert seqs(page)[0] == 48
    assert page.newest.isVisible()
    shown(page, qtbot, page.newest.click)
    assert seqs(page)[0] == 999
    assert not page.newest.isVisible()


def test_an_entry_shows_what_it_says_and_what_proves_it(page, qtbot):
    page.show_number(12)
    panel = page.panel
    qtbot.waitUntil(lambda: panel.title.text() == "Session assigned")
    assert panel.proof.text() == "Proven"
    assert "tree of 666 entries that was signed on" in panel.proof_text.text()
    assert panel.rows.text() == "session [12]"
    assert panel.save.isVisible()
    page.show_number(999)
    qtbot.waitUntil(lambda: panel.proof.text() == "Not signed yet")
    assert not panel.save.isVisible()


def test_an_entry_that_is_not_what_the_tree_was_made_of_does_not_fit(audit):
    kept = audit.show(7)
    assert proven(kept).in_tree
    assert proven(kept).in_signed
    changed = proven(replace(kept, text=kept.text.replace("7", "8")))
    assert not changed.in_tree
    assert not changed.in_signed


def test_a_proof_is_saved_to_a_file(page, qtbot, tmp_path):
    page.show_number(12)
    qtbot.waitUntil(page.panel.save.isVisible)
    page.panel.save.click()
    with qtbot.waitSignal(page.told):
        page.panel.files.save(str(tmp_path / "entry-12.tlog-proof"))
    assert (tmp_path / "entry-12.tlog-proof").read_text().startswith("c2sp.org/tlog-proof@v1")


def test_a_check_of_a_whole_log_is_green_and_signed(page, qtbot, audit):
    with qtbot.waitSignal(page.card.verified):
        page.verify.click()
    said = page.card.banner.text()
    assert said.startswith("The log is intact: 1,000 of 1,000 entries verified")
    assert page.card.banner.property("tone") == "positive"
    assert "The head was signed" in said
    assert not page.card.show_first.isVisible()
    assert page.verify.isEnabled()
    page.card.close_card.click()
    assert not page.card.isVisible()


def test_a_head_from_paper_is_checked_too(page, qtbot, audit, tmp_path):
    page.paper.click()
    page.head.text.setPlainText("7")
    page.head.ok.click()
    assert page.head.error.text().startswith("There is no head in it")
    file = tmp_path / "anchor.json"
    file.write_text(json.dumps({"size": 7, "root": base64.b64encode(bytes(32)).decode()}))
    page.head.take_file(str(file))
    with qtbot.waitSignal(page.card.verified):
        page.head.ok.click()
    assert audit.compared == [Head(7, bytes(32))]


def test_a_head_that_is_not_of_an_intact_log_is_no_tampering(page, qtbot, audit):
    audit.strange_heads = True
    with qtbot.waitSignal(page.card.verified):
        page.card.verify([Head(7, bytes(32))])
    said = page.card.banner.text()
    assert said.startswith("The log itself is intact; this head is not of it")
    assert "Look again at what you typed, or whose it is." in said
    assert "tampered" not in said
    assert page.card.banner.property("tone") == "warning"


def test_a_check_of_a_log_that_was_rolled_back_adds_to_what_the_banner_says(open_window, qtbot):
    audit = StubAudit(told=Rollback(Head(48, b"a" * 32), Head(46, b"b" * 32)))
    window = open_window(replace(stub_desk(), audit=audit))
    window.resize(1100, 700)
    page = window.open("audit")
    qtbot.waitUntil(window.rollback.isVisible)
    with qtbot.waitSignal(page.card.verified):
        page.verify.click()
    said = page.card.banner.text()
    assert said.startswith("Entries 46 and 47 are missing")
    assert "Explain" in said
    tones = [one.property("tone") for one in (window.rollback.banner, page.card.banner)]
    assert tones == ["danger", "warning"]
    assert not page.card.show_first.isVisible()
    for part in (page.paper, page.verify, page.export, page.sign, page.checkpoints):
        assert part.width() >= part.sizeHint().width()


def test_a_check_leads_to_the_first_bad_entry(page, qtbot, audit):
    audit.bad = 321
    with qtbot.waitSignal(page.card.verified):
        page.verify.click()
    assert page.card.banner.property("tone") == "danger"
    assert "An entry was changed at entry 321, and 2 more." in page.card.banner.text()
    shown(page, qtbot, page.card.show_first.click)
    assert page.timeline.entry().seq == 321


def test_a_check_that_cannot_prove_all_says_why(page, qtbot, audit):
    audit.signs = False
    with qtbot.waitSignal(page.card.verified):
        page.verify.click()
    assert page.card.banner.property("tone") == "warning"
    assert "No head from outside the database" in page.card.banner.text()


def test_new_entries_come_on_top_and_leave_what_is_looked_at(page, qtbot, audit):
    page.timeline.selectRow(5)
    chosen = page.timeline.entry()
    audit.grow()
    audit.grow()
    page.context.desk.live.commit()
    qtbot.waitUntil(lambda: seqs(page)[0] == 1001)
    assert page.timeline.entry() == chosen
    assert seqs(page)[:3] == [1001, 1000, 999]


def test_signing_says_the_head_and_checkpoints_can_be_copied(page, qtbot, audit):
    with qtbot.waitSignal(page.told) as told:
        page.sign.click()
    assert told.args[0].startswith("Signed: 1,000 entries, 1000:")
    page.checkpoints.click()
    qtbot.waitUntil(lambda: hasattr(page, "dialog"))
    dialog = page.dialog
    assert dialog.note.toPlainText() == audit.made[-1].note
    dialog.copy_head.click()
    assert QGuiApplication.clipboard().text() == str(audit.head())


def test_evidence_is_written_whole_and_says_what_belongs_on_paper(page, qtbot, audit, tmp_path):
    page.export.click()
    dialog = page.evidence
    dialog.write(str(tmp_path / "evidence.zip"))
    qtbot.waitUntil(dialog.paper.isVisible)
    assert [path.name for path in tmp_path.glob("*evidence*")] == ["evidence.zip"]
    assert dialog.head.text() == str(audit.head())
    dialog.copy.click()
    assert QGuiApplication.clipboard().text().splitlines()[0] == str(audit.head())


def test_evidence_that_cannot_be_written_says_so_and_leaves_nothing(page, qtbot, tmp_path):
    page.export.click()
    dialog = page.evidence
    dialog.write(str(tmp_path / "missing" / "evidence.zip"))
    qtbot.waitUntil(dialog.error.isVisible)
    assert "cannot be written" in dialog.error.text()
    assert not dialog.paper.isVisible()


def test_staff_have_no_way_to_the_log(open_window):
    window = open_window(stub_desk(role=Role.STAFF))
    entry = window.navigation.entry(8)
    assert not entry.isEnabled()
    assert entry.toolTip() == "Only an owner or an auditor can do this."


def test_an_auditor_exports_and_does_not_sign(open_window, qtbot):
    page = open_window(stub_desk(role=Role.AUDITOR)).open("audit")
    assert page.export.isEnabled()
    assert page.verify.isEnabled()
    assert not page.sign.isEnabled()
