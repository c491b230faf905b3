"""Deciding on a device what its profile leaves open: by its own answers, a person, or a default."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from evdesk.devices.connection import ExceptionAnswer
from evdesk.devices.decode import value_of
from evdesk.devices.plan import Block, plan_blocks
from evdesk.devices.profiles import Choice, Option, Profile, Register
from evdesk.domain.errors import DeviceError

NOT_SUPPORTED = (2, 3)  # illegal address, illegal value: too long a block, or no such register
REFUSED = (1, *NOT_SUPPORTED)  # or it does not know the function at all

Ask = Callable[[Block], Awaitable[bytes]]


class Decider(StrEnum):
    """Who decided."""

    PERSON = "person"
    DEVICE = "device"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Decision:
    """One choice of a profile as it is for one device, and who decided."""

    choice: Choice
    option: str
    by: Decider

    @property
    def is_told(self) -> bool:
        """Say whether the device itself decided."""
        return self.by is Decider.DEVICE


async def decide(
    profile: Profile, chosen: Mapping[str, str], ask: Ask, names: Collection[str] | None = None
) -> tuple[Decision, ...]:
    """Return what is decided for a device; with ``names`` only what bears upon those registers.

    Raises:
        DeviceError: neither the device nor a person has decided, and there is no default.

    """
    answers = _Answers(profile, ask)
    found: list[Decision] = []
    for choice in profile.choices:
        if names is None or _bears_upon(choice, profile, names):
            found.append(await _decision(choice, profile, chosen, answers))
            answers.profile = profile.variant(options_of(found))
    return tuple(found)


def options_of(decisions: Collection[Decision]) -> dict[str, str]:
    """Return the options decided for, by the key of their choice."""
    return {decision.choice.key: decision.option for decision in decisions}


async def _decision(
    choice: Choice, profile: Profile, chosen: Mapping[str, str], answers: "_Answers"
) -> Decision:
    if choice.key in chosen:
        return Decision(choice, chosen[choice.key], Decider.PERSON)
    for option in choice.options:
        if option.rule is not None and await answers.fit(choice, option):
            return Decision(choice, option.id, Decider.DEVICE)
    if choice.default is None:
        raise DeviceError(
            "The device does not tell which kind of {profile} it is: {about} Remove it and add it"
            " again with --choice {key}=OPTION; the options are {options}.",
            profile=profile.info.id,
            about=choice.about,
            key=choice.key,
            options=", ".join(option.id for option in choice.options),
        )
    return Decision(choice, choice.default, Decider.DEFAULT)


def _bears_upon(choice: Choice, profile: Profile, names: Collection[str]) -> bool:
    if any(o.little_words is not None or o.function is not None for o in choice.options):
        return True
    return any(
        register.name in names and any(key == choice.key for key, _ in register.when)
        for register in profile.every
    )


class _Answers:
    """What a device shows in the registers that rules name; each is asked for once.

    ``profile`` has the options decided so far: which word comes first is known before a number is
    looked at by a later rule.
    """

    def __init__(self, profile: Profile, ask: Ask) -> None:
        self.profile = profile
        self._ask = ask
        self._known: dict[Block, bytes | None] = {}

    async def fit(self, choice: Choice, option: Option) -> bool:
        """Say whether the rule of an option holds on the device."""
        rule = option.rule
        if rule is None:
            return False
        register = self.profile.variant({choice.key: option.id}).registers[rule.register]
        data = await self._words(register)
        if data is None:
            return rule.answers is False
        return rule.holds(value_of(register, data))

    async def _words(self, register: Register) -> bytes | None:
        """Return the words of a register; None where the device refuses it."""
        (block,) = plan_blocks([register], self.profile.pace)
        if block not in self._known:
            try:
                data = await self._ask(block)
            except ExceptionAnswer as error:
                if error.code not in REFUSED:
                    raise
                self._known[block] = None
            else:
                self._known[block] = data[block.bytes_of(register)]
        return self._known[block]
