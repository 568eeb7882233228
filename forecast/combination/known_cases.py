"""The past forecasts of a combination of which it is known, in some week, how they turned out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from forecast.combination.earned import earned
from forecast.combination.evidence import Evidence
from forecast.combination.level_map import recency
from forecast.combination.member_forecasts import CLASSES
from forecast.combination.seen_cells import LOG_FLOOR, SeenCells
from forecast.combination.track import Track

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class KnownCells:
    """Weeks ahead and units of past origins whose counts are known.

    Parameters
    ----------
    weeks : ndarray of int, shape (origins,)
    origin : ndarray of int, shape (cells,)
        Position in `weeks`.
    ahead, kind : ndarray of int, shape (cells,)
        Weeks ahead, from 0; class of the unit.
    weight : ndarray, shape (cells,)
        What a cell counts for by its age.
    evidence : Evidence
        What they say of the members.
    trial_share : ndarray, shape (cells, members)
        Shares that were learned by then.
    pool, trial : ndarray, shape (2, cells)
        CRPS and log score of the pool, and of the pool recalibrated as it would have been then.
    pairs : ndarray, shape (cells, 2)
        Cdf of the pool below, and at, what came.
    whole : ndarray of bool, shape (cells,)
        Whether all members said something.
    """

    weeks: Ints
    origin: Ints
    ahead: Ints
    kind: Ints
    weight: Floats
    evidence: Evidence
    trial_share: Floats
    pool: Floats
    trial: Floats
    pairs: Floats
    whole: Bools

    def of_all_members(self) -> KnownCells:
        """Return the cells of which all members said something: only they tell what a member is worth."""
        if self.whole.all():
            return self
        keep = self.whole
        return KnownCells(
            weeks=self.weeks,
            origin=self.origin[keep],
            ahead=self.ahead[keep],
            kind=self.kind[keep],
            weight=self.weight[keep],
            evidence=self.evidence.where(keep),
            trial_share=self.trial_share[keep],
            pool=self.pool[:, keep],
            trial=self.trial[:, keep],
            pairs=self.pairs[keep],
            whole=keep[keep],
        )

    @property
    def group(self) -> Ints:
        """Number of each cell's weeks ahead and class."""
        return self.ahead * CLASSES + self.kind

    def pooled(self, share: Floats) -> Floats:
        """Return CRPS and log score of the linear pool with some shares, shape (2, cells)."""
        return np.stack([self.evidence.crps(share), self.evidence.log_score(share, floor=LOG_FLOOR)])

    def earned(self, before: Floats, after: Floats, horizon: int, least: int) -> Bools:
        """Tell by weeks ahead and class, shape (horizon, CLASSES), whether a step earned its place.

        Scores of shape (2, cells), as those of `pooled`.
        """
        shape = (len(self.weeks), horizon * CLASSES)
        first, second = (
            np.stack([_sums(self.origin, self.group, shape, each) for each in scores]) for scores in (before, after)
        )
        number = _sums(self.origin, self.group, shape, np.ones(len(self.origin)))
        return earned(first, second, number, self.weeks, least=least).reshape(horizon, CLASSES)


@dataclass(frozen=True, eq=False)
class KnownEvents:
    """Past probabilities of escalations of which it is known whether they came.

    Parameters
    ----------
    weeks : ndarray of int, shape (origins,)
    origin, rule, kind : ndarray of int, shape (cases,)
        Position in `weeks`, number of the escalation, class of the unit.
    weight : ndarray, shape (cases,)
        What a case counts for: by its age, and less by how many origins share its weeks.
    chance, trial : ndarray, shape (cases,)
        As pooled, and recalibrated as it would have been then.
    met : ndarray, shape (cases,)
        1 if it came, 0 if not.
    traits : ndarray, shape (cases, traits)
        Of the unit at the origin.
    """

    weeks: Ints
    origin: Ints
    rule: Ints
    kind: Ints
    weight: Floats
    chance: Floats
    trial: Floats
    met: Floats
    traits: Floats

    def earned(self, rules: int, least: int) -> Bools:
        """Tell for each escalation and class, shape (rules, CLASSES), whether recalibration earned its place."""
        shape, group = (len(self.weeks), rules * CLASSES), self.rule * CLASSES + self.kind
        before, after = (_sums(self.origin, group, shape, (said - self.met) ** 2) for said in (self.chance, self.trial))
        number = _sums(self.origin, group, shape, np.ones(len(self.met)))
        return earned(before[None], after[None], number, self.weeks, least=least).reshape(rules, CLASSES)


