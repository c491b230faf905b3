"""Fields for the ways a device is connected; each makes its part of a URL."""

from collections.abc import Sequence
from functools import partial
from urllib.parse import quote

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from evdesk.gui.widgets.fields import Chooser, WholeNumber, add_field, form, mark_wrong, text_field
from evdesk.gui.widgets.parts import button, row
from evdesk.ports import SerialPort

SPEEDS = (1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200)
USUAL_SPEED = 9_600
LAST_PORT = 65_535


class LinkForm(QWidget):
    """``changed`` tells that another URL was entered; ``begins_at`` is its first field."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.begins_at: QWidget = self
        self.fields = form()
        self.setLayout(self.fields)

    def url(self) -> str:
        """Return what was entered; empty where something is missing."""
        return ""

    def mark(self, wrong: bool) -> None:
        """Mark what has to be put right, or no longer."""

    def _tell(self, *_: object) -> None:
        self.mark(False)
        self.changed.emit()


class HostForm(LinkForm):
    """A host and a port; a whole URL may be pasted into the field of the host."""

    def __init__(
        self, scheme: str, port: int, hints: tuple[str, str], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._scheme = scheme
        self.host, self.port = text_field("192.168.1.20"), WholeNumber(1, LAST_PORT)
        self.port.setValue(port)
        self.begins_at = self.host
        add_field(self.fields, self.tr("Address"), self.host, hints[0])
        add_field(self.fields, self.tr("Port"), self.port, hints[1])
        self.host.textChanged.connect(self._tell)
        self.port.valueChanged.connect(self._tell)

    def url(self) -> str:
        host = self.host.text().strip()
        if not host or "://" in host:
            return host
        return f"{self._scheme}://{host}:{self.port.value()}"

    def mark(self, wrong: bool) -> None:
        mark_wrong(self.host, wrong and not self.host.text().strip())


class SecureForm(HostForm):
    """A host, a port and the three files of a secured link."""

    def __init__(self, port: int, hint: str, parent: QWidget | None = None) -> None:
        super().__init__("tls", port, (hint, ""), parent)
        names = {
            "ca": self.tr("Trusted authority"),
            "cert": self.tr("Our certificate"),
            "key": self.tr("Our private key"),
        }
        self.papers = {name: text_field(name=caption) for name, caption in names.items()}
        for name, caption in names.items():
            holder = QWidget()
            choose = button(self.tr("Choose …"), partial(self._ask_file, name, caption))
            holder.setLayout(row(self.papers[name], choose))
            add_field(self.fields, caption, holder)
            self.papers[name].textChanged.connect(self._tell)

    def url(self) -> str:
        base = super().url()
        files = {name: field.text().strip() for name, field in self.papers.items()}
        if not base or "?" in base:
            return base
        if not all(files.values()):
            return ""
        return base + "?" + "&".join(f"{k}={quote(path, safe='/:')}" for k, path in files.items())

    def mark(self, wrong: bool) -> None:
        super().mark(wrong)
        for field in self.papers.values():
            mark_wrong(field, wrong and not field.text().strip())

    def _ask_file(self, name: str, caption: str) -> None:
        dialog = QFileDialog(
            self, caption, "", self.tr("Certificates (*.pem *.crt *.key);;All (*)")
        )
        dialog.fileSelected.connect(self.papers[name].setText)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()


class SerialForm(LinkForm):
    """A serial port and how it is set; ``again`` asks for the ports there are now."""

    again = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.port = Chooser(self.tr("Serial port"), searchable=True)
        self.look = button(self.tr("Look again"), self.again.emit)
        self.speed = Chooser(self.tr("Speed"))
        self.parity = Chooser(self.tr("Parity"))
        self.stop_bits = Chooser(self.tr("Stop bits"))
        self.begins_at = self.port
        self._arrange()
        self.port.editTextChanged.connect(self._tell)
        for chooser in (self.speed, self.parity, self.stop_bits):
            chooser.currentIndexChanged.connect(self._tell)

    def _arrange(self) -> None:
        self.speed.offer([(speed, str(speed)) for speed in SPEEDS])
        self.speed.choose(USUAL_SPEED)
        self.parity.offer([("N", self.tr("none")), ("E", self.tr("even")), ("O", self.tr("odd"))])
        self.stop_bits.offer([(1, "1"), (2, "2")])
        holder = QWidget()
        both = row(self.port, self.look)
        both.setStretch(0, 1)
        holder.setLayout(both)
        hint = self.tr("Plug the adapter in, then look again.")
        add_field(self.fields, self.tr("Port"), holder, hint)
        add_field(self.fields, self.tr("Speed"), self.speed)
        add_field(self.fields, self.tr("Parity"), self.parity)
        add_field(
            self.fields, self.tr("Stop bits"), self.stop_bits,
            self.tr("All devices of a line have the same; the menu of a meter shows its own."),
        )  # fmt: skip

    def offer(self, ports: Sequence[SerialPort]) -> None:
        """Offer the ports of this computer; what was typed stays."""
        before = self._path()
        self.port.offer(
            [(port.path, " – ".join(filter(None, (port.path, port.label)))) for port in ports]
        )
        if before:
            known = [port.path for port in ports]
            self.port.choose(before) if before in known else self.port.setEditText(before)
        elif ports:
            self.port.setCurrentIndex(0)
        self._tell()

    def _path(self) -> str:
        """Return the port that is chosen, or typed where it is not in the list."""
        known = self.port.value()
        return str(known) if known is not None else self.port.currentText().strip()

    def url(self) -> str:
        path = self._path()
        if not path or "://" in path:
            return path
        options = f"baud={self.speed.value()}&parity={self.parity.value()}"
        return f"rtu://{quote(path, safe='/:')}?{options}&stop={self.stop_bits.value()}"
