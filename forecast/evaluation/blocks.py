"""One piece of a backtest: a model on a panel, over consecutive origins that share one fit, as bytes that can be kept.

A block depends on nothing but what its key hashes, so a finished one stays good as the plan grows, and blocks can be
computed in any order by any number of workers.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import threadpoolctl
from numpy.typing import NDArray

import forecast
from forecast.combination.pool import marginals
from forecast.errors import ForecastError, ModelError
from forecast.evaluation.block_file import marginal_table, pack_block, path_table
from forecast.evaluation.joint import JOINT_SCORES, VIEWS, joint_scores, some_paths
from forecast.evaluation.record import HEAD, QUANTILE_LEVELS
from forecast.evaluation.scores import SCORES, brier, score_forecast
from forecast.families.model import ModelSpec, OwnSpec
from forecast.families.nowcasted import predict_as_known
from forecast.families.protocol import Fitted
from forecast.families.registry import family_class
from forecast.panel.panel import Panel
from forecast.panel.reporting_delay import ReportingDelay
from forecast.panel.units import UnitKind
from forecast.panel.weeks import WEEK
from forecast.predictive.escalation import Escalation, probability_of
from forecast.predictive.forecast import Forecast, Paths
from forecast.provenance import generator, hash_bytes, hash_files, hash_json, versions

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

ACTIVITIES = ("silent", "low", "active")
ACTIVITY_WEEKS = 52
ACTIVE_FROM = 10

_ROOMS = ("panel", "predictive", "families", "combination", "evaluation")
"""Parts of the package on which a score can depend, given the panel."""


@dataclass(frozen=True)
class Block:
    """What one task of a backtest needs.

    Parameters
    ----------
    model : ModelSpec
    kind : UnitKind
    panel : Panel
        Weeks up to the last target week of the last origin, as far as they are known: the outcomes, and without
        `vintages` what the model sees.
    fit_panel : Panel or None
        For a model with `fit_on`: the weeks that were over when it is fitted.
    fit_origin : Timestamp
        When the model is fitted: the first of the origins or before it.
    origins : DatetimeIndex
        Consecutive; the model is updated at each.
    escalations : tuple of Escalation
    horizon, draws, seed : int
    key : str
        Hash of all of these and of the code; the name under which the result is kept.
    vintages : mapping of origin to Panel, optional
        The panel as it was known when the model is fitted and at each origin.
    delays : mapping of origin to ReportingDelay
        Where there is one, the forecast goes through a nowcast of the last weeks.
    """

    model: ModelSpec
    kind: UnitKind
    panel: Panel
    fit_panel: Panel | None
    fit_origin: pd.Timestamp
    origins: pd.DatetimeIndex
    escalations: tuple[Escalation, ...]
    horizon: int
    draws: int
    seed: int
    key: str
    vintages: Mapping[pd.Timestamp, Panel] | None = None
    delays: Mapping[pd.Timestamp, ReportingDelay] = field(default_factory=dict)

    def known_at(self, origin: pd.Timestamp) -> Panel:
        """Return what the model may see at an origin."""
        return self.panel.until(origin) if self.vintages is None else self.vintages[origin]


def block_key(content: Mapping[str, object], model: ModelSpec) -> str:
    """Return the hash of a block's content, of the model, of the code and of the libraries."""
    settings = model.model_dump(mode="json", exclude={"title", "method"})
    code = [code_hash(), "" if isinstance(model, OwnSpec) else _family_hash(model.family)]
    return hash_json({**content, "model": settings, "code": code, "versions": versions()})


@cache
def code_hash() -> str:
    """Return the hash of those of the package's own source files on which a score can depend."""
    root = Path(forecast.__file__).parent
    return hash_json(hash_files((path for room in _ROOMS for path in (root / room).rglob("*.py")), root))


@cache
def _family_hash(name: str) -> str:
    """Hash of the file that a family is in: a plug-in's lies outside the package."""
    source = inspect.getsourcefile(family_class(name))
    return hash_bytes(Path(source).read_bytes()) if source else ""


def delay_hash(delay: ReportingDelay) -> str:
    """Return the hash of all that a nowcast takes from a reporting delay."""
    parts = [(each.estimate, each.alpha, each.beta) for each in (delay.hazard, delay.lasting)]
    arrays = [*(array for part in parts for array in part), np.array([delay.scatter, delay.pooling])]
    words = [*delay.classes, *(word for pair in sorted(delay.class_of.items()) for word in pair)]
    return hash_bytes(*(np.ascontiguousarray(array).tobytes() for array in arrays), *(word.encode() for word in words))


