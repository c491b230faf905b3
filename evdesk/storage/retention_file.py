"""The rules of retention that ship with the program: ``resources/privacy/retention.toml``."""

import tomllib
from pathlib import Path

from evdesk.domain.retention import Offered, Period, Rule, Trigger


def shipped_rules(folder: Path) -> Offered:
    """Return the rules in the file of a folder, in its order.

    Raises:
        KeyError: a rule says too little; the file ships with the program, so that is a bug.

    """
    told = tomllib.loads((folder / "retention.toml").read_text(encoding="utf-8"))
    rules = tuple(
        Rule(
            id=one["id"],
            version=one["version"],
            data_class=one["data_class"],
            trigger=Trigger(one["trigger"]),
            period=Period.parse(one["period"]),
            legal_basis=one["legal_basis"],
            jurisdiction=one["jurisdiction"],
            justification=one["justification"],
            valid_from=one["valid_from"],
            statutory=one.get("statutory", False),
        )
        for one in told["rule"]
    )
    return Offered(rules, frozenset(told["default_in"]))