def known_cells(tracks: Sequence[Track], week: int, half_life: float) -> KnownCells | None:
    """Return the cells of earlier origins whose counts are known in a week; None if there is none."""
    found = list(_seen(tracks, week))
    if not found:
        return None
    number = np.array([origin for origin, _ in found], dtype=np.int64)
    cells = [each for _, each in found]
    origin = np.repeat(np.arange(len(cells)), [len(each.ahead) for each in cells])
    pool, trial = (
        np.concatenate(scores).T for scores in ([each.pool for each in cells], [each.trial for each in cells])
    )
    return KnownCells(
        weeks=number,
        origin=origin,
        ahead=np.concatenate([each.ahead for each in cells]),
        kind=np.concatenate([each.kind for each in cells]),
        weight=recency(week - number, half_life)[origin],
        evidence=Evidence.joined([each.evidence for each in cells]),
        trial_share=np.concatenate([each.trial_share for each in cells]),
        pool=pool[:2],
        trial=trial[:2],
        pairs=pool[2:].T,
        whole=np.concatenate([each.whole for each in cells]),
    )


def known_events(tracks: Sequence[Track], week: int, spans: Sequence[int], half_life: float) -> KnownEvents | None:
    """Return the probabilities of earlier origins whose outcome is known in a week; None if there is none."""
    weeks, rules, kinds, chances, trials, outcomes, traits = [], [], [], [], [], [], []
    for track in tracks:
        past = track.before(week)
        met = track.known(week).met if past else np.empty((0, 0, 0), np.int64)
        for at, step in enumerate(track.steps[:past]):
            rule, unit = np.nonzero((met[at] >= 0) & np.isfinite(step.pool_chance))
            if not len(rule):
                continue
            weeks.append(step.members.week)
            rules.append(rule)
            kinds.append(step.members.activity[unit])
            chances.append(step.pool_chance[rule, unit])
            trials.append(step.trial_chance[rule, unit])
            outcomes.append(met[at][rule, unit].astype(np.float64))
            traits.append(step.members.traits[:, unit].T)
    if not weeks:
        return None
    number, rule = np.array(weeks, dtype=np.int64), np.concatenate(rules)
    origin = np.repeat(np.arange(len(weeks)), [len(each) for each in rules])
    return KnownEvents(
        weeks=number,
        origin=origin,
        rule=rule,
        kind=np.concatenate(kinds),
        # Spans of neighbouring origins overlap: as many of them as a span has weeks count as one case.
        weight=recency(week - number, half_life)[origin] / np.asarray(spans)[rule],
        chance=np.concatenate(chances),
        trial=np.concatenate(trials),
        met=np.concatenate(outcomes),
        traits=np.concatenate(traits),
    )


def _seen(tracks: Sequence[Track], week: int) -> Iterator[tuple[int, SeenCells]]:
    """Give the week of each past origin of which some count is known, with the cells where it is."""
    for track in tracks:
        past = track.before(week)
        counts = track.known(week).counts if past else np.empty((0, 0, 0), np.int64)
        for at, step in enumerate(track.steps[:past]):
            if (counts[at] >= 0).any():
                yield step.members.week, track.seen(at, counts[at])


def _sums(origin: Ints, group: Ints, shape: tuple[int, int], values: Floats) -> Floats:
    """Return the sums of values by origin and group."""
    origins, groups = shape
    found = np.bincount(origin * groups + group, weights=values, minlength=origins * groups)
    return np.asarray(found, dtype=np.float64).reshape(shape)
