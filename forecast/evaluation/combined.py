"""The combined model in a backtest: made of the members' blocks, origin by origin, from what was known then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
import pyarrow as pa
import threadpoolctl
from numpy.typing import NDArray

from forecast.combination.absent_members import with_absent_filled
from forecast.combination.member_forecasts import MemberForecasts, StepForecasts
from forecast.combination.settings import Combination
from forecast.combination.steps import Learned, combine_in_sequence, learn
from forecast.combination.surge import surge_traits
from forecast.combination.track import UNKNOWN, Outcomes, Track
from forecast.errors import ForecastError
from forecast.evaluation.block_file import TABLES, marginals_of, paths_of
from forecast.evaluation.blocks import Block, Evaluated, activity_of, evaluate, tables_of
from forecast.evaluation.external_members import ExternalForecast, external_paths, external_said
from forecast.evaluation.plan import BacktestPlan
from forecast.evaluation.step_file import unpack_steps
from forecast.families.model import ModelSpec
from forecast.panel.panel import Panel
from forecast.panel.units import UnitKind
from forecast.panel.weeks import WEEK
from forecast.predictive.forecast import Forecast, Paths
from forecast.provenance import generator

Floats = NDArray[np.float64]
Tables = Mapping[str, pa.Table]
Said = tuple[Floats, Floats]
"""Marginals of shape (horizon, units, k), and probabilities of shape (escalations, units)."""

_EPOCH = pd.Timestamp("1970-01-01")

METHOD = (
    "One forecast from those of {members}. It is their mixture, in equal shares wherever learned ones have not proved "
    "better on earlier forecasts. Shares, and a recalibration of counts and of the probability of each escalation, are "
    "learned from what had been forecast before and how it turned out, by weeks ahead and by how active a region is, "
    "for escalations also by whether its events had just surged. "
    "Each of these steps is taken only where it had made earlier forecasts better by more than chance. It fails where "
    "all of its members fail: it foresees no cause and no plan."
)


@dataclass(frozen=True, eq=False)
class CombinedKind:
    """The combined forecasts of one kind of unit.

    Parameters
    ----------
    members : tuple of str
        Those that took part.
    track : Track
    latest : Learned
        What is known at the end of the panel, for the forecast from there.
    earlier : tuple of Track
        Of other panels, which were learned from as well.
    """

    members: tuple[str, ...]
    track: Track
    latest: Learned
    earlier: tuple[Track, ...] = ()


Combined = dict[UnitKind, CombinedKind]


def combined_spec(combination: Combination) -> ModelSpec:
    """Return how the combined model is presented among the others; it is no file of the catalogue."""
    *others, last = combination.members
    members = f"{', '.join(others)} and {last}"
    return ModelSpec(
        name=combination.name,
        family="combination",
        title=combination.title,
        method=METHOD.format(members=members),
    )


def week_number(day: pd.Timestamp) -> int:
    """Return the number of the week that begins on a day.

    Examples
    --------
    >>> week_number(pd.Timestamp("2026-01-10")) - week_number(pd.Timestamp("2026-01-03"))
    1
    """
    return int((day - _EPOCH).days // 7)


def combine_blocks(
    plan: BacktestPlan,
    combination: Combination,
    blocks: Sequence[Block],
    parts: Sequence[Tables],
    earlier: Mapping[UnitKind, Sequence[Track]],
    *,
    made_from: str = "",
) -> tuple[Combined, list[Tables]]:
    """Combine the forecasts of the members in a backtest.

    Parameters
    ----------
    plan : BacktestPlan
    combination : Combination
        Members that the plan does not have are left out. Those of `plan.external` take part for regions; where one
        says nothing, its weight goes to the others (`forecast.combination.absent_members`).
    blocks, parts : sequence of Block, of mapping of name to Table
        All blocks of the plan, and what `compute_block` made of each.
    earlier : mapping of unit kind to sequence of Track
        Of other panels: what came true of them by each origin is learned from as well.
    made_from : str
        Hash of all that the combined forecasts depend on, for those that learn from them later.

    Returns
    -------
    dict of unit kind to CombinedKind, list of tables
        The tables are those of blocks of the combined model.

    Raises
    ------
    ForecastError
        If the plan has no member that is a model.
    """
    spec, found, tables = combined_spec(combination), Combined(), list[Tables]()
    for task in _tasks(plan, combination, blocks, parts):
        others = list(earlier.get(task.kind, ()))
        track = Track(task.known, made_from=made_from)
        with threadpoolctl.threadpool_limits(1):  # how many threads there are can change the last bits of a sum
            combine_in_sequence(task.said, task.learned_in, track, others, combination, spans=task.spans)
        found[task.kind] = _finished(plan, combination, task, track, others)
        steps, kept = iter(track.steps), {name: iter(_paths(mine)) for name, mine in task.own.items()}
        for block in task.borders:
            of_combined = replace(block, model=spec)
            results = []
            for origin in block.origins:
                step, rng = next(steps).whole(), generator(plan.seed, "joint", task.kind, f"{origin:%Y-%m-%d}")
                of_models = {name: next(paths) for name, paths in kept.items()}
                elsewhere = {name: found.get(origin) for name, found in task.external.items()}
                results.append(_evaluated(of_combined, step, origin, task.names, of_models, elsewhere, rng))
            tables.append(dict(zip(TABLES, tables_of(of_combined, results), strict=True)))
    return found, tables


def combine_as_before(
    plan: BacktestPlan,
    combination: Combination,
    blocks: Sequence[Block],
    parts: Sequence[Tables],
    earlier: Mapping[UnitKind, Sequence[Track]],
    steps: bytes,
    *,
    made_from: str,
) -> Combined:
    """Return what `combine_blocks` found when it was given the same, from the steps that it took then.

    Parameters
    ----------
    plan, combination, blocks, parts, earlier, made_from
        As for `combine_blocks`.
    steps : bytes
        Of `forecast.evaluation.step_file.pack_steps`.

    Raises
    ------
    ValueError
        If they are damaged, or of other steps.
    """
    tasks = _tasks(plan, combination, blocks, parts)
    taken = unpack_steps(steps, {task.kind: task.said for task in tasks})
    return {
        task.kind: _finished(
            plan,
            combination,
            task,
            Track(task.known, taken[task.kind], made_from=made_from),
            list(earlier.get(task.kind, ())),
        )
        for task in tasks
    }


@dataclass(frozen=True, eq=False)
class _Task:
    """What is combined of one kind of unit.

    Parameters
    ----------
    kind : {"region", "place"}
    names : tuple of str
        The members that take part.
    own : mapping of str to list of (Block, Tables)
        The blocks of each that is a model.
    external : mapping of str to mapping of Timestamp to ExternalForecast
        The forecasts of the others.
    borders : list of Block
        Those of the first member, which tell the origins of all.
    said : iterator of MemberForecasts
        Given once, in order.
    learned_in : list of int
        As for `combine_in_sequence`.
    known : callable of week number to Outcomes
    spans : list of int
    """

    kind: UnitKind
    names: tuple[str, ...]
    own: Mapping[str, Sequence[tuple[Block, Tables]]]
    external: Mapping[str, Mapping[pd.Timestamp, ExternalForecast]]
    borders: list[Block]
    said: Iterator[MemberForecasts]
    learned_in: list[int]
    known: Callable[[int], Outcomes]
    spans: list[int]


def _tasks(
    plan: BacktestPlan, combination: Combination, blocks: Sequence[Block], parts: Sequence[Tables]
) -> list[_Task]:
    planned = {model.name for model in plan.models}
    own = [name for name in combination.members if name in planned]
    if not own:
        raise ForecastError("none of the members of the combination is there")
    tasks = []
    for kind in plan.panels:
        external = plan.external if kind == "region" else {}
        names = [name for name in combination.members if name in planned or name in external]
        mine = {
            name: [(block, part) for block, part in zip(blocks, parts, strict=True) if _is(block, name, kind)]
            for name in own
        }
        borders = [block for block, _ in mine[own[0]]]
        every = [_said(mine[name]) if name in mine else _said_elsewhere(external[name], borders) for name in names]
        tasks.append(
            _Task(
                kind=kind,
                names=tuple(names),
                own=mine,
                external=external,
                borders=borders,
                said=_together(borders, every),
                learned_in=[week_number(block.fit_origin) for block in borders for _ in block.origins],
                known=_known(plan, kind, borders),
                spans=[rule.weeks for rule in plan.escalations],
            )
        )
    return tasks


def _finished(
    plan: BacktestPlan, combination: Combination, task: _Task, track: Track, others: Sequence[Track]
) -> CombinedKind:
    """Return the combined forecasts with what is known at the end of the panel."""
    end, tracks = week_number(plan.panels[task.kind].origin), [*others, track]
    with threadpoolctl.threadpool_limits(1):
        latest = learn(tracks, end, combination, members=len(task.names), horizon=plan.horizon, spans=task.spans)
    return CombinedKind(task.names, track, latest, tuple(others))


def without_paths(pmf: Floats, origin: pd.Timestamp, panel: Panel) -> Forecast:
    """Return a forecast of which only the marginals are known, shape (horizon, units, k), each summing to 1."""
    weeks = pd.date_range(origin, periods=len(pmf), freq=WEEK, unit="s", name="week")
    return Forecast(np.zeros((1, *pmf.shape[:2]), np.int32), pmf / pmf.sum(axis=2, keepdims=True), weeks, panel.units)


def _is(block: Block, name: str, kind: UnitKind) -> bool:
    return block.model.name == name and block.kind == kind


def _said(mine: Sequence[tuple[Block, Tables]]) -> Iterator[Said]:
    """Give what a model said at each origin of its blocks."""
    for block, part in mine:
        units, rules = len(block.panel.units), len(block.escalations)
        pmfs = marginals_of(part["marginals"], block.horizon, units)
        chances = part["chances"]["probability"].to_numpy().reshape(-1, units, rules)
        yield from ((pmf, chance.T) for pmf, chance in zip(pmfs, chances, strict=True))


def _paths(mine: Sequence[tuple[Block, Tables]]) -> Iterator[Paths]:
    """Give some of the paths that a model forecast at each origin of its blocks."""
    for block, part in mine:
        yield from paths_of(part["paths"], block.horizon, len(block.panel.units))


def _said_elsewhere(found: Mapping[pd.Timestamp, ExternalForecast], blocks: Sequence[Block]) -> Iterator[Said]:
    """Give what was said elsewhere at each origin of blocks."""
    for block in blocks:
        for origin in block.origins:
            yield external_said(found.get(origin), block.known_at(origin), block.horizon, block.escalations)


def _together(blocks: Sequence[Block], every: Sequence[Iterator[Said]]) -> Iterator[MemberForecasts]:
    """Give what all members said at each origin of blocks."""
    places = [(block, origin) for block in blocks for origin in block.origins]
    for (block, origin), *said in zip(places, *every, strict=True):
        pmf, chance, absent = with_absent_filled([law for law, _ in said], [chance for _, chance in said])
        known = block.known_at(origin)
        activity, traits = activity_of(known).astype(np.int64), surge_traits(known.counts, known.observed)
        yield MemberForecasts(week_number(origin), pmf, activity, chance, traits, absent)


def _known(plan: BacktestPlan, kind: UnitKind, blocks: Sequence[Block]) -> Callable[[int], Outcomes]:
    """Return what was known in a week of how the forecasts turned out: by the vintage of then, if there are any."""
    final, first = plan.panels[kind], plan.origins[0]
    then = (block.known_at(origin) for block in blocks for origin in block.origins)
    levels = np.stack([[rule.level(panel) for rule in plan.escalations] for panel in then]).reshape(
        len(plan.origins), len(plan.escalations), len(final.units)
    )

    def panel_of(week: int) -> Panel:
        day = first + (week - week_number(first)) * WEEK
        if day >= final.origin:
            return final
        vintages = plan.vintages(kind, [day])
        return final.until(day) if vintages is None else vintages[day]

    @cache
    def known(week: int) -> Outcomes:
        panel = panel_of(week)
        rows = panel.weeks.searchsorted(plan.origins)[:, None] + np.arange(plan.horizon)
        inside = np.minimum(rows, len(panel.weeks) - 1)
        seen = (rows < len(panel.weeks))[:, :, None] & panel.observed[inside]
        counts = np.where(seen, panel.counts[inside], UNKNOWN).astype(np.int64)
        met = np.full(levels.shape, UNKNOWN, dtype=np.int64)
        for at, rule in enumerate(plan.escalations):
            decided = seen[:, : rule.weeks].all(axis=1) & np.isfinite(levels[:, at])
            met[:, at] = np.where(decided, rule.met(counts, levels[:, at]), UNKNOWN)
        return Outcomes(counts, met)

    return known


def _evaluated(
    block: Block,
    step: StepForecasts,
    origin: pd.Timestamp,
    names: Sequence[str],
    of_models: Mapping[str, Paths],
    elsewhere: Mapping[str, ExternalForecast | None],
    rng: np.random.Generator,
) -> Evaluated:
    """Score the combined forecast of one origin, on paths as the forecast of a run has them."""
    known = block.known_at(origin)
    found = without_paths(step.final, origin, known)
    if all(len(paths) for paths in of_models.values()):
        said = step.members
        taken = [
            of_models[name]
            if name in of_models
            else external_paths(
                elsewhere[name], law, None if said.absent is None else said.absent[at], [*of_models.values()], rng
            )
            for at, (name, law) in enumerate(zip(names, said.pmf, strict=True))
        ]
        found = replace(found, paths=step.joint(taken, rng)[0])
    return evaluate(block, found, known, origin, step.final_chance.T, step.pool_chance.T)
