"""The record of processing activities on paper: seven columns on A4 across."""

from pathlib import Path

from evdesk.documents.typesetting import Typesetter
from evdesk.documents.wording import Wordings
from evdesk.ports import ProcessingRecord

LETTERS = "abcdefg"


class RecordDocuments:
    """Implements ``ports.RecordWriter``; ``resources`` is the folder of what ships with evdesk."""

    def __init__(self, resources: Path) -> None:
        self._labels = resources / "rights" / "labels.toml"
        self._setter = Typesetter(resources, "rights/ropa.typ", "ropa")

    def pdf(self, record: ProcessingRecord) -> bytes:
        """Return the document, in the record's language."""
        wording = Wordings(self._labels).of(record.language, record.tz)
        words, moment = wording.labels, wording.moment(record.made_at)
        view = {
            "lang": wording.locale.language,
            "title": words["ropa_title"],
            "site": record.site_name,
            "note": words["ropa_note"].format(site=record.site_name, moment=moment),
            "marks": [words["specimen_mark"]] if record.specimen else [],
            "columns": [words[f"ropa_{letter}"] for letter in LETTERS],
            "rows": [[cell.split("\n") for cell in row] for row in record.rows],
            "audit_log": words["audit_log"],
            "head": record.head,
        }
        return self._setter.pdf(view, int(record.made_at.timestamp()))
