"""First step: how the device is connected."""

from enum import Enum

from PySide6.QtWidgets import QButtonGroup, QRadioButton, QStackedWidget, QWidget

from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.add_meter_step import Draft, Step
from evdesk.gui.models.rows import Chip
from evdesk.gui.theme import Tone
from evdesk.gui.widgets.chip import ChipLabel
from evdesk.gui.widgets.link_forms import HostForm, LinkForm, SecureForm, SerialForm
from evdesk.gui.widgets.parts import column, give_icon, label, paragraph, row
from evdesk.ports import SerialPort

NETWORK_PORT, CONVERTER_PORT, SECURE_PORT = 502, 4_196, 802


class Way(Enum):
    """How a device is reached."""

    NETWORK = "tcp"
    CONVERTER = "rtu-tcp"
    SERIAL = "rtu"
    SECURE = "tls"


class LinkStep(Step):
    """Network, converter, serial port or secured network; each asks for its own."""

    def __init__(self, context: Context, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(context, draft, parent)
        self.ways: dict[Way, QRadioButton] = {}
        self.group = QButtonGroup(self)
        self.network = HostForm(
            Way.NETWORK.value, NETWORK_PORT,
            (self.tr("It is in its display or app, or in the list of your router."),
             self.tr("Most devices use 502.")),
        )  # fmt: skip
        self.converter = HostForm(
            Way.CONVERTER.value, CONVERTER_PORT,
            (self.tr("The address of the converter."),
             self.tr("In the manual of the converter: often 4196, 8899, 26 or 502. Its speed and "
                     "parity are set there and must be those of the meters.")),
        )  # fmt: skip
        self.serial = SerialForm()
        hint = self.tr("The name that stands in the certificate of the device.")
        self.secure = SecureForm(SECURE_PORT, hint)
        self.forms: dict[Way, LinkForm] = {
            Way.NETWORK: self.network,
            Way.CONVERTER: self.converter,
            Way.SERIAL: self.serial,
            Way.SECURE: self.secure,
        }
        self.pages = QStackedWidget()
        self.address = label("", "small")
        self.chip = ChipLabel(context.theme)
        self._arrange()
        self._connect()
        self.ways[Way.NETWORK].setChecked(True)
        self._show_way()

    def _arrange(self) -> None:
        for fields in self.forms.values():
            self.pages.addWidget(fields)
        left = column(*self._choices(), 0, row(self.chip, self.address, 0), gap=14)
        both = row(left, self.pages, gap=32)
        both.setStretch(0, 3)
        both.setStretch(1, 4)
        self.setLayout(both)

    def _choices(self) -> list[QWidget]:
        described = (
            (Way.NETWORK, self.tr("Network"),
             self.tr("The device has a network socket or Wi-Fi of its own (Modbus TCP).")),
            (Way.CONVERTER, self.tr("RS-485 converter in the network"),
             self.tr("Meters on a two-wire line, behind a converter with a network socket that "
                     "passes on serial frames (RTU over TCP).")),
            (Way.SERIAL, self.tr("Serial port of this computer"),
             self.tr("Meters on a two-wire line at a USB adapter (Modbus RTU).")),
            (Way.SECURE, self.tr("Network, secured"),
             self.tr("Modbus/TCP Security: encrypted, both sides show a certificate.")),
        )  # fmt: skip
        made = []
        for number, (way, name, help_text) in enumerate(described):
            choice = QRadioButton(name)
            choice.setAccessibleDescription(help_text)
            self.ways[way] = choice
            self.group.addButton(choice, number)
            explained = paragraph(help_text)
            explained.setContentsMargins(26, 0, 0, 0)
            holder = QWidget()
            holder.setLayout(column(choice, explained, gap=2))
            made.append(holder)
        return made

    def _connect(self) -> None:
        self.group.idToggled.connect(self._show_way)
        self.serial.again.connect(self._read_ports)
        for fields in self.forms.values():
            fields.changed.connect(self._on_typed)
        self._context.theme.changed.connect(self.repaint_icons)
        self.repaint_icons()

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        give_icon(self.serial.look, self._context.theme, "refresh")

    def _read_ports(self) -> None:
        finding = self._context.desk.finding
        self._context.tasks.run(finding.serial_ports, self._show_ports, self._on_failed)

    def _show_ports(self, ports: tuple[SerialPort, ...]) -> None:
        self.serial.offer(ports)

    # -- steps ----------------------------------------------------------------------------------

    def way(self) -> Way:
        """Return how the device is connected."""
        return next(way for way, choice in self.ways.items() if choice.isChecked())

    def url(self) -> str:
        """Return what was entered as a URL; empty where something is missing."""
        return self.forms[self.way()].url()

    def enter(self) -> None:
        self._read_ports()
        self.forms[self.way()].begins_at.setFocus()

    def leave(self) -> None:
        url, fields = self.url(), self.forms[self.way()]
        if not url:
            fields.mark(True)
            self.missing.emit(self._what_is_missing())
            fields.begins_at.setFocus()
            return
        finding = self._context.desk.finding
        self._context.tasks.run(lambda: finding.check_url(url), self._on_url, self._on_failed)

    def _what_is_missing(self) -> str:
        if self.way() is Way.SERIAL:
            return self.tr("Choose a serial port.")
        if self.way() is Way.SECURE and self.secure.host.text().strip():
            return self.tr("A secured link needs three files: authority, certificate and key.")
        return self.tr("Type the address first.")

    def _on_url(self, _: str) -> None:
        url = self.url()
        if url != self._draft.url:
            self._draft.url, self._draft.probe = url, None
        self.moved.emit()

    def _on_failed(self, error: Exception) -> None:
        self.missing.emit(texts.sentence(error))

    def _show_way(self, *_: object) -> None:
        self.pages.setCurrentWidget(self.forms[self.way()])
        self._show_url()

    def _on_typed(self) -> None:
        self.missing.emit("")
        self._show_url()

    def _show_url(self) -> None:
        url = self.url()
        self.address.setText(url.partition("?")[0])
        self.chip.setVisible(bool(url))
        self.chip.show_chip(
            Chip(self.tr("encrypted"), Tone.POSITIVE, "lock")
            if url.startswith("tls:")
            else Chip(self.tr("not encrypted"), Tone.NEUTRAL)
        )
