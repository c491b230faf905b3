"""First step: how the device is connected."""

from dataclasses import dataclass
from enum import Enum
from functools import partial
from urllib.parse import quote

from PySide6.QtWidgets import (
    QButtonGroup,
    QFileDialog,
    QLineEdit,
    QRadioButton,
    QStackedWidget,
    QWidget,
)

from evdesk.gui import texts
from evdesk.gui.context import Context
from evdesk.gui.dialogs.add_meter_step import Draft, Step
from evdesk.gui.models.rows import Chip
from evdesk.gui.theme import Tone
from evdesk.gui.widgets.chip import ChipLabel
from evdesk.gui.widgets.fields import Chooser, WholeNumber, add_field, form, mark_wrong, text_field
from evdesk.gui.widgets.parts import button, column, give_icon, label, paragraph, row
from evdesk.ports import SerialPort

SPEEDS = (1_200, 2_400, 4_800, 9_600, 19_200, 38_400, 57_600, 115_200)
CONVERTER_PORT, NETWORK_PORT, SECURE_PORT = 4_196, 502, 802


class Way(Enum):
    """How a device is reached."""

    NETWORK = "tcp"
    CONVERTER = "rtu-tcp"
    SERIAL = "rtu"
    SECURE = "tls"


@dataclass(frozen=True, slots=True)
class HostFields:
    """A host and its port."""

    host: QLineEdit
    port: WholeNumber

    def url(self, way: Way) -> str:
        """Return the URL; a whole one may be pasted into the field of the host."""
        host = self.host.text().strip()
        if not host or "://" in host:
            return host
        return f"{way.value}://{host}:{self.port.value()}"


