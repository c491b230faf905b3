"""Which profiles an unknown unit may be of: asked in an order that rules most of them out soonest.

Most profiles fall with the first request that the unit refuses or answers with nonsense; requests
that many profiles share go first, and no word is asked for twice. Devices that want much quiet
between two requests are tried first and hold the pace until they are ruled out.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from evdesk.devices.asking import NO_SUCH_VALUE, Asker
from evdesk.devices.connection import ExceptionAnswer, NoAnswer, Unreachable
from evdesk.devices.plan import Block
from evdesk.devices.profiles import Profile
from evdesk.devices.self_description import Names, ask_names, ask_sunspec
from evdesk.devices.suspects import Suspect, suspects_of
from evdesk.ports import Candidate, Certainty
from evdesk.settings import FINDING

SLOW_S = 0.2
PACES_S = (1.0, 0.5, 0.2, 0.1, 0.05)  # who wants more quiet is asked sooner, so that it soon ends
LEAST_SCORE = 4
CLEAR_LEAD = 4
FAR_BEHIND = 2 * CLEAR_LEAD
WORTH_NAMING = 3  # part of the best score
BUS_TRIES, HOST_TRIES, THOROUGH_TRIES = 2, 1, 12
THOROUGH_TIMES = 3
MOST_MORE = 14  # requests to tell those apart that are left


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is tried: requests before a unit counts as silent, quiet, and time in all."""

    tries: int
    gap_s: float
    budget_s: float


