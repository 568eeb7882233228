"""A small fixed report: four square regions (one with a hole), one place, two models, two records."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.evaluation.comparison import leaderboard
from forecast.evaluation.record import HEAD, BacktestRecord
from forecast.families.model import ModelSpec
from forecast.panel.dataset import DataNote
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.panel.weeks import WEEK, week_range
from forecast.predictive.escalation import AboveRecent, AnyEvent, base_rate_and_origins, probability
from forecast.predictive.forecast import Forecast, pmf_of_paths
from forecast.reporting.content import ReportContent

ORIGIN = pd.Timestamp("2026-08-01")
HORIZON = 6
RULES = (AboveRecent(rule="above_recent", name="above_recent"), AnyEvent(rule="any_event", name="any_event"))
MODELS = (
    ModelSpec(name="discount", family="discount_negbin", title="Discounted", method="Forgets slowly."),
    ModelSpec(name="climatology", family="climatology", title="Climatology", method="All weeks alike."),
)
KNOWN_AS = {"live": "as it was known at each origin", "long": "on final data"}
RATES = {"region": np.array([4.0, 1.5, 0.3, 0.0]), "place": np.array([2.0])}


def panels(first_name: str) -> dict[str, Panel]:
    rng = np.random.default_rng(1)
    weeks = week_range(ORIGIN - 60 * WEEK, ORIGIN - WEEK)
    regions = Units.of(
        [f"Mali/{first_name}", "Mali/Gao", "Niger/Tillabéri", "Niger/Agadez"], groups=["Mali", "Mali", "Niger", "Niger"]
    )
    places = Units.of(
        ["Bamako 100 km"], kind="place", groups=["Mali"], latitude=[12.65], longitude=[-8.0], radius_km=[100]
    )
    found = {}
    for kind, units in {"region": regions, "place": places}.items():
        observed = np.ones((60, len(units)), dtype=bool)
        observed[-10, -2:-1] = False
        found[kind] = Panel.of(rng.poisson(RATES[kind], (60, len(units))), weeks, units, observed=observed)
    return found


def forecast(panel: Panel, model: str, seed: int) -> Forecast:
    rng = np.random.default_rng(seed)
    rate = RATES[panel.units.kind] * rng.gamma(4, 0.3, (300, 1, 1)) + 0.05
    paths = rng.poisson(rate, (300, HORIZON, len(panel.units))).astype(np.int32)
    weeks = pd.date_range(panel.origin, periods=HORIZON, freq=WEEK, unit="s", name="week")
    return Forecast(paths, pmf_of_paths(paths), weeks, panel.units, model)


def risk_table(shown: dict[str, Panel], forecasts: dict[str, dict[str, Forecast]]) -> pd.DataFrame:
    table = pd.concat(
        [
            pd.DataFrame(
                {
                    "unit": list(panel.units.names),
                    "unit_kind": kind,
                    "origin": ORIGIN,
                    "target_start": ORIGIN,
                    "target_end": ORIGIN + rule.weeks * WEEK - pd.Timedelta(days=1),
                    "escalation": rule.name,
                    "probability": probability(rule, forecasts[kind][model.name], panel),
                    "model": model.name,
                    "base_rate": base_rate_and_origins(rule, panel)[0],
                    "base_origins": base_rate_and_origins(rule, panel)[1],
                    "level": rule.level(panel),
                    "previous": [0.25, *[np.nan] * (len(panel.units) - 1)],
                }
            )
            for kind, panel in shown.items()
            for model in MODELS
            for rule in RULES
        ],
        ignore_index=True,
    )
    # What is usual in this region is taken as unknown.
    unknown = (table["unit"] == "Niger/Tillabéri") & (table["escalation"] == "above_recent")
    return table.assign(**{name: table[name].mask(unknown) for name in ("probability", "base_rate", "level")})


def record(name: str, units: Units, origins: int, seed: int) -> BacktestRecord:
    rng = np.random.default_rng(seed)
    cells = pd.MultiIndex.from_product(
        [
            [model.name for model in MODELS],
            pd.date_range("2025-01-04", periods=origins, freq=WEEK, unit="s"),
            range(1, HORIZON + 1),
            units.names,
        ],
        names=["model", "origin", "horizon", "unit"],
    ).to_frame(index=False)
    cells["unit_kind"] = "region"
    cells["activity"] = np.where(cells["unit"] == units.names[0], "active", "low")
    base = np.where(cells["model"] == "discount", 0.9, 1.0)
    values = {score: base * rng.gamma(2, 0.5, len(cells)) for score in ("crps", "log", "dss", "wis")}
    middle = rng.random(len(cells))
    values |= {"pit_below": 0.9 * middle, "pit_upto": 0.9 * middle + 0.1}
    scores = pd.concat([cells.assign(score=score, value=value) for score, value in values.items()], ignore_index=True)
    risk = pd.concat(
        [cells[cells["horizon"] == 1].drop(columns="horizon").assign(escalation=rule.name) for rule in RULES],
        ignore_index=True,
    )
    risk["probability"] = rng.beta(1, 3, len(risk)).round(2)
    risk["outcome"] = (rng.random(len(risk)) < risk["probability"]).astype(int)
    risk["brier"] = (risk["probability"] - risk["outcome"]) ** 2
    forecasts = cells.assign(week=cells["origin"] + (cells["horizon"] - 1) * WEEK, observed=1, mean=base)
    forecasts[[f"p{count}" for count in range(HEAD)]] = 0.5 ** np.arange(1, HEAD + 1)
    board = leaderboard(scores, risk, references=["climatology"], rng=np.random.default_rng(seed))
    return BacktestRecord(name, "Counts of a test", forecasts, scores, risk, board, KNOWN_AS[name])


def polygons(names: tuple[str, ...]) -> dict[str, dict[str, object]]:
    def square(west: float, south: float, side: float) -> list[list[float]]:
        return [
            [west, south],
            [west + side, south],
            [west + side, south + side],
            [west, south + side],
            [west, south],
        ]

    corners = [(-10, 10), (-5, 10), (0, 10), (0, 15)]
    found: dict[str, dict[str, object]] = {
        name: {"type": "Polygon", "coordinates": [square(west, south, 5)]}
        for name, (west, south) in zip(names, corners, strict=True)
    }
    found[names[1]] = {"type": "Polygon", "coordinates": [square(-5, 10, 5), square(-3, 12, 1)]}
    found[names[3]] = {"type": "MultiPolygon", "coordinates": [[square(0, 15, 5)], [square(7, 15, 2)]]}
    return found


def small_content(first_name: str = "Mopti") -> ReportContent:
    shown = panels(first_name)
    forecasts = {
        kind: {model.name: forecast(panel, model.name, seed) for seed, model in enumerate(MODELS)}
        for kind, panel in shown.items()
    }
    units = shown["region"].units
    return ReportContent(
        name="test",
        title="A small test",
        audience="For those who test.",
        origin=ORIGIN,
        data=DataNote("Test counts", "Drawn at random.", "Nobody", "CC0", "2026-07-31", ("They mean nothing.",), True),
        panels=shown,
        forecasts=forecasts,
        models=MODELS,
        headline_model="discount",
        headline_escalation="above_recent",
        escalations=RULES,
        top=2,
        risk=risk_table(shown, forecasts),
        polygons=polygons(units.names),
        backtests=(record("live", units, 12, 5), record("long", units, 60, 6)),
        warnings=("One week is missing.",),
        provenance={"seed": 1, "versions": {"numpy": "2"}},
    )
