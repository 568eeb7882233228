"""What a run says beside the numbers: what a scheduler should see, and what a reader should know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np
import pandas as pd

from forecast.evaluation.comparison import reference_models
from forecast.evaluation.record import BacktestRecord
from forecast.families.model import ModelSpec
from forecast.jobs.counted_events import TERMS
from forecast.jobs.inputs import FitPanels, Inputs, related_panels
from forecast.jobs.track_record import FEW_ORIGINS
from forecast.language import Text, decimal, say, say_count
from forecast.panel.dataset import Dataset
from forecast.panel.panel import Panel
from forecast.panel.units import UnitKind
from forecast.panel.vintage_panels import LEAST_VINTAGES
from forecast.panel.weeks import WEEK
from forecast.predictive.escalation import Escalation, base_rate_and_origins, weeks_known
from forecast.predictive.forecast import Forecast
from forecast.reporting.rules import quoted, rule_titles
from forecast.reporting.words import day, listing
from forecast.workspace import Workspace

KNOWN_SHARE = 0.75
"""Of the weeks that a rule looks back: where fewer are known, the report says so."""


def with_borrowed_base_rates(
    workspace: Workspace, inputs: Inputs, risk: pd.DataFrame
) -> tuple[pd.DataFrame, list[str]]:
    """Fill base rates that the data is too short for from the datasets of `calibrate_on`; say which they are from."""
    notes: list[str] = []
    for name in workspace.spec.data.calibrate_on:
        panels = related_panels(workspace, name, inputs.panels)
        known = {
            (kind, rule.name, unit): rate_and_origins
            for kind, panel in panels.items()
            for rule in workspace.spec.escalations
            for unit, *rate_and_origins in zip(
                panel.units.names, *base_rate_and_origins(rule, panel.until(inputs.regions.origin)), strict=True
            )
        }
        keys = zip(risk["unit_kind"], risk["escalation"], risk["unit"], strict=True)
        columns = ["base_rate", "base_origins"]
        other = pd.DataFrame([known.get(key, (np.nan, 0)) for key in keys], index=risk.index, columns=columns)
        filled = risk["base_rate"].isna() & other["base_rate"].notna()
        if filled.any():
            last = min(panels["region"].known_until, inputs.regions.known_until)
            notes.append(
                say(
                    "Where too few weeks before this forecast are known for a base rate, it is that of "
                    "{name} in the two years up to {last}.",
                    name=name,
                    last=day(last),
                )
            )
            risk = risk.assign(**{column: risk[column].where(~filled, other[column]) for column in columns})
    return risk, notes


def untold_countries(inputs: Inputs) -> list[str]:
    """Return a warning for each country of an event store of which the last weeks are not known."""
    panel, out = inputs.regions, list[str]()
    for country in dict.fromkeys(panel.units.groups) if inputs.vintages else ():
        mine = np.array([group == country for group in panel.units.groups])
        known = np.flatnonzero(panel.observed[:, mine].any(axis=1))
        if len(known) and known[-1] == len(panel.weeks) - 1:
            continue
        if not len(known):
            out.append(
                say(
                    "no import tells of {country} at all: what happened there is unknown, and its forecasts rest on "
                    "weeks before",
                    country=country,
                )
            )
            continue
        last = panel.weeks[known[-1]] + WEEK - pd.Timedelta(days=1)
        out.append(
            say(
                "no import tells of {country} after {last}: what happened there is unknown, and its forecasts rest on "
                "weeks before",
                country=country,
                last=f"{last:%Y-%m-%d}",
            )
        )
    return out


def refuted(workspace: Workspace, models: Sequence[ModelSpec], record: BacktestRecord) -> list[str]:
    """Return a warning if the headline model has done clearly worse than climatology on the data itself."""
    headline = workspace.spec.models.headline
    board = record.leaderboard.set_index("model")
    references = [name for name in board.index if name in reference_models(models) and name != headline]
    if headline not in board.index or not references:
        return []
    mine = board.loc[headline]
    bound = mine["skill"] if np.isnan(mine["skill_high"]) else mine["skill_high"]
    if not bound < (-0.05 if np.isnan(mine["skill_high"]) else 0.0):
        return []
    return [
        say(
            "in the record on {record}, {headline} has forecast worse than {reference} (skill {skill} %): another "
            "headline model would do better on this data",
            record=record.name,
            headline=headline,
            reference=references[0],
            skill=Text(partial(decimal, 100 * board["skill"].to_dict()[headline], 1)),
        )
    ]


def without_nowcast(inputs: Inputs) -> list[str]:
    """Return a warning if a nowcast is asked for and cannot be made."""
    if inputs.nowcast_weeks is None or inputs.delay("region", inputs.regions.origin) is not None:
        return []
    return [
        say(
            "the last weeks are taken as they are, without a nowcast: the vintages are too few, or too far apart, to "
            "tell how late events become known ({least} in consecutive weeks are needed)",
            least=LEAST_VINTAGES,
        )
    ]


def left_out(failed: Mapping[str, str]) -> list[str]:
    """Return a warning for each model that failed."""
    return [say("left out: {reason}", reason=reason) for reason in failed.values()]


def remarks(forecasts: Mapping[UnitKind, Mapping[str, Forecast]]) -> list[str]:
    """Return what the fits remarked, once a model and kind of unit."""
    return [
        say("model {name!r} on the regions: {remark}", name=name, remark=remark)
        if kind == "region"
        else say("model {name!r} on the places: {remark}", name=name, remark=remark)
        for kind, by_model in forecasts.items()
        for name, forecast in by_model.items()
        for remark in forecast.remarks
    ]


def fitted_by(forecasts: Mapping[UnitKind, Mapping[str, Forecast]]) -> dict[str, dict[str, dict[str, str]]]:
    """Return the manifest's entry of how parameters were found: by model and kind of unit, where there is a choice."""
    found: dict[str, dict[str, str]] = {}
    for kind, by_model in forecasts.items():
        for name, forecast in by_model.items():
            if forecast.fitted_by:
                found.setdefault(name, {})[kind] = forecast.fitted_by
    return {"fitted_by": found} if found else {}


