"""What a device says of itself: SunSpec's common model, and Modbus device identification."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from evdesk.devices.asking import Asker
from evdesk.devices.connection import ExceptionAnswer, NoAnswer, Unreachable
from evdesk.devices.sunspec import find_marker, read_common, walk_models
from evdesk.devices.suspects import Suspect
from evdesk.ports import ProfileInfo, Remark

SAYS_MAKER = 5
SAYS_MODEL = 6
SHORTEST_WORD = 3
VENDOR, PRODUCT, NAME, MODEL = 0, 1, 4, 5  # objects of a device identification


@dataclass(frozen=True, slots=True)
class Names:
    """Maker, model and serial number, as the device tells them."""

    maker: str | None = None
    model: str | None = None
    serial: str | None = None

    def or_else(self, other: "Names") -> "Names":
        """Return these, and what is missing from others."""
        return Names(
            self.maker or other.maker, self.model or other.model, self.serial or other.serial
        )


async def ask_sunspec(asker: Asker, suspects: Sequence[Suspect]) -> Names:
    """Look for SunSpec models; rules out, or identifies, the profiles that are made of them.

    Raises:
        Unreachable: there is no connection (any more).

    """
    hopefuls = [each for each in suspects if each.profile.sunspec and not each.ruled_out]
    names = Names()
    for each in hopefuls:
        sunspec = each.profile.sunspec
        if sunspec is None:
            continue
        try:
            base = await find_marker(sunspec.base_addresses, asker.read)
            if base is not None and names == Names():
                names = Names(*await read_common(base, asker.read))
            start = None if base is None else await walk_models(base, sunspec.model_ids, asker.read)
        except Unreachable:
            raise
        except (ExceptionAnswer, NoAnswer):
            start = None
        if start is None:
            each.ruled_out = True
            continue
        each.shift = start
        each.claim(Remark("sunspec", "it has a SunSpec meter model"), 0, identified=True)
    return names


async def ask_names(asker: Asker, suspects: Sequence[Suspect]) -> Names:
    """Ask for vendor and product; what they name gains by it.

    Raises:
        Unreachable: there is no connection (any more).

    """
    said = await asker.identification()
    text = " ".join(said.values())
    for each in suspects if text else ():
        info = each.profile.info
        maker, model = says_maker(info, text), says_model(info, text)
        if maker or model:
            remark = Remark("calls-itself", "it calls itself {text}", {"text": text})
            weight = SAYS_MAKER * maker + SAYS_MODEL * model
            each.claim(remark, weight, identified=maker and model)
    return Names(said.get(VENDOR), said.get(MODEL) or said.get(NAME) or said.get(PRODUCT))


def says_maker(info: ProfileInfo, text: str) -> bool:
    """Say whether a text names the maker."""
    return bool(_words(info.manufacturer) & _words(text))


def says_model(info: ProfileInfo, text: str) -> bool:
    """Say whether a text names one of the models; their names are words with a digit."""
    names = _words(" ".join((info.model, *info.models_covered)))
    said = _words(text)
    return any(
        re.search(r"\d", name) and any(word.startswith(name) for word in said) for name in names
    )


def _words(text: str) -> set[str]:
    return {word for word in re.findall(r"[a-z0-9]+", text.lower()) if len(word) >= SHORTEST_WORD}
