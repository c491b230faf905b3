"""What a person should know of a device that was added: what is undecided, what is missing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from evdesk.domain.errors import UserError
from evdesk.domain.meters import MeterRole, NewMeter
from evdesk.domain.readings import Reading
from evdesk.ports import Decided, ProfileInfo


class CautionCode(StrEnum):
    """What there is to know."""

    BY_DEFAULT = "by_default"  # a choice is as its default until somebody compares
    NO_ENERGY = "no_energy"  # it answered, but its lifetime register says nothing
    VAH = "vah"  # its lifetime register counts apparent energy
    SOCKETS = "sockets"  # its further sockets need stations of their own


@dataclass(frozen=True, slots=True)
class Caution:
    """One thing to know, with its facts."""

    code: CautionCode
    facts: Mapping[str, object] = field(default_factory=dict)


def check_choices(choices: Mapping[str, str], profile: ProfileInfo) -> None:
    """Refuse choices and options that the profile does not have."""
    known = {choice.key: [option.id for option in choice.options] for choice in profile.choices}
    for key, option in choices.items():
        if option not in known.get(key, ()):
            there = "; ".join(f"{name}={' or '.join(ids)}" for name, ids in known.items())
            raise UserError(
                "{profile} has no choice {key}={option}. It has: {there}.",
                profile=profile.id,
                key=key,
                option=option,
                there=there or "none",
            )


def energy_read_as(profile: ProfileInfo, chosen: Mapping[str, str]) -> str:
    """Return under which options the lifetime register is read; another text, another register."""
    asked = [choice for choice in profile.choices if choice.on_energy]
    options = sorted((one.key, chosen.get(one.key) or one.default or "?") for one in asked)
    return " ".join(f"{key}={option}" for key, option in options)


def has_energy(profile: ProfileInfo, chosen: Mapping[str, str]) -> bool:
    """Say whether a device has a lifetime register, as far as these options tell."""
    return profile.has_energy and not any(
        chosen.get(choice.key) == option.id and not option.has_energy
        for choice in profile.choices
        for option in choice.options
    )


def cautions(
    new: NewMeter,
    profile: ProfileInfo,
    decided: Sequence[Decided],
    readings: Sequence[Reading],
    *,
    bills: bool,
) -> tuple[Caution, ...]:
    """Return what there is to know; without readings the device did not answer.

    ``bills`` says that a register was to be read.
    """
    found: list[Caution] = []
    by_device = {one.key for one in decided if one.by_device}
    for choice in profile.choices:
        is_open = choice.key not in new.choices and choice.key not in by_device
        waits = choice.by_device and not readings  # it will be asked once it answers
        if is_open and not waits and choice.default is not None:
            facts = {
                "name": new.name,
                "choice": choice.key,
                "about": choice.about,
                "default": choice.default,
                "options": [option.id for option in choice.options],
            }
            found.append(Caution(CautionCode.BY_DEFAULT, facts))
    if bills and readings and all(reading.import_wh is None for reading in readings):
        found.append(Caution(CautionCode.NO_ENERGY, {"name": new.name}))
    if bills and profile.counts_vah:
        found.append(Caution(CautionCode.VAH, {"name": new.name}))
    if new.role is MeterRole.STATION and profile.sockets > 1:
        found.append(Caution(CautionCode.SOCKETS, {"name": new.name, "sockets": profile.sockets}))
    return tuple(found)