def short_records(records: Sequence[BacktestRecord]) -> list[str]:
    """Return a warning for each record of few origins."""
    lengths = [(record.name, record.forecasts["origin"].nunique()) for record in records]
    return [
        say_count(
            "the track record on {name} has only {origins} origin: it says little about how good the forecasts are",
            "the track record on {name} has only {origins} origins: it says little about how good the forecasts are",
            origins,
            name=name,
            origins=origins,
        )
        for name, origins in lengths
        if origins < FEW_ORIGINS
    ]


def other_sources(workspace: Workspace, fits: FitPanels) -> list[str]:
    """Return a warning if datasets of another source lend a store parameters, base rates or a track record."""
    store = workspace.spec.data.store
    if store not in TERMS:
        return []
    lent = sorted({*workspace.spec.data.calibrate_on, *(name for name, _ in fits)})
    notes = {name: Dataset.open(workspace.data_folder(name)).note() for name in lent}
    other = [name for name, note in notes.items() if store.casefold() not in note.attribution.casefold()]
    if not other:
        return []
    return [
        say(
            "models are fitted or judged on {datasets}, not of {store} as the events are: sources count different "
            "things, so that parameters and base rates may not carry over (fit_on, calibrate_on)",
            datasets=Text(partial(listing, other)),
            store=store.upper(),
        )
    ]


def notes(workspace: Workspace, inputs: Inputs, models: Sequence[ModelSpec], fits: FitPanels) -> list[str]:
    """Return what a reader should know and a scheduler need not."""
    return [
        *_short_sights(workspace, inputs.regions),
        *_fitted_on_itself(inputs, models, fits),
    ]


def _short_sights(workspace: Workspace, panel: Panel) -> list[str]:
    """Return which rules look back on weeks many of which are not known, once for each span."""
    found: list[str] = []
    for weeks in sorted({rule.looks_back for rule in workspace.spec.escalations}):
        rules = [rule for rule in workspace.spec.escalations if rule.looks_back == weeks]
        known = weeks_known(rules[0], panel)
        few = known[known < KNOWN_SHARE * weeks]
        if len(few):
            low, high = int(few.min()), int(few.max())
            found.append(
                say(
                    "Only {span} of the last {weeks} weeks are known of {few} of {regions} regions: what is usual "
                    "rests on these in {rules}.",
                    span=f"{low}" if low == high else say("{low} to {high}", low=low, high=high),
                    weeks=weeks,
                    few=len(few),
                    regions=len(known),
                    rules=Text(partial(_called, workspace.spec.escalations, [rule.name for rule in rules])),
                )
            )
    return found


def _called(every: Sequence[Escalation], names: Sequence[str]) -> str:
    """Return some of the rules as an enumeration."""
    titles = rule_titles(every)
    return listing([quoted(titles[name]) for name in names])


def _fitted_on_itself(inputs: Inputs, models: Sequence[ModelSpec], fits: FitPanels) -> list[str]:
    return [
        say(
            "model {name!r} is fitted on the region counts themselves: {dataset} has nothing of these countries",
            name=model.name,
            dataset=model.fit_on,
        )
        if kind == "region"
        else say(
            "model {name!r} is fitted on the place counts themselves: {dataset} has nothing of these countries",
            name=model.name,
            dataset=model.fit_on,
        )
        for model in models
        for kind in inputs.panels
        if model.fit_on and (model.fit_on, kind) not in fits
    ]
