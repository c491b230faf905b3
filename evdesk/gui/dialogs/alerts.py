"""How the owner is told of faults: notices on this computer, and e-mail."""

from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QLineEdit, QWidget

from evdesk.domain.mail import MailServer, Security
from evdesk.domain.permissions import Action
from evdesk.domain.secrets import Secret
from evdesk.gui.context import Context
from evdesk.gui.dialogs.base import FormDialog
from evdesk.gui.tasks import Lane
from evdesk.gui.widgets.fields import Chooser, WholeNumber, add_field, form, mark_wrong, text_field
from evdesk.gui.widgets.parts import button, label, line, row

PORTS = {Security.TLS: 465, Security.STARTTLS: 587, Security.PLAIN: 25}
LAST_PORT = 65_535


class AlertsDialog(FormDialog):
    """``told`` says what was done; an empty server name sends no e-mail."""

    told = Signal(str)

    def __init__(
        self, context: Context, server: MailServer | None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.describe(
            self.tr("Alerts"),
            self.tr("Faults are always listed on the Faults page. Here you say who is told beside "
                    "that. What is only for information is never sent by e-mail."),
            self.tr("Save"),
        )  # fmt: skip
        self._context, self._server = context, server
        self._then_test = False
        self.notices = QCheckBox(self.tr("Show a notice on this computer while the window is open"))
        self.notices.setChecked(context.preferences.shows_notices())
        self.host = text_field("smtp.example.org")
        self.security = Chooser(self.tr("Security"))
        self.port = WholeNumber(1, LAST_PORT)
        self.username, self.password = text_field(), text_field()
        self.from_field, self.recipient = text_field("depot@example.org"), text_field()
        self.test = button(self.tr("Save and send a test"), self.submit_and_test)
        self.off = button(self.tr("Send no e-mail"), self.clear, "danger")
        self._fill()
        self._arrange()
        for part in (
            self.host, self.port, self.security, self.username, self.password, self.from_field,
            self.recipient, self.test, self.off,
        ):  # fmt: skip
            context.rights.guard(part, Action.CHANGE_SETTINGS)
        self.security.currentIndexChanged.connect(self._on_security)
        self.setMinimumWidth(580)
        self.host.setFocus()

    def _fill(self) -> None:
        self.security.offer(
            [
                (Security.TLS, self.tr("TLS from the start (usual port 465)")),
                (Security.STARTTLS, self.tr("STARTTLS (usual port 587)")),
                (Security.PLAIN, self.tr("None: only for a server on this computer")),
            ]
        )
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        shown = self._server
        self.off.setVisible(shown is not None)
        self.port.setValue(PORTS[Security.TLS])
        if shown is None:
            return
        self.security.choose(shown.security)
        for field, text in (
            (self.host, shown.host), (self.username, shown.username or ""),
            (self.from_field, shown.sender), (self.recipient, shown.recipient),
        ):  # fmt: skip
            field.setText(text)
        self.port.setValue(shown.port)
        if shown.password is not None:
            self.password.setPlaceholderText(self.tr("unchanged"))

    def _arrange(self) -> None:
        self.port.setMaximumWidth(110)
        self.port.setAccessibleName(self.tr("Port"))
        place, beside = QWidget(), row(self.host, self.port)
        beside.setStretch(0, 1)
        place.setLayout(beside)
        fields = form()
        add_field(fields, self.tr("Mail server, port"), place)
        add_field(fields, self.tr("Security"), self.security)
        add_field(fields, self.tr("User name"), self.username)
        add_field(fields, self.tr("Password"), self.password,
                  self.tr("Is kept in the encrypted site, and shown to nobody."))  # fmt: skip
        add_field(fields, self.tr("From"), self.from_field)
        add_field(fields, self.tr("To"), self.recipient,
                  self.tr("Who is told: mostly the owner, who is rarely here."))  # fmt: skip
        self.form.addWidget(self.notices)
        self.form.addWidget(line())
        self.form.addWidget(label(self.tr("E-mail"), "strong"))
        self.form.addLayout(fields)
        self.foot.insertWidget(0, self.off)
        self.foot.insertWidget(self.foot.indexOf(self.ok), self.test)

    def _on_security(self) -> None:
        if self.port.value() in PORTS.values():
            self.port.setValue(PORTS[self.security.value()])

    def server(self) -> MailServer:
        """Return what the form says; an empty password leaves the one that is kept."""
        username = self.username.text().strip() or None
        typed = self.password.text()
        before = self._server
        password = Secret(typed.encode()) if typed else None
        if password is None and before is not None and before.username == username:
            password = before.password
        made = MailServer(
            host=self.host.text().strip(),
            port=self.port.value(),
            security=self.security.value(),
            sender=self.from_field.text().strip(),
            recipient=self.recipient.text().strip(),
            username=username,
            password=password,
        )
        return made if before is None else replace(made, ca_pem=before.ca_pem)

    def submit(self) -> None:
        self._context.preferences.set_shows_notices(self.notices.isChecked())
        mails = self._context.rights.may(Action.CHANGE_SETTINGS)
        if not mails or (not self.host.text().strip() and self._server is None):
            self.accept()
            return
        empty = [f for f in (self.host, self.from_field, self.recipient) if not f.text().strip()]
        for field in (self.host, self.from_field, self.recipient):
            mark_wrong(field, field in empty)
        if empty:
            self.complain(self.tr("A mail server, a sender and somebody to tell are needed."))
            empty[0].setFocus()
            return
        self.wait(True)
        mail, server = self._context.desk.mail, self.server()
        self._context.tasks.run(lambda: mail.set_server(server), self._on_saved, self._on_failed)

    def submit_and_test(self) -> None:
        """Save, then send a mail to the owner and stay open if it does not go."""
        self._then_test = True
        self.submit()

    def clear(self) -> None:
        """Send no e-mail any longer."""
        self.wait(True)
        mail = self._context.desk.mail
        self._context.tasks.run(mail.clear_server, self._on_cleared, self._on_failed)

    def wait(self, waits: bool, text: str = "") -> None:
        super().wait(waits, text)
        for part in (self.test, self.off):
            part.setEnabled(not waits)

    def _on_saved(self, _: object) -> None:
        if not self._then_test:
            self.told.emit(self.tr("Saved."))
            self.accept()
            return
        mail = self._context.desk.mail
        self.ok.setText(self.tr("Sending …"))
        self._context.tasks.run(mail.test, self._on_tested, self._on_failed, Lane.OUTSIDE)

    def _on_tested(self, told: str) -> None:
        self.told.emit(
            self.tr("The server took the test mail for {address}: {told}").format(
                address=self.recipient.text().strip(), told=told
            )
        )
        self.accept()

    def _on_cleared(self, _: object) -> None:
        self.told.emit(self.tr("No e-mail is sent any longer; the password is forgotten."))
        self.accept()

    def _on_failed(self, error: Exception) -> None:
        self._then_test = False
        self.complain(error)
