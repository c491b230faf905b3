"""Who may do what: every use case, for every role, on a real site."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import get_type_hints

import pytest

from evdesk.bootstrap.services import Services
from evdesk.bootstrap.sites import Opened, open_with_key
from evdesk.domain.audit import Outcome
from evdesk.domain.errors import NotPermitted, StorageError, UserError
from evdesk.domain.permissions import ALLOWED, Action, allows
from evdesk.domain.secrets import Secret
from evdesk.domain.site import Actor, Role
from evdesk.ports import AuditFilter
from evdesk.services.permitting import DENIED, PERMISSION, REVEALED
from tests.services.desk import KIM

NO_SERVICES = {"info", "store", "clock", "devices"}
SERVICES = [each.name for each in fields(Services) if each.name not in NO_SERVICES]


def use_cases() -> list[tuple[str, str]]:
    """Every public method of every service of a site."""
    hints = get_type_hints(Services)
    return [
        (service, name)
        for service in SERVICES
        for name, method in inspect.getmembers(hints[service], inspect.isfunction)
        if not name.startswith("_")
    ]


def permission(service: str, name: str) -> Action | None:
    method = getattr(get_type_hints(Services)[service], name)
    found = getattr(method, PERMISSION, None)
    assert found is None or isinstance(found, Action)
    return found


@pytest.mark.parametrize(("service", "name"), use_cases())
def test_every_use_case_says_what_it_is_for(service: str, name: str) -> None:
    assert permission(service, name) is not None


def test_every_action_is_for_some_use_case() -> None:
    """An action that nothing asks for protects nothing.

    No site is open where one is restored: services.restoring asks for that right by itself.
    """
    assert {permission(*each) for each in use_cases()} == set(Action) - {Action.RESTORE}


def test_roles_contain_each_other_as_they_should() -> None:
    assert ALLOWED[Role.OWNER] == set(Action)
    assert not ALLOWED[Role.AUDITOR] & {Action.SEE_PERSONS, Action.SIGN_AUDIT}
    assert all(allows(None, action) for action in Action)


@dataclass(frozen=True)
class Site:
    folder: Path
    data_key: Secret

    def as_(self, role: Role | None) -> Opened:
        return open_with_key(self.folder, self.data_key, Actor("A-9", role))


@pytest.fixture
def site(folder: Path, new_site: tuple[Path, Secret]) -> Site:
    return Site(folder, new_site[1])


def call(services: Services, service: str, name: str) -> Callable[..., object]:
    found: Callable[..., object] = getattr(getattr(services, service), name)
    return found


@pytest.mark.parametrize("role", list(Role))
def test_each_role_may_do_what_the_table_says_and_nothing_else(site: Site, role: Role) -> None:
    """Called without what it needs: a use case that is allowed gets as far as missing that."""
    opened = site.as_(role)
    refused = []
    for service, name in use_cases():
        action = permission(service, name)
        assert action is not None
        try:
            call(opened.services, service, name)(*[object()] * 99)
        except NotPermitted:
            refused.append((service, name))
            assert not allows(role, action), (service, name)
        except TypeError:
            assert allows(role, action), (service, name)
    with opened.services.store.read() as unit:
        said = [entry for entry in unit.audit.entries(10_000) if entry.action == DENIED]
    assert len(said) == len(refused)
    assert {entry.outcome for entry in said} <= {Outcome.DENIED}
    opened.services.store.close()


def test_an_auditor_sees_pseudonyms_until_they_are_revealed(site: Site) -> None:
    owner = site.as_(Role.OWNER).services
    kim = owner.drivers.add(KIM).id
    owner.store.close()
    services = site.as_(Role.AUDITOR).services
    assert [one.party.name for one in services.drivers.all()] == [kim]
    assert services.drivers.get(kim).party.email == ""
    with pytest.raises(UserError, match="Say why"):
        services.drivers.reveal(kim, " ")
    assert services.drivers.reveal(kim, "sample 3").party == KIM
    with services.store.read() as unit:
        entry = unit.audit.entries(1)[0]
    assert (entry.action, entry.object_ref, entry.reason) == (REVEALED, kim, "sample 3")
    services.store.close()


def test_an_auditor_recognises_a_card_without_its_number(site: Site) -> None:
    owner = site.as_(Role.OWNER).services
    owner.cards.add(owner.drivers.add(KIM).id, "04:A2:6F:1B:90")
    owner.store.close()
    auditor = site.as_(Role.AUDITOR).services
    (card,) = auditor.cards.all()
    assert card.tag.shown == f"#{card.tag.digest[:2].hex()}"
    entries = auditor.audit.find(AuditFilter(), 5)
    assert "1B90" not in str(entries)
    auditor.store.close()


def test_an_auditors_connection_writes_the_log_and_nothing_else(site: Site) -> None:
    services = site.as_(Role.AUDITOR).services
    with services.store.read() as unit:
        name = unit.site.load().name
        issuer = unit.site.issuer()
    with pytest.raises(StorageError), services.store.write() as unit:
        unit.site.set_issuer(KIM)
    with pytest.raises(StorageError), services.store.journal() as unit:
        unit.collector.request_stop()
    with services.store.read() as unit:
        assert (unit.site.load().name, unit.site.issuer()) == (name, issuer)
    services.store.close()
