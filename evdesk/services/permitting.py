"""Permission checks: every use case says what it is for, and is refused to who may not do that."""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Concatenate, ParamSpec, Protocol, TypeVar

from evdesk.domain.audit import Change, Outcome
from evdesk.domain.errors import NotPermitted, StorageError, UserError
from evdesk.domain.permissions import Action, allows
from evdesk.domain.site import Role
from evdesk.ports import Store

Call = ParamSpec("Call")
Result = TypeVar("Result")
PERMISSION = "permission"  # the attribute that tells which action a method is for
DENIED, REVEALED = "access.denied", "person.revealed"


class Service(Protocol):
    """What has use cases: it works on one store, in the name of one actor."""

    _store: Store


Of = TypeVar("Of", bound=Service)
Method = Callable[Concatenate[Of, Call], Result]


def permit(
    action: Action,
) -> Callable[[Method[Of, Call, Result]], Method[Of, Call, Result]]:
    """Refuse a use case to those who may not do it.

    Raises:
        NotPermitted: the actor's role may not; the attempt is in the audit log.

    """

    def decorate(method: Method[Of, Call, Result]) -> Method[Of, Call, Result]:
        @wraps(method)
        def checked(self: Of, /, *args: Call.args, **named: Call.kwargs) -> Result:
            demand(self._store, action)
            return method(self, *args, **named)

        setattr(checked, PERMISSION, action)
        return checked

    return decorate


def demand(store: Store, action: Action) -> None:
    """Refuse to go on where the actor may not do something; the attempt is in the audit log.

    Raises:
        NotPermitted: the actor's role may not.

    """
    role = store.actor.role
    if allows(role, action):
        return
    with suppress(StorageError), store.write() as unit:  # refused all the same
        change = Change(DENIED, "action", action.value, {}, outcome=Outcome.DENIED)
        unit.record_change(change)
    raise NotPermitted(
        "This is not for {role} accounts: to {action}, ask somebody with {who} account. Nothing "
        "was changed.",
        role=role.value if role else "",
        action=action.value,
        who="an owner's" if not allows(Role.STAFF, action) else "an owner's or a staff",
    )


def given(reason: str) -> str:
    """Return a reason as it is kept.

    Raises:
        UserError: there is none.

    """
    text = " ".join(reason.split())
    if not text:
        raise UserError("Say why: a reason of some words is kept with your name. Nothing changed.")
    return text
