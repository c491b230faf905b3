"""The error tree: what happened, what was kept, what to do next.

EvdeskError
├── UserError      the request cannot be carried out as given
│   ├── NothingFound   nothing matched where something was asked for
│   ├── Occupied       somebody else uses it at the moment
│   └── Unlikely       possible, and so odd that somebody has to say so twice
├── DeviceError    a meter, charger or server could not be reached or understood
├── StorageError   the site folder or its database does not do its part
│   ├── Damaged        some sealed readings are not what was sealed; others can be read
│   └── LogBroken      the audit log is not whole, so that nothing can be added to it
├── WrongKey       the password, recovery code or key does not open the site
│   └── TooEarly       too soon after a wrong password: nothing was tried
└── NotPermitted   the account may not do this
    └── NoGround       nobody may: no consent is in force, or something stands against it
"""


class EvdeskError(Exception):
    """An error that people are shown; anything else that escapes is a bug.

    The template is an English sentence with ``{names}``; the facts fill them. The window translates
    the template, the command line prints it as it is.
    """

    def __init__(self, template: str, **facts: object) -> None:
        super().__init__(template)
        self.template = template
        self.facts = facts

    def __str__(self) -> str:
        """Return the sentence in English."""
        return self.template.format(**self.facts)


class UserError(EvdeskError):
    """The request cannot be carried out as given: say what and where."""


class NothingFound(UserError):  # noqa: N818 - the name says all
    """Nothing matched where something was asked for."""


class Occupied(UserError):  # noqa: N818 - the name says all
    """Somebody else uses what is asked for: it is free once they have ended."""


class Unlikely(UserError):  # noqa: N818 - the name says all
    """Possible, and so odd that it is done only when somebody says so twice."""


class DeviceError(EvdeskError):
    """A device or server could not be reached or understood; it will be tried again."""


class StorageError(EvdeskError):
    """The site folder or its database does not do its part."""


class Damaged(StorageError):  # noqa: N818 - the name says all
    """Some sealed readings of a meter are not what was sealed; others can be read."""


class LogBroken(StorageError):  # noqa: N818 - the name says all
    """The audit log is not whole, so that nothing can be added to it; it can be verified."""


class WrongKey(EvdeskError):  # noqa: N818 - the name says all
    """The password, recovery code or key does not open the site."""


class TooEarly(WrongKey):
    """Too soon after a wrong password: nothing was tried; ``facts["seconds"]`` are to be waited."""


class NotPermitted(EvdeskError):  # noqa: N818 - the name says all
    """The account's role does not allow this."""


class NoGround(NotPermitted):
    """Nobody may use this data for that: no consent is in force, or something stands against it."""