class LinkStep(Step):
    """Network, converter, serial port or secured network; each asks for its own."""

    def __init__(self, context: Context, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(context, draft, parent)
        self.ways: dict[Way, QRadioButton] = {}
        self.group = QButtonGroup(self)
        self.network = self._host_fields(NETWORK_PORT)
        self.converter = self._host_fields(CONVERTER_PORT)
        self.secure = self._host_fields(SECURE_PORT)
        self.port = Chooser(self.tr("Serial port"), searchable=True)
        self.again = button(self.tr("Look again"), self._read_ports)
        self.speed = Chooser(self.tr("Speed"))
        self.parity = Chooser(self.tr("Parity"))
        self.stop_bits = Chooser(self.tr("Stop bits"))
        self.papers = {name: text_field() for name in ("ca", "cert", "key")}
        self.pages = QStackedWidget()
        self.address = label("", "small")
        self.chip = ChipLabel(context.theme)
        self._arrange()
        self._connect()
        self.ways[Way.NETWORK].setChecked(True)
        self._show_way()

    def _host_fields(self, port: int) -> HostFields:
        fields = HostFields(text_field("192.168.1.20"), WholeNumber(1, 65_535))
        fields.port.setValue(port)
        return fields

    def _arrange(self) -> None:
        self.speed.offer([(speed, f"{speed:,}".replace(",", " ")) for speed in SPEEDS])
        self.speed.choose(9_600)
        self.parity.offer([("N", self.tr("none")), ("E", self.tr("even")), ("O", self.tr("odd"))])
        self.stop_bits.offer([(1, "1"), (2, "2")])
        for fields in (self._network(), self._converter(), self._serial(), self._secure()):
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

    def _network(self) -> QWidget:
        return self._page(
            self.network,
            self.tr("Its address is in its display or app, or in the list of your router."),
            self.tr("Most devices use 502."),
        )

    def _converter(self) -> QWidget:
        return self._page(
            self.converter,
            self.tr("The address of the converter."),
            self.tr("In the manual of the converter: often 4196, 8899, 26 or 502. Speed and parity "
                    "are set at the converter and must be those of the meters."),
        )  # fmt: skip

    def _page(self, fields: HostFields, host_hint: str, port_hint: str) -> QWidget:
        asked = form()
        add_field(asked, self.tr("Address"), fields.host, host_hint)
        add_field(asked, self.tr("Port"), fields.port, port_hint)
        page = QWidget()
        page.setLayout(asked)
        return page

    def _serial(self) -> QWidget:
        ports = QWidget()
        ports.setLayout(row(self.port, self.again))
        asked = form()
        add_field(asked, self.tr("Port"), ports, self.tr("Plug the adapter in, then look again."))
        add_field(asked, self.tr("Speed"), self.speed)
        add_field(asked, self.tr("Parity"), self.parity)
        add_field(
            asked, self.tr("Stop bits"), self.stop_bits,
            self.tr("All devices of a line have the same; the menu of a meter shows its own."),
        )  # fmt: skip
        page = QWidget()
        page.setLayout(asked)
        return page

    def _secure(self) -> QWidget:
        asked = form()
        add_field(asked, self.tr("Address"), self.secure.host,
                  self.tr("The name that stands in the certificate of the device."))  # fmt: skip
        add_field(asked, self.tr("Port"), self.secure.port)
        names = {
            "ca": self.tr("Trusted authority"),
            "cert": self.tr("Our certificate"),
            "key": self.tr("Our private key"),
        }
        for name, caption in names.items():
            holder = QWidget()
            choose = button(self.tr("Choose …"), partial(self._ask_file, name, caption))
            holder.setLayout(row(self.papers[name], choose))
            self.papers[name].setAccessibleName(caption)
            add_field(asked, caption, holder)
        page = QWidget()
        page.setLayout(asked)
        return page

    def _connect(self) -> None:
        self.group.idToggled.connect(self._show_way)
        self._context.theme.changed.connect(self.repaint_icons)
        for fields in (self.network, self.converter, self.secure):
            fields.host.textChanged.connect(self._show_url)
            fields.port.valueChanged.connect(self._show_url)
        for paper in self.papers.values():
            paper.textChanged.connect(self._show_url)
        for chooser in (self.speed, self.parity, self.stop_bits):
            chooser.currentIndexChanged.connect(self._show_url)
        self.port.editTextChanged.connect(self._show_url)
        self.repaint_icons()

    def repaint_icons(self) -> None:
        """Draw icons in the theme's colours."""
        give_icon(self.again, self._context.theme, "refresh")

    # -- serial ports and files -----------------------------------------------------------------

    def _read_ports(self) -> None:
        finding = self._context.desk.finding
        self._context.tasks.run(finding.serial_ports, self._show_ports, self._on_failed)

    def _show_ports(self, ports: tuple[SerialPort, ...]) -> None:
        before = self._port()
        self.port.offer(
            [(port.path, " – ".join(filter(None, (port.path, port.label)))) for port in ports]
        )
        if before:
            self.port.setEditText(before)
        elif ports:
            self.port.setCurrentIndex(0)
        self._show_url()

    def _port(self) -> str:
        """Return the port that is chosen, or typed where it is not in the list."""
        known = self.port.value()
        return str(known) if known is not None else self.port.currentText().strip()

    def _ask_file(self, name: str, caption: str) -> None:
        dialog = QFileDialog(
            self, caption, "", self.tr("Certificates (*.pem *.crt *.key);;All (*)")
        )
        dialog.fileSelected.connect(self.papers[name].setText)
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    # -- steps ----------------------------------------------------------------------------------

    def way(self) -> Way:
        """Return how the device is connected."""
        return next(way for way, choice in self.ways.items() if choice.isChecked())

    def url(self) -> str:
        """Return what was entered as a URL; empty where something is missing."""
        way = self.way()
        if way is Way.NETWORK:
            return self.network.url(way)
        if way is Way.CONVERTER:
            return self.converter.url(way)
        if way is Way.SERIAL:
            options = f"baud={self.speed.value()}&parity={self.parity.value()}"
            options += f"&stop={self.stop_bits.value()}"
            return f"rtu://{self._port()}?{options}" if self._port() else ""
        files = {name: field.text().strip() for name, field in self.papers.items()}
        papers = "&".join(f"{name}={quote(path, safe='/:')}" for name, path in files.items())
        whole = all(files.values())
        base = self.secure.url(way)
        return base if "?" in base or not base or not whole else f"{base}?{papers}"

    def enter(self) -> None:
        self._read_ports()
        self._first_field().setFocus()

    def leave(self) -> None:
        url = self.url()
        for fields in (self.network, self.converter, self.secure):
            mark_wrong(fields.host, not fields.host.text().strip())
        if not url:
            self.missing.emit(
                self.tr("Choose a serial port.")
                if self.way() is Way.SERIAL
                else self.tr("Type the address first.")
            )
            self._first_field().setFocus()
            return
        finding = self._context.desk.finding
        self._context.tasks.run(lambda: finding.check_url(url), self._on_url, self._on_failed)

    def _on_url(self, _: str) -> None:
        url = self.url()
        if url != self._draft.url:
            self._draft.url, self._draft.probe = url, None
        self.moved.emit()

    def _on_failed(self, error: Exception) -> None:
        self.missing.emit(texts.sentence(error))

    def _first_field(self) -> QWidget:
        return {
            Way.NETWORK: self.network.host,
            Way.CONVERTER: self.converter.host,
            Way.SERIAL: self.port,
            Way.SECURE: self.secure.host,
        }[self.way()]

    def _show_way(self, *_: object) -> None:
        self.pages.setCurrentIndex(list(Way).index(self.way()))
        self._show_url()

    def _show_url(self, *_: object) -> None:
        url = self.url()
        for fields in (self.network, self.converter, self.secure):
            mark_wrong(fields.host, False)
        self.address.setText(url.partition("?")[0])
        self.chip.setVisible(bool(url))
        secure = url.startswith("tls:")
        self.chip.show_chip(
            Chip(self.tr("encrypted"), Tone.POSITIVE, "lock")
            if secure
            else Chip(self.tr("not encrypted"), Tone.NEUTRAL)
        )
