"""The steps of a combination, learned from what was known in some week: pool, weights, recalibration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forecast.combination.cdf_maps import fit_bernstein_map, fit_beta_map, remap
from forecast.combination.class_maps import ClassMaps, EventFit, fit_cdf_classes, fit_event_classes
from forecast.combination.event_maps import fit_beta_calibration, fit_isotonic_map, fit_logit_map
from forecast.combination.kept_steps import KeptStep
from forecast.combination.known_cases import KnownCells, KnownEvents, known_cells, known_events
from forecast.combination.level_map import LevelMap
from forecast.combination.member_forecasts import CLASSES, MemberForecasts, StepForecasts
from forecast.combination.online import online_weights
from forecast.combination.pools import linear_pool
from forecast.combination.settings import CdfMethod, Combination, EventMethod, WeightMethod
from forecast.combination.stacking import crps_stacking, equal_weights, log_stacking
from forecast.combination.surge import SurgeMaps, fit_surge_maps
from forecast.combination.track import Track
from forecast.errors import InputError

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
EventMaps = SurgeMaps | ClassMaps

PRIOR_ORIGINS = 52.0
"""Origins' worth of evidence for equal weights, and for the weights of all cases in those of a group."""
LEVELS = 300
"""Steps to which cumulative probabilities are rounded before a map is fitted, finer towards 0 and 1."""

_CDF_FITS: Final = {"beta": fit_beta_map, "bernstein": fit_bernstein_map}
_EVENT_FITS: Final[Mapping[EventMethod, EventFit]] = {
    "logit": fit_logit_map,
    "beta": fit_beta_calibration,
    "isotonic": fit_isotonic_map,
}


@dataclass(frozen=True, eq=False)
class Learned:
    """What is known of a combination's steps in some week, and where they are on.

    Parameters
    ----------
    trial_weight : ndarray, shape (horizon, CLASSES, members)
        Learned shares; equal ones if there are none.
    weights_on, maps_on : ndarray of bool, shape (horizon, CLASSES)
    maps : ClassMaps or None
        Of cumulative probabilities, by class and weeks ahead.
    event_maps : tuple of (SurgeMaps, ClassMaps or None)
        Of the probability of each escalation, by class and what the weeks before were like, or by class.
    events_on : ndarray of bool, shape (escalations, CLASSES)
    spans : tuple of int
        Weeks of each escalation.
    origins : int
        Past origins of which something was known.
    """

    trial_weight: Floats
    weights_on: Bools
    maps: ClassMaps | None
    maps_on: Bools
    event_maps: tuple[EventMaps | None, ...]
    events_on: Bools
    spans: tuple[int, ...]
    origins: int = 0

    @property
    def weight(self) -> Floats:
        """Shares that are taken, shape (horizon, CLASSES, members)."""
        members = self.trial_weight.shape[2]
        return np.where(self.weights_on[:, :, None], self.trial_weight, 1 / members)

    def apply(self, members: MemberForecasts) -> StepForecasts:
        """Combine the members' forecasts of one origin.

        The probability of an escalation is pooled with the mean weights of its weeks, which is exact for a pool of
        whole paths. Weeks beyond those that were learned have the weights and maps of the last.
        """
        ahead = np.minimum(np.arange(members.pmf.shape[1]), len(self.weight) - 1)
        kind = members.activity
        share = self.weight[ahead][:, kind]
        pool = linear_pool(members.pmf, np.moveaxis(share, 2, 0))
        trial, final = pool, pool
        if self.maps is not None:
            trial = remap(pool, self.maps.at(kind[None, :], ahead[:, None]))
            trial[..., -1] += 1 - trial.sum(axis=-1)  # a steep map makes much of the rounding of a sum of 1
            final = np.where(self.maps_on[ahead][:, kind][:, :, None], trial, pool)
        chance = np.empty(members.chance.shape[1:])
        for at, span in enumerate(self.spans):
            mean = self.weight[ahead[:span]].mean(axis=0)[kind]
            chance[at] = np.clip(np.einsum("mu,um->u", members.chance[:, at], mean), 0.0, 1.0)  # sums round
        trial_chance = np.stack(
            [
                found if maps is None else np.where(np.isnan(found), np.nan, _event_map(maps, members)(found))
                for maps, found in zip(self.event_maps, chance, strict=True)
            ]
        )
        return StepForecasts(
            members=members,
            weight=self.weight,
            trial_weight=self.trial_weight,
            pool=pool,
            trial=trial,
            final=final,
            pool_chance=chance,
            trial_chance=trial_chance,
            final_chance=np.where(self.events_on[:, kind], trial_chance, chance),
        )


