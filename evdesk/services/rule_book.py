"""Which rules of retention there are, which of them hold, and since whose decision."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from evdesk.domain.audit import Change
from evdesk.domain.retention import (
    GENERAL,
    ON,
    Decision,
    KeptRule,
    Offered,
    Rule,
    RuleState,
)
from evdesk.ports import Brought, RuledOn, Unit

PROGRAM = "evdesk"  # the author of what ships with it
SHIPPED = "ships with evdesk"
ADOPTED = "retention.adopted"
ORDER = ("draft", "session", "invoice", "card", "vin", "identity", "contact", "payment",
         "session_link", "consent_evidence", "consent", "request", "mail", "readings", "fault",
         "audit", "account")  # fmt: skip


@dataclass(frozen=True, slots=True)
class RuleBook:
    """The rules of a site: what it keeps itself, and what ships and is not kept yet."""

    offered: Offered

    def country(self, unit: Unit) -> str:
        """Return where the rules of the law are looked for: at the issuer's, or the site's."""
        issuer = unit.site.issuer()
        return (issuer.country if issuer is not None else "") or unit.site.load().country

    def kept(self, unit: Unit, now: datetime) -> list[KeptRule]:
        """Return every version of every rule with where it stands, by rule and version."""
        country = self.country(unit)
        brought = unit.retention.rules()
        known = {(one.rule.id, one.rule.version) for one in brought}
        by_rule: dict[str, list[Brought]] = defaultdict(list)
        for one in brought:
            by_rule[one.rule.id].append(one)
        for rule in self.offered.rules:
            if (rule.id, rule.version) not in known:
                by_rule[rule.id].append(Brought(rule, PROGRAM, now, SHIPPED))
        decided: dict[tuple[str, int], list[RuledOn]] = defaultdict(list)
        for ruling in unit.retention.decisions():
            decided[ruling.rule, ruling.version].append(ruling)
        classes = self._classes_of(country)
        today = now.astimezone(ZoneInfo(unit.site.load().tz)).date()
        found = []
        for versions in by_rule.values():
            versions.sort(key=lambda one: one.rule.version)
            lives = [one for one in versions if one.rule.valid_from <= today]
            applies = _applies(versions[0].rule, country, classes)
            on = [one for one in lives if self._is_on(one.rule, decided, known, country)]
            newest = on[-1].rule.version if on and applies else None
            for one in versions:
                rulings = decided[one.rule.id, one.rule.version]
                is_kept = (one.rule.id, one.rule.version) in known
                found.append(_told(one, rulings, newest, is_kept=is_kept))
        return found

    def in_force(self, unit: Unit, now: datetime) -> list[Rule]:
        """Return the rule of each class that has one, in the order in which they are carried out.

        Invoices go before the persons on them, what happened to sessions before their readings.
        """
        rules = {
            one.rule.data_class: one.rule
            for one in self.kept(unit, now)
            if one.state is RuleState.IN_FORCE
        }
        return [rules[name] for name in ORDER if name in rules]

    def applies(self, unit: Unit, rule: Rule) -> bool:
        """Return whether a rule is one for the country of the site."""
        country = self.country(unit)
        return _applies(rule, country, self._classes_of(country))

    def adopt(self, unit: Unit, now: datetime) -> None:
        """Keep what holds by default in the site itself, so that its history begins there."""
        known = {(one.rule.id, one.rule.version) for one in unit.retention.rules()}
        new = [rule for rule in self.in_force(unit, now) if (rule.id, rule.version) not in known]
        for rule in new:
            unit.retention.bring(Brought(rule, PROGRAM, now, SHIPPED))
            ruling = RuledOn(rule.id, rule.version, Decision.CONFIRMED, PROGRAM, now)
            unit.retention.decide(ruling)
        if new:
            site, names = unit.site.load().id, [f"{one.id}@{one.version}" for one in new]
            unit.record_change(Change(ADOPTED, "site", site, {"rules": names}))

    def _is_on(
        self,
        rule: Rule,
        decided: dict[tuple[str, int], list[RuledOn]],
        known: set[tuple[str, int]],
        country: str,
    ) -> bool:
        if any(one.kind in ON for one in decided[rule.id, rule.version]):
            return True
        first = all(rule.id != name for name, _ in known)
        return first and country in self.offered.default_in

    def _classes_of(self, country: str) -> frozenset[str]:
        """Return the classes for which a country has a rule of its own."""
        rules = self.offered.rules
        return frozenset(one.data_class for one in rules if one.jurisdiction == country)


def _applies(rule: Rule, country: str, classes: frozenset[str]) -> bool:
    if rule.jurisdiction == GENERAL:
        return rule.data_class not in classes
    return rule.jurisdiction == country


def _told(one: Brought, rulings: list[RuledOn], newest: int | None, *, is_kept: bool) -> KeptRule:
    by_kind = {ruling.kind: ruling for ruling in rulings}
    decided = by_kind.get(Decision.APPROVED) or by_kind.get(Decision.CONFIRMED)
    version = one.rule.version
    if newest == version:
        state = RuleState.IN_FORCE
    elif newest is not None and version < newest:
        state = RuleState.REPLACED
    else:
        state = RuleState.PROPOSED if Decision.PROPOSED in by_kind else RuleState.OFFERED
    return KeptRule(
        rule=one.rule,
        state=state,
        author=one.author,
        at=one.at if is_kept else None,
        reason=one.reason,
        approver=None if decided is None else decided.author,
        approved_at=None if decided is None else decided.at,
    )
