"""Who may put a backup in the place of a site: an owner of today, and never one of yesterday."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from evdesk import bootstrap
from evdesk.bootstrap.sites import Opened, open_site
from evdesk.domain.errors import EvdeskError, NotPermitted, UserError, WrongKey
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Role
from evdesk.ports import OLDER_KEY, Restorable, Restored
from evdesk.services.restoring import NO_NUMBERS, RestoreWish
from tests.services.desk import PASSWORD
from tests.storage.sites import issue, opened

THEN = PASSWORD
NOW, EVES, BENS = (Secret(b"kaktus mambo 99 zug"), Secret(b"gabel 7 wolke esel"),
                   Secret(b"ampel 12 birne uhr"))  # fmt: skip


@dataclass
class Site:
    folder: Path
    usb: Path

    def enter(self, password: Secret) -> Opened:
        return open_site(self.folder, password)

    def as_owner(self) -> Opened:
        for password in (THEN, NOW):
            with suppress(WrongKey):
                return self.enter(password)
        raise AssertionError

    def restore(self, password: Secret, **wishes: object) -> Restored:
        def agree(_about: Restorable) -> None:
            pass

        file = next(self.usb.glob("*.zip"))
        wish = RestoreWish(file, self.folder, password, **wishes)  # type: ignore[arg-type]
        return bootstrap.restore_service().restore(wish, agree)

    def opens(self, password: Secret) -> Role | None:
        """Return the role of whose password it is, or None where it opens nothing."""
        self.attempts()
        try:
            found = self.enter(password)
        except EvdeskError:
            return None
        role = found.services.store.actor.role
        found.services.store.close()
        return role

    def attempts(self) -> None:
        """Nobody waits here."""
        (self.folder / "unlock-attempts.json").unlink(missing_ok=True)


@pytest.fixture
def site(folder: Path, tmp_path: Path) -> Site:
    """Ada and Eve are owners when the backup is made; then an invoice, and Eve is removed."""
    usb = tmp_path / "usb"
    usb.mkdir()
    services = open_site(folder, THEN).services
    found = Site(folder, usb)
    services.accounts.add("Eve", Role.OWNER, EVES)
    services.backups.create(usb)
    services.accounts.remove("Eve")
    services.accounts.add("Ben", Role.OWNER, BENS)
    services.store.close()
    return found


def test_an_owner_who_was_removed_restores_nothing(site: Site) -> None:
    with pytest.raises(WrongKey, match="takes its place only"):
        site.restore(EVES)
    assert site.opens(EVES) is None


def test_accounts_and_passwords_of_today_hold_after_a_restore(site: Site) -> None:
    ada = site.as_owner().services
    ada.accounts.change_password(NOW)
    ada.store.close()
    with pytest.raises(WrongKey):
        site.restore(THEN)
    done = site.restore(NOW)
    assert done.kept_keys
    assert [site.opens(one) for one in (THEN, NOW, EVES, BENS)] == [
        None,
        Role.OWNER,
        None,
        Role.OWNER,
    ]
    services = site.enter(NOW).services
    names = {
        row.account.name: row.account.removed_at for row in services.accounts.rows(removed=True)
    }
    assert names["Eve"] is not None
    assert names["Ben"] is None
    assert services.audit.verify().verdict.findings == ()
    services.store.close()


def test_somebody_who_came_since_restores_too(site: Site) -> None:
    assert site.restore(BENS).kept_keys
    assert site.opens(BENS) is Role.OWNER


def test_under_an_older_data_key_it_takes_a_password_of_then_and_one_of_today(site: Site) -> None:
    ada = site.as_owner().services
    ada.accounts.change_password(NOW)
    ada.keys.rotate()
    ada.store.close()
    with pytest.raises(UserError) as told:
        site.restore(NOW)
    assert told.value.template == OLDER_KEY
    with pytest.raises(WrongKey):
        site.restore(EVES, backup_password=EVES)
    assert site.restore(NOW, backup_password=THEN).kept_keys
    assert [site.opens(one) for one in (THEN, NOW, EVES, BENS)] == [
        None,
        Role.OWNER,
        None,
        Role.OWNER,
    ]


def test_numbers_of_invoices_since_are_asked_for_where_nobody_can_read_them(
    site: Site, new_site: tuple[Path, Secret]
) -> None:
    store = opened(site.folder, new_site[1])
    issue(store)
    store.close()
    assert site.restore(THEN).last_invoices == {"2026": 1}  # read in the site that is replaced
    content = bytearray((site.folder / "site.db").read_bytes())
    content[:100] = bytes(100)
    (site.folder / "site.db").write_bytes(content)
    with pytest.raises(UserError) as told:
        site.restore(THEN)
    assert told.value.template == NO_NUMBERS
    assert site.restore(THEN, last_invoices={"2026": 7}).last_invoices == {"2026": 7}


def test_staff_restore_nothing(site: Site) -> None:
    ada = site.as_owner().services
    staff = Secret(b"wolke 8 tinte rad")
    ada.accounts.add("Kim", Role.STAFF, staff)
    ada.store.close()
    with pytest.raises(NotPermitted):
        site.restore(staff)