def compute_block(block: Block) -> bytes:
    """Fit, forecast and score every origin of a block.

    Returns
    -------
    bytes
        The tables, packed; `forecast.evaluation.block_file.unpack_block` reads them.

    Raises
    ------
    ModelError
        If the model fails; names the model, the kind of unit and the origin.
    """
    results, laws = [], []
    name = block.model.name
    fitted: Fitted | None = None
    # One thread: how many there are can change the last bits of a sum, and the workers are the parallelism.
    with threadpoolctl.threadpool_limits(1):
        for origin in block.origins:
            known, day = block.known_at(origin), f"{origin:%Y-%m-%d}"
            try:
                if fitted is None:
                    rng = generator(block.seed, "fit", name, block.kind, f"{block.fit_origin:%Y-%m-%d}")
                    fitted = block.model.fit(block.known_at(block.fit_origin), rng, fit_panel=block.fit_panel)
                fitted = fitted.update(known)
                rng = generator(block.seed, "predict", name, block.kind, day)
                delay = block.delays.get(origin)
                found = predict_as_known(fitted, known, delay, block.horizon, block.draws, rng)
                _check_targets(found, known, origin)
                chance = chances_of(block.escalations, found, known)
            except Exception as error:
                raise ModelError(
                    f"model {name!r} failed on the {block.kind} panel at origin {day}: {type(error).__name__}: {error}",
                    name,
                ) from error
            results.append(evaluate(block, found, known, origin, chance))
            laws.append(marginal_table([marginals(found)]))  # at once: with their zeros they are the largest part
    chances = pa.table({"probability": pa.array(_stacked(results, "probability").ravel())})
    law = pa.concat_tables(laws).combine_chunks()
    return pack_block([*tables_of(block, results), law, chances, path_table([each.paths for each in results])])


def _check_targets(found: Forecast, known: Panel, origin: pd.Timestamp) -> None:
    if found.origin != origin or found.units.names != known.units.names:
        raise ForecastError("the forecast is of other weeks or units than those of the panel")


class Evaluated(NamedTuple):
    """What one origin's forecast says and how it turned out, arrays of (horizon, units) unless noted."""

    observed: NDArray[np.int64]
    seen: Bools
    activity: NDArray[np.int32]  # (units,) position in ACTIVITIES
    mean: Floats
    quantiles: NDArray[np.int64]  # (levels, horizon, units)
    head: Floats  # (horizon, units, HEAD)
    scores: Floats  # (horizon, units, scores)
    probability: Floats  # (units, escalations)
    uncalibrated: Floats  # (units, escalations)
    outcome: Bools  # (units, escalations)
    decided: Bools  # (units, escalations) the level and all target weeks are known
    paths: Paths  # (m, horizon, units) some of them
    joint: Floats  # (views, scores)
    dimensions: NDArray[np.int64]  # (views,)


def activity_of(known: Panel) -> NDArray[np.int32]:
    """Return the position in `ACTIVITIES` of each unit, by its counts of the last year."""
    recent = known.counts[-ACTIVITY_WEEKS:].sum(axis=0)
    return np.asarray((recent > 0).astype(np.int32) + (recent >= ACTIVE_FROM))


def chances_of(rules: tuple[Escalation, ...], found: Forecast, known: Panel) -> Floats:
    """Return the probability of each escalation, shape (units, escalations); NaN where it cannot be told."""
    out = np.empty((len(known.units), len(rules)))
    for at, rule in enumerate(rules):
        out[:, at] = probability_of(rule, found, rule.level(known))
    return out


def evaluate(
    block: Block,
    found: Forecast,
    known: Panel,
    origin: pd.Timestamp,
    chance: Floats,
    uncalibrated: Floats | None = None,
) -> Evaluated:
    """Score the forecast of one origin.

    Parameters
    ----------
    block : Block
    found : Forecast
    known : Panel
        What was known at the origin.
    origin : Timestamp
    chance : ndarray, shape (units, escalations)
        Probability of each escalation; NaN where it cannot be told.
    uncalibrated : ndarray, shape (units, escalations), optional
        The same before any recalibration; `chance` if not given.
    """
    start, units = len(block.panel.until(origin).weeks), len(known.units)
    cells = (block.horizon, units)
    observed, seen = np.zeros(cells, np.int64), np.zeros(cells, np.bool_)
    here = block.panel.counts[start : start + block.horizon]
    observed[: len(here)], seen[: len(here)] = here, block.panel.observed[start : start + block.horizon]

    quantiles = found.quantile(QUANTILE_LEVELS)
    scores = score_forecast(found, observed, quantiles)
    head = np.zeros((*cells, HEAD))
    head[..., : found.pmf.shape[2]] = found.pmf[..., :HEAD]

    cases = (units, len(block.escalations))
    outcome, decided = np.zeros(cases, np.bool_), np.zeros(cases, np.bool_)
    for at, rule in enumerate(block.escalations):
        outcome[:, at] = rule.met(observed, rule.level(known))
        decided[:, at] = np.isfinite(chance[:, at]) & seen[: rule.weeks].all(axis=0)
    paths = some_paths(found.paths)
    joint, dimensions = joint_scores(paths, observed, seen)
    return Evaluated(
        observed=observed,
        seen=seen,
        activity=activity_of(known),
        mean=found.mean(),
        quantiles=quantiles,
        head=head,
        scores=np.stack([scores[name] for name in SCORES], axis=-1),
        probability=chance,
        uncalibrated=chance if uncalibrated is None else uncalibrated,
        outcome=outcome,
        decided=decided,
        paths=paths,
        joint=joint,
        dimensions=dimensions,
    )