def learn(
    tracks: Sequence[Track], week: int, settings: Combination, *, members: int, horizon: int, spans: Sequence[int]
) -> Learned:
    """Return what the forecasts of earlier origins say, as far as it was known in a week how they turned out.

    Each step is learned, and its switch decided, from the forecasts as they had been made then: a gain is that of the
    step as it would have been taken at each past origin, over the forecast as it stood before the step.

    Parameters
    ----------
    tracks : sequence of Track
        Their forecasts from origins before this week.
    week : int
        Number of the week that begins.
    settings : Combination
    members, horizon : int
    spans : sequence of int
        Weeks of each escalation.
    """
    cells, cases = (
        known_cells(tracks, week, settings.half_life_weeks),
        known_events(tracks, week, spans, settings.half_life_weeks),
    )
    groups, nowhere = (horizon, CLASSES), np.zeros((horizon, CLASSES), dtype=bool)
    weight, weights_on = np.full((*groups, members), 1 / members), nowhere
    maps, maps_on = None, nowhere
    event_maps: list[EventMaps | None] = [None for _ in spans]
    events_on = np.zeros((len(spans), CLASSES), dtype=bool)
    if cells is not None and settings.weights_method is not None:
        told = cells.of_all_members()
        weight = _weights(told, settings.weights_method, horizon)
        equal, tried = told.pooled(equal_weights(members)), told.pooled(told.trial_share)
        weights_on = ~nowhere
        if settings.weights == "auto":
            weights_on = told.earned(equal, tried, horizon, settings.least_origins)
    if cells is not None and settings.cdf_method is not None:
        maps = _cdf_maps(cells, settings.cdf_method, horizon)
        maps_on = ~nowhere
        if settings.recalibration == "auto":
            maps_on = cells.earned(cells.pool, cells.trial, horizon, settings.least_origins)
        maps_on = maps_on & [[maps.changes(kind, ahead) for kind in range(CLASSES)] for ahead in range(horizon)]
    if cases is not None and settings.events_method is not None:
        event_maps = [_event_maps(cases, rule, settings.events_method) for rule in range(len(spans))]
        events_on[:] = settings.events != "auto"
        if settings.events == "auto":
            events_on = cases.earned(len(spans), settings.least_origins)
        able = [[maps is not None and maps.changes(kind) for kind in range(CLASSES)] for maps in event_maps]
        events_on = events_on & able
    return Learned(
        trial_weight=weight,
        weights_on=weights_on,
        maps=maps,
        maps_on=maps_on,
        event_maps=tuple(event_maps),
        events_on=events_on,
        spans=tuple(spans),
        origins=0 if cells is None else len(cells.weeks),
    )


def combine_in_sequence(
    forecasts: Iterable[MemberForecasts],
    learned_in: Sequence[int],
    track: Track,
    earlier: Sequence[Track],
    settings: Combination,
    *,
    spans: Sequence[int],
) -> None:
    """Combine the forecasts of one origin after another into `track`.

    Parameters
    ----------
    forecasts : iterable of MemberForecasts
        In order.
    learned_in : sequence of int
        The week in which that was learned with which each of them is combined: its own or one before, in order.
    track : Track
        Empty; its forecasts are those that have been combined so far.
    earlier : sequence of Track
        Of other panels, whose forecasts are learned from as well, as far as they came true by then.
    settings : Combination
    spans : sequence of int
        Weeks of each escalation.
    """
    for at, said in enumerate(forecasts):
        if learned_in[at] > said.week:
            raise InputError("a combination that was learned after its origin")
        if not at or learned_in[at] != learned_in[at - 1]:
            members, horizon = said.pmf.shape[:2]
            tracks, week = [*earlier, track], learned_in[at]
            learned = learn(tracks, week, settings, members=members, horizon=horizon, spans=spans)
        track.steps.append(KeptStep.of(learned.apply(said)))


def _weights(cells: KnownCells, method: WeightMethod, horizon: int) -> Floats:
    """Return shares by weeks ahead and class, drawn to those of all cells, and these to equal ones."""
    everything = np.ones(len(cells.origin), dtype=bool)
    members = cells.evidence.members
    whole = _drawn(cells, everything, method, np.full(members, 1 / members))
    group = cells.group
    found = [_drawn(cells, group == at, method, whole) for at in range(horizon * CLASSES)]
    return np.stack(found).reshape(horizon, CLASSES, members)


def _drawn(cells: KnownCells, here: Bools, method: WeightMethod, toward: Floats) -> Floats:
    """Return the best shares of some cells, drawn to others as if those came from `PRIOR_ORIGINS` further origins."""
    origin, weight = cells.origin[here], cells.weight[here]
    if not len(origin):
        return toward
    size = np.bincount(origin, minlength=len(cells.weeks))
    each = weight / size[origin]  # an origin counts as one, however many cells it has: these depend on each other
    past = cells.evidence.where(here)
    if method == "online":
        steps = [past.where(origin == at) for at in np.argsort(cells.weeks, kind="stable") if size[at]]
        best = online_weights(steps, share=0.01)[-1]
    else:
        best = (crps_stacking if method == "crps" else log_stacking)(past, cases=each)
    trust = each.sum() / (each.sum() + PRIOR_ORIGINS)
    return np.asarray(trust * best + (1 - trust) * toward)


def _event_maps(cases: KnownEvents, rule: int, method: EventMethod) -> EventMaps:
    here = cases.rule == rule
    chance, met, kind, each = (part[here] for part in (cases.chance, cases.met, cases.kind, cases.weight))
    if method == "surge":
        return fit_surge_maps(chance, met, kind, cases.traits[here], classes=CLASSES, weight=each)
    return fit_event_classes(chance, met, [kind], _EVENT_FITS[method], weight=each)


def _event_map(maps: EventMaps, members: MemberForecasts) -> LevelMap:
    kind = members.activity
    return maps.at(kind, members.traits) if isinstance(maps, SurgeMaps) else maps.at(kind)


def _cdf_maps(cells: KnownCells, method: CdfMethod, horizon: int) -> ClassMaps:
    """Return maps by class, then by weeks ahead; all weeks ahead of one origin and unit count as one case."""

    def fit(pairs: Floats, *, weight: Floats) -> LevelMap:
        rounded = np.sin(np.round(np.arcsin(np.sqrt(np.clip(pairs, 0, 1))) * LEVELS) / LEVELS) ** 2
        distinct, at = np.unique(rounded, axis=0, return_inverse=True)
        return _CDF_FITS[method](np.minimum(distinct, 1.0), weight=np.bincount(at.ravel(), weights=weight))

    return fit_cdf_classes(cells.pairs, [cells.kind, cells.ahead], fit, weight=cells.weight / horizon)
