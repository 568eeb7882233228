"""What has changed since the last issue, and what has changed it: forecasts with one input swapped at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from forecast.combination.steps import Learned, learn
from forecast.evaluation.blocks import chances_of
from forecast.evaluation.combined import CombinedKind, week_number
from forecast.evaluation.external_members import ExternalForecast
from forecast.jobs.combined_forecast import member_forecasts
from forecast.jobs.preparation import Preparation, forecast_with
from forecast.ledger.last import LastIssue, weeks_between
from forecast.panel.panel import Panel
from forecast.panel.units import UnitKind
from forecast.predictive.forecast import Forecast
from forecast.reporting.changes import PARTS, Changes

Floats = NDArray[np.float64]
Forecasts = Mapping[UnitKind, Mapping[str, Forecast]]
Elsewhere = Mapping[str, ExternalForecast | None]


def what_changed(
    ready: Preparation,
    last: LastIssue,
    combined: Mapping[UnitKind, CombinedKind],
    forecasts: Forecasts,
    risk: pd.DataFrame,
) -> Changes:
    """Return the probabilities of the last issue and of now, and the parts that lead from one to the other.

    The forecast is made again with one input after the other swapped, in the order of
    `forecast.reporting.changes.PARTS`, and each part is the difference that its swap makes, so that they add up:

    1. as issued, then with the code and settings of now (``rest``): nothing, if these are the same;
    2. with the counts of the same weeks as they are known now (``corrections``);
    3. of the weeks that are forecast now, by what was known then (``later``);
    4. by what is known now, with the models fitted to it (``events``);
    5. with the shares and recalibration that have been learned by now (``weights``).

    Another order would share the change out differently.

    Parameters
    ----------
    ready : Preparation
        Of the forecast of now.
    last : LastIssue
    combined : mapping of unit kind to CombinedKind
        Of the headline, if that is the combined model; otherwise empty.
    forecasts : mapping of unit kind to (mapping of model name to Forecast)
    risk : DataFrame
        Of the headline model: unit_kind, unit, escalation, probability.
    """
    rules, tables, corrected = ready.workspace.spec.escalations, [], []
    for kind, now in ready.inputs.panels.items():
        then, cut = _panels_then(ready, kind, last)
        corrected.append(_differences(then, cut))
        mine = combined.get(kind)
        stages = _stages(ready, mine, then, cut, now, forecasts[kind])
        units = np.tile(np.asarray(now.units.names, dtype=object), len(rules))
        names = np.repeat([rule.name for rule in rules], len(now.units))
        found = pd.DataFrame({"unit_kind": kind, "unit": units, "escalation": names})
        tables.append(found.assign(**{name: chance.ravel() for name, chance in stages.items()}))
    key = ["unit_kind", "unit", "escalation"]
    table = pd.concat(tables, ignore_index=True)
    table = table.merge(last.said.rename(columns={"probability": "then"}), on=key, how="left")
    table = table.merge(risk[[*key, "probability"]].rename(columns={"probability": "now"}), on=key, how="left")
    same = {rule.name for rule in rules if last.rules.get(rule.name) == rule.model_dump(mode="json")}
    table.loc[~table["escalation"].isin(same), "then"] = np.nan  # another question under the same name
    steps = ["then", "issued", "corrected", "moved", "informed", "now"]
    for name, (before, after) in zip(PARTS, pairwise(steps), strict=True):
        table[name] = table[after] - table[before]
    return Changes(
        origin=last.origin,
        issued_at=last.entry.recorded_at,
        table=table[[*key, "then", "now", *PARTS]],
        weeks=_new_weeks(ready, last),
        corrected=pd.concat(corrected, ignore_index=True),
        shares=_shares(ready, combined, last.origin),
    )


def _stages(
    ready: Preparation,
    mine: CombinedKind | None,
    then: Panel,
    cut: Panel,
    now: Panel,
    forecasts: Mapping[str, Forecast],
) -> dict[str, Floats]:
    """Return the probabilities of each step but the first and the last, shape (escalations, units)."""
    rules, workspace = ready.workspace.spec.escalations, ready.workspace
    names = mine.members if mine else (workspace.spec.models.headline,)
    learned = _learned(ready, mine, then.origin)
    delay = ready.inputs.delay(then.units.kind, then.origin)

    own = [name for name in names if name in workspace.catalogue]
    said = ready.external.at(then.origin)

    def made(panel: Panel) -> dict[str, Forecast]:
        return {
            name: forecast_with(workspace, workspace.catalogue[name], panel, ready.fits, delay=delay) for name in own
        }

    def chances(models: Mapping[str, Forecast], elsewhere: Elsewhere, panel: Panel) -> Floats:
        if learned is None:
            return chances_of(rules, models[own[0]], panel).T
        return learned.apply(member_forecasts(names, models, rules, panel, elsewhere)).final_chance

    before = made(then)
    known = before if cut is then else made(cut)
    shift, longest = weeks_between(then.origin, now.origin), max(rule.weeks for rule in rules)
    later, said_later = known, said
    if shift + longest <= known[own[0]].horizon:
        later = {name: _from_week(each, shift) for name, each in known.items()}
        said_later = {name: _later_said(each, shift, longest) for name, each in said.items()}
    return {
        "issued": chances(before, said, then),
        "corrected": chances(known, said, cut),
        "moved": chances(later, said_later, cut),
        "informed": chances({name: forecasts[name] for name in own}, ready.external.at(now.origin), now),
    }


def _learned(ready: Preparation, mine: CombinedKind | None, origin: pd.Timestamp) -> Learned | None:
    """Return what had been learned at an earlier origin, by the record of now."""
    spec = ready.workspace.spec
    if mine is None or spec.combination is None:
        return None
    return learn(
        [*mine.earlier, mine.track],
        week_number(origin),
        spec.combination,
        members=len(mine.members),
        horizon=spec.backtest.horizon,
        spans=[rule.weeks for rule in spec.escalations],
    )


def _from_week(forecast: Forecast, shift: int) -> Forecast:
    """Return what a forecast says of its later weeks."""
    return replace(forecast, paths=forecast.paths[:, shift:], pmf=forecast.pmf[shift:], weeks=forecast.weeks[shift:])


def _later_said(found: ExternalForecast | None, shift: int, longest: int) -> ExternalForecast | None:
    """Return what was said elsewhere of its later weeks; None if it ends too soon."""
    if found is None or found.forecast.horizon < shift + longest:
        return None
    return replace(found, forecast=_from_week(found.forecast, shift))


def _panels_then(ready: Preparation, kind: UnitKind, last: LastIssue) -> tuple[Panel, Panel]:
    """Return the weeks before the last issue as they were known then, and as they are now; the same if they are."""
    inputs, origin = ready.inputs, last.origin
    cut = inputs.panels[kind].until(origin)
    if kind in inputs.vintages:
        then = inputs.vintages[kind].at(origin)
        # What a nowcast expects to come late is no correction when it comes.
        return (then, then) if inputs.nowcast_weeks is not None else (then, cut)
    recorded = last.counts[last.counts["unit_kind"] == kind]
    week = cut.weeks.get_indexer(pd.DatetimeIndex(recorded["week"]))
    unit = pd.Index(cut.units.names).get_indexer(pd.Index(recorded["unit"]))
    inside = (week >= 0) & (unit >= 0)
    counts, observed = cut.counts.copy(), cut.observed.copy()
    counts[week[inside], unit[inside]] = recorded["count"].to_numpy()[inside]
    observed[week[inside], unit[inside]] = True
    if (counts == cut.counts).all() and (observed == cut.observed).all():
        return cut, cut
    return replace(cut, counts=counts, observed=observed), cut


def _differences(then: Panel, now: Panel) -> pd.DataFrame:
    """Return the counts that were corrected: unit_kind, unit, week, then, now; -1 stands for an unknown one."""
    weeks = then.weeks.intersection(now.weeks)
    before, after = (
        np.where(panel.observed, panel.counts, -1)[panel.weeks.get_indexer(weeks)] for panel in (then, now)
    )
    week, unit = np.nonzero(before != after)
    return pd.DataFrame(
        {
            "unit_kind": now.units.kind,
            "unit": np.asarray(now.units.names, dtype=object)[unit],
            "week": weeks[week],
            "then": before[week, unit],
            "now": after[week, unit],
        }
    )


def _new_weeks(ready: Preparation, last: LastIssue) -> pd.DataFrame:
    """Return what came in the weeks since: unit_kind, unit, week, count, expected."""
    tables = []
    for kind, panel in ready.inputs.panels.items():
        week, unit = np.nonzero(panel.observed & (panel.weeks >= last.origin)[:, None])
        names = np.asarray(panel.units.names, dtype=object)
        tables.append(
            pd.DataFrame(
                {
                    "unit_kind": kind,
                    "unit": names[unit],
                    "week": panel.weeks[week],
                    "count": panel.counts[week, unit],
                }
            )
        )
    expected = last.expected.rename(columns={"mean": "expected"})
    return pd.concat(tables, ignore_index=True).merge(expected, on=["unit_kind", "unit", "week"], how="left")


def _shares(ready: Preparation, combined: Mapping[UnitKind, CombinedKind], origin: pd.Timestamp) -> pd.DataFrame:
    """Return the mean share of each member in the forecasts of regions, then and now."""
    mine = combined.get("region")
    before = _learned(ready, mine, origin)
    if mine is None or before is None:
        return pd.DataFrame({"model": [], "then": [], "now": []})
    then, now = (learned.weight.mean(axis=(0, 1)) for learned in (before, mine.latest))
    return pd.DataFrame({"model": list(mine.members), "then": then, "now": now})