def tables_of(block: Block, results: list[Evaluated]) -> list[pa.Table]:
    """Return the `TABLES` of a block."""
    return [
        _forecast_table(block, results),
        _score_table(block, results),
        _risk_table(block, results),
        _joint_table(block, results),
    ]


def _forecast_table(block: Block, results: list[Evaluated]) -> pa.Table:
    """One row an origin, horizon and unit, in this order."""
    origin, horizon, unit = _cell_codes(block)
    seen = _stacked(results, "seen").ravel()
    quantiles = _stacked(results, "quantiles").swapaxes(0, 1).reshape(len(QUANTILE_LEVELS), -1)
    head = _stacked(results, "head").reshape(-1, HEAD)
    week = block.origins.to_numpy()[origin] + horizon * WEEK.to_numpy()
    columns = {
        **_keys(block, origin),
        "horizon": pa.array((horizon + 1).astype(np.int16)),
        "week": pa.array(week.astype("datetime64[ms]")),
        **_unit_columns(block, results, origin, unit),
        "observed": pa.array(_stacked(results, "observed").ravel(), mask=~seen),
        "mean": pa.array(_stacked(results, "mean").ravel()),
    }
    for level, values in zip(QUANTILE_LEVELS, quantiles, strict=True):
        columns[f"q{level:g}"] = pa.array(values.astype(np.int32))
    for count in range(HEAD):
        columns[f"p{count}"] = pa.array(head[:, count].astype(np.float32))
    return pa.table(columns)


def _score_table(block: Block, results: list[Evaluated]) -> pa.Table:
    """One row an origin, horizon, unit and score, in this order; observed cells only."""
    seen = np.flatnonzero(_stacked(results, "seen"))
    origin, horizon, unit = (np.repeat(codes[seen], len(SCORES)) for codes in _cell_codes(block))
    return pa.table(
        {
            **_keys(block, origin),
            "horizon": pa.array((horizon + 1).astype(np.int16)),
            **_unit_columns(block, results, origin, unit),
            "score": _words(np.tile(np.arange(len(SCORES)), len(seen)), SCORES),
            "value": pa.array(_stacked(results, "scores").reshape(-1, len(SCORES))[seen].ravel()),
        }
    )


def _risk_table(block: Block, results: list[Evaluated]) -> pa.Table:
    """One row an origin, unit and escalation, in this order; decided cases only."""
    rules = [rule.name for rule in block.escalations]
    decided = _stacked(results, "decided")
    origin, unit, rule = np.nonzero(decided)
    chance = _stacked(results, "probability")[decided]
    outcome = _stacked(results, "outcome")[decided]
    return pa.table(
        {
            **_keys(block, origin),
            **_unit_columns(block, results, origin, unit),
            "escalation": _words(rule, rules),
            "probability": pa.array(chance),
            "outcome": pa.array(outcome.astype(np.int8)),
            "brier": pa.array(brier(chance, outcome)),
            "uncalibrated": pa.array(_stacked(results, "uncalibrated")[decided]),
        }
    )


def _joint_table(block: Block, results: list[Evaluated]) -> pa.Table:
    """One row an origin, view and score, in this order; only where two or more dimensions are known."""
    values = _stacked(results, "joint")
    origin, view, score = np.nonzero(np.isfinite(values))
    return pa.table(
        {
            **_keys(block, origin),
            "unit_kind": _words(np.zeros(len(origin)), [block.kind]),
            "joint": _words(view, VIEWS),
            "score": _words(score, JOINT_SCORES),
            "dimensions": pa.array(_stacked(results, "dimensions")[origin, view].astype(np.int32)),
            "value": pa.array(values[origin, view, score]),
        }
    )


def _stacked(results: list[Evaluated], name: str) -> NDArray[Any]:
    return np.stack([getattr(result, name) for result in results])


def _cell_codes(block: Block) -> tuple[NDArray[np.intp], ...]:
    """Position of the origin, horizon and unit of each cell."""
    shape = (len(block.origins), block.horizon, len(block.panel.units))
    return np.unravel_index(np.arange(np.prod(shape)), shape)


def _keys(block: Block, origin: NDArray[np.intp]) -> dict[str, pa.Array]:
    return {
        "model": _words(np.zeros(len(origin)), [block.model.name]),
        "origin": pa.array(block.origins.to_numpy()[origin].astype("datetime64[ms]")),
    }


def _unit_columns(
    block: Block, results: list[Evaluated], origin: NDArray[np.intp], unit: NDArray[np.intp]
) -> dict[str, pa.Array]:
    return {
        "unit": _words(unit, block.panel.units.names),
        "unit_kind": _words(np.zeros(len(unit)), [block.kind]),
        "activity": _words(_stacked(results, "activity")[origin, unit], ACTIVITIES),
    }


def _words(codes: NDArray[np.generic], names: tuple[str, ...] | list[str]) -> pa.DictionaryArray:
    """Each word once and its position in every row."""
    return pa.DictionaryArray.from_arrays(pa.array(codes.astype(np.int32)), pa.array(list(names), pa.string()))