def effort_for(*, is_bus: bool, thorough: bool = False) -> Effort:
    """Return the usual effort; ``thorough`` is for devices that are silent where others refuse."""
    tries = BUS_TRIES if is_bus else HOST_TRIES
    budget_s = FINDING.bus_budget_s if is_bus else FINDING.network_budget_s
    return Effort(
        tries=THOROUGH_TRIES if thorough else tries,
        gap_s=FINDING.bus_gap_s if is_bus else FINDING.network_gap_s,
        budget_s=budget_s * (THOROUGH_TIMES if thorough else 1),
    )


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a unit may be, best first, and what it calls itself.

    ``leader`` is behind the best candidate; ``out_of_time``: not every profile was tried.
    """

    candidates: tuple[Candidate, ...]
    leader: Suspect | None
    names: Names
    out_of_time: bool


class Recogniser:
    """Looks at one unit; ``stopped`` is asked before each request."""

    def __init__(
        self, asker: Asker, profiles: Iterable[Profile], effort: Effort, stopped: Callable[[], bool]
    ) -> None:
        self._asker = asker
        self._effort = effort
        self._stopped = stopped
        self._suspects = [one for profile in profiles for one in suspects_of(profile, asker)]
        self._ends_s = 0.0
        self._asked: set[int] = set()
        self._names = Names()

    async def run(self) -> Recognised:
        """Return what the unit may be.

        Raises:
            Unreachable: there is no connection (any more).

        """
        self._ends_s = asyncio.get_running_loop().time() + self._effort.budget_s
        await self._lead(lambda each: each.gap_s >= SLOW_S or each.is_warm)
        await self._lead(lambda _: not self._asker.answered)
        await self._ask_itself()
        await self._lead(lambda _: True)
        await self._tell_apart()
        ranking = self._ranking()
        return Recognised(
            tuple(candidate for candidate, _ in ranking),
            ranking[0][1] if ranking else None,
            self._names,
            self._is_late(),
        )

    # -- asking ---------------------------------------------------------------------------------

    async def _ask_itself(self) -> None:
        for ask in (ask_sunspec, ask_names):
            if self._is_over() or self._identified():
                return
            self._asker.gap_s = self._gap_s()
            self._names = self._names.or_else(await ask(self._asker, self._suspects))

    async def _lead(self, wanted: Callable[[Suspect], bool]) -> None:
        """Ask what is pending of those wanted, until nothing is."""
        while not self._is_over():
            head = await self._next(wanted)
            if head is None:
                return
            await self._put(head)

    async def _next(self, wanted: Callable[[Suspect], bool]) -> tuple[Suspect, Block] | None:
        """Return the request that settles most; what is known already is taken in first."""
        for each in self._in_play():
            await self._take_known(each)
            if each.is_warm and not each.pending and not each.identified:
                each.ask_more()
        open_ones = [e for e in self._in_play() if e.is_open and not e.is_proven and wanted(e)]
        heads = [(each, each.pending[0]) for each in open_ones]
        if not heads:
            return None
        votes = Counter(_span(each, block) for each, block in heads)
        return max(heads, key=lambda head: self._worth(head, votes))

    def _worth(
        self, head: tuple[Suspect, Block], votes: Counter[tuple[int, int, int]]
    ) -> tuple[float, ...]:
        """Return what makes a request the next: it ends a slow pace, it may prove, it settles."""
        each, block = head
        function, first, last = _span(each, block)
        settles = sum(
            count
            for (other, start, end), count in votes.items()
            if other == function and first <= start and end <= last
        )
        is_new_way = not self._asker.answered and function not in self._asked
        pace = sum(each.gap_s >= pace_s for pace_s in PACES_S) if each.unseen else 0
        slow = pace if each.gap_s >= SLOW_S else 0
        return (is_new_way, slow, each.is_warm, block.unit_id is None, pace, settles)

    async def _put(self, head: tuple[Suspect, Block]) -> None:
        each, block = head
        self._asked.add(block.function)
        self._asker.gap_s = self._gap_s()
        each.pending.popleft()
        self._ends_s += self._asker.gap_s - self._effort.gap_s  # waiting is no effort
        await self._take(each, block)

    async def _take(self, each: Suspect, block: Block) -> None:
        try:
            data = await self._asker.read(block, each.shift)
        except Unreachable:
            raise
        except ExceptionAnswer as error:
            if error.code in NO_SUCH_VALUE:
                each.lacks(block)
        except NoAnswer:
            if self._asker.answered:
                each.lacks(block)
        else:
            each.learn(block, data)

    def _gap_s(self) -> float:
        """Return the quiet that the most sensitive device wants which this may still be."""
        far = max(each.weight for each in self._suspects) - FAR_BEHIND
        wanted = (e.gap_s for e in self._suspects if e.holds_pace and (e.unseen or e.weight > far))
        return max(self._effort.gap_s, *wanted, 0.0)

    def _in_play(self) -> list[Suspect]:
        """Return who is still in play: once one fits in all, only whom it may be mixed up with."""
        alive = [each for each in self._suspects if not each.ruled_out]
        identified = self._identified()
        if identified:
            return [each for each in alive if each in identified]
        proven = [each for each in self._suspects if each.is_proven]
        if not proven:
            return alive
        return [each for each in alive if any(each.may_be_mixed_up_with(one) for one in proven)]

    def _identified(self) -> list[Suspect]:
        return [each for each in self._suspects if each.identified and not each.ruled_out]

    def _is_late(self) -> bool:
        return asyncio.get_running_loop().time() >= self._ends_s

    def _is_over(self) -> bool:
        silent = not self._asker.answered and self._asker.requests >= self._effort.tries
        return silent or self._is_late() or self._stopped()

    # -- telling apart --------------------------------------------------------------------------

    async def _tell_apart(self) -> None:
        """Ask for what some of those that are left have and others have not."""
        left = self._left()
        if len(left) < 2:  # noqa: PLR2004 - nobody to be told apart from
            return
        for each in left:
            each.ask_more()
        for _ in range(MOST_MORE):
            head = None if self._is_over() else await self._dividing(self._left())
            if head is None:
                return
            await self._put(head)

    def _left(self) -> list[Suspect]:
        """Return whom it may be about as well, each profile in the way that fits best."""
        ways: dict[str, Suspect] = {}
        for each in self._in_play():
            known = ways.setdefault(each.profile.info.id, each)
            if each.weight > known.weight:
                ways[each.profile.info.id] = each
        best = max((each.weight for each in ways.values()), default=0)
        return [each for each in ways.values() if each.is_warm and each.weight >= best - FAR_BEHIND]

    async def _dividing(self, left: list[Suspect]) -> tuple[Suspect, Block] | None:
        """Return a request that not all of them would make; what is known is taken in first."""
        for each in left:
            await self._take_known(each)
        holders = Counter(span for each in left for span in {_span(each, b) for b in each.pending})
        heads = [
            (each, block)
            for each in left
            for block in each.pending
            if holders[_span(each, block)] < len(left)
        ]
        if not heads:
            return None
        each, block = min(heads, key=lambda head: abs(2 * holders[_span(*head)] - len(left)))
        each.pending.remove(block)
        each.pending.appendleft(block)
        return each, block

    async def _take_known(self, each: Suspect) -> None:
        """Take in what is known of what a suspect asks for: of the last request, or of any."""
        fresh, each.fresh = each.fresh, False
        for block in tuple(each.pending):
            may_be_known = fresh or self._asker.is_new(block, each.shift)
            if may_be_known and not each.ruled_out and self._asker.knows(block, each.shift):
                each.pending.remove(block)
                await self._take(each, block)

    def _ranking(self) -> list[tuple[Candidate, Suspect]]:
        """Return whom it may be, best first; of the ways a device may be the one that fits best."""
        if not self._asker.answered:
            return []
        best: dict[str, tuple[Candidate, Suspect]] = {}
        for each in self._in_play():
            found = each.candidate()
            known = best.get(found.profile)
            if (each.answered or each.identified) and (
                known is None or found.score > known[0].score
            ):
                best[found.profile] = (found, each)
        top = max((found.score for found, _ in best.values()), default=0)
        least = max(LEAST_SCORE, top // WORTH_NAMING)
        worthy = [pair for pair in best.values() if pair[0].identified or pair[0].score >= least]
        return sorted(worthy, key=lambda pair: (-pair[0].score, pair[0].profile))


def certainty_of(candidates: Sequence[Candidate]) -> Certainty:
    """Return how sure one can be of the best candidate."""
    if not candidates:
        return Certainty.UNKNOWN
    first = candidates[0]
    if len(candidates) > 1 and first.score - candidates[1].score < CLEAR_LEAD:
        return Certainty.AMBIGUOUS
    return Certainty.IDENTIFIED if first.identified else Certainty.LIKELY


def _span(each: Suspect, block: Block) -> tuple[int, int, int]:
    start = block.address + each.shift
    return (int(block.function), start, start + block.count)
