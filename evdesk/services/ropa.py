"""The record of processing activities (Art. 30 GDPR), from what the site is set to do."""

from evdesk.domain.audit import Change
from evdesk.domain.errors import UserError
from evdesk.domain.permissions import Action
from evdesk.domain.personal_data import DataClass
from evdesk.domain.processing import Detail, DetailKind
from evdesk.domain.purposes import Purpose
from evdesk.domain.retention import Rule
from evdesk.domain.site import Party
from evdesk.ports import (
    Clock,
    ProcessingBook,
    ProcessingRecord,
    RecordWriter,
    Store,
    Table,
    TableWriter,
    Unit,
)
from evdesk.services.access import kept_for
from evdesk.services.handing_out import note_export
from evdesk.services.permitting import permit
from evdesk.services.rule_book import RuleBook

COLUMNS = (
    "a_controller", "b_purposes", "c_subjects_and_data", "d_recipients", "e_transfers",
    "f_erasure_limits", "g_security_measures",
)  # fmt: skip
SHORT = ("ropa_a", "ropa_b", "ropa_c", "ropa_d", "ropa_e", "ropa_f", "ropa_g")
CONTACTS = (DetailKind.JOINT_CONTROLLER, DetailKind.REPRESENTATIVE, DetailKind.DPO)
PDF = ".pdf"
MOST = 2_000  # characters of what an owner says


class RopaService:
    """Use cases of the record of processing; ``clock`` is the site's."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        rules: RuleBook,
        book: ProcessingBook,
        writers: tuple[TableWriter, RecordWriter],
    ) -> None:
        self._store, self._clock = store, clock
        self._rules, self._book, self._writers = rules, book, writers

    @permit(Action.READ_PRIVACY)
    def record(self, language: str | None = None) -> ProcessingRecord:
        """Return the record, in the site's language unless another one is asked for."""
        with self._store.read() as unit:
            site, now = unit.site.load(), self._clock.now()
            chosen = language or site.language
            rules = {one.data_class: one for one in self._rules.in_force(unit, now)}
            purposes = [one for one in unit.purposes.all() if one.enabled]
            parts = _Parts(unit, self._book, chosen, rules)
            return ProcessingRecord(
                site_name=site.name,
                language=chosen,
                tz=site.tz,
                made_at=now,
                rows=tuple(parts.row(one) for one in purposes),
                specimen=site.demo,
                head=str(unit.audit.head()),
            )

    @permit(Action.READ_PRIVACY)
    def export(self, suffix: str, language: str | None = None) -> tuple[bytes, int]:
        """Return the file of the record with its seven columns, and how many rows it has.

        Raises:
            UserError: a suffix that is not one of .xlsx .csv .json .pdf.

        """
        record, (tables, paper) = self.record(language), self._writers
        if suffix == PDF:
            data = paper.pdf(record)
        else:
            data = tables.write(self._table(record, suffix), suffix)
        note_export(self._store, "ropa", suffix, len(record.rows))
        return data, len(record.rows)

    @permit(Action.READ_PRIVACY)
    def details(self) -> dict[DetailKind, Detail]:
        """Return what an owner has said of the processing."""
        with self._store.read() as unit:
            return unit.details.newest()

    @permit(Action.CHANGE_SETTINGS)
    def set_detail(self, kind: DetailKind, text: str) -> None:
        """Say something of the processing that follows from no setting; "" takes it away.

        Raises:
            UserError: it is said already, or too long.

        """
        said = " ".join(text.split())
        if len(said) > MOST:
            raise UserError("That is too long: {most} characters are the most.", most=MOST)
        with self._store.write() as unit:
            before = unit.details.newest().get(kind)
            if (before.text if before else "") == said:
                raise UserError("That is what is said already. Nothing was changed.")
            author = self._store.actor.ref
            unit.details.add(Detail(kind, said, self._clock.now(), author))
            facts = {"kind": kind.value, "said": bool(said)}
            unit.record_change(Change("processing.told", "site", unit.site.load().id, facts))

    def _table(self, record: ProcessingRecord, suffix: str) -> Table:
        """Return it with exactly seven columns; the head of the log has a sheet of its own."""
        workbook = suffix == ".xlsx"
        words = tuple(self._book.word(name, record.language) for name in SHORT)
        title = self._book.word("ropa_title", record.language)
        columns = words if workbook else COLUMNS
        return Table(title, columns, record.rows, record.tz, record.head if workbook else "")


class _Parts:
    """What a row is made of, in one language."""

    def __init__(
        self, unit: Unit, book: ProcessingBook, language: str, rules: dict[str, Rule]
    ) -> None:
        self._book, self._language, self._rules = book, language, rules
        self._issuer, self._server = unit.site.issuer(), unit.outbox.server()
        self._details = {kind: one.text for kind, one in unit.details.newest().items()}

    def row(self, purpose: Purpose) -> tuple[str, ...]:
        """Return the seven cells of a purpose."""
        text, said = purpose.text(self._language), self._book.of(purpose.id, self._language)
        classes = [self._word(f"class_{one.value}") for one in purpose.data_classes]
        return (
            self._controller(),
            f"{text.name}: {text.description}\n{purpose.legal}",
            f"{said.subjects}: {', '.join(classes)}",
            "\n".join(self._recipients(purpose, said.recipients)),
            self._details.get(DetailKind.TRANSFERS, self._word("ropa_no_transfer")),
            "\n".join(self._limits(purpose)),
            "\n".join(self._measures()),
        )

    def _controller(self) -> str:
        lines = [_address(self._issuer)] if self._issuer else [self._word("ropa_no_controller")]
        lines += [
            f"{self._word(kind.value)}: {self._details[kind]}"
            for kind in CONTACTS
            if kind in self._details
        ]
        return "\n".join(lines)

    def _recipients(self, purpose: Purpose, shipped: tuple[str, ...]) -> list[str]:
        found = list(shipped)
        if self._server is not None and DataClass.MAIL in purpose.data_classes:
            found.append(self._word("ropa_mail").format(host=self._server.host))
        more = self._details.get(DetailKind.RECIPIENTS)
        return [*found, more] if more else found

    def _limits(self, purpose: Purpose) -> list[str]:
        if purpose.needs_consent:
            return [self._word("ropa_by_consent").format(days=purpose.deletion_days)]
        return [self._limit(one) for one in purpose.data_classes]

    def _limit(self, data_class: DataClass) -> str:
        rule, name = self._rules.get(data_class), self._word(f"class_{data_class.value}")
        if rule is None:
            return f"{name}: {self._word('ropa_no_rule')}"
        kept = kept_for(rule, self._book, self._language)
        return f"{name}: {kept} ({rule.id} v{rule.version})"

    def _measures(self) -> list[str]:
        more = self._details.get(DetailKind.MEASURES)
        return [*self._book.measures(self._language), *([more] if more else [])]

    def _word(self, name: str) -> str:
        return self._book.word(name, self._language)


def _address(party: Party) -> str:
    town = f"{party.postcode} {party.city}".strip()
    parts = (party.name, party.street, town, party.country)
    reach = (party.contact, party.phone, party.email)
    return ", ".join(part for part in (*parts, *reach) if part)
