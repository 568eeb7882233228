"""Risk: the probability of each escalation in each unit, beside how often it came before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from forecast.panel.panel import Panel
from forecast.predictive.escalation import Escalation, base_rate_and_origins, probability
from forecast.predictive.forecast import Forecast

RISK_COLUMNS = ("unit", "unit_kind", "origin", "target_start", "target_end", "escalation", "probability", "model")
"""Columns of ``risk.csv``, in this order."""

NOISE = 0.005
"""Probabilities are ranked to the nearest multiple of this: smaller differences are those of the drawn paths."""


def risk_table(rules: Sequence[Escalation], forecasts: Mapping[str, Forecast], history: Panel) -> pd.DataFrame:
    """Return the probability of every rule in every unit according to every model.

    Parameters
    ----------
    rules : sequence of Escalation
    forecasts : mapping of model name to Forecast
        From the origin that `history` ends at, for its units.
    history : Panel
        What was known at the origin.

    Returns
    -------
    DataFrame
        One row a model, rule and unit, in this order: `RISK_COLUMNS`, then ``base_rate`` (share of the origins of the
        last two years at which the rule was met; NaN if too few are known), ``base_origins`` (how many these are) and
        ``level`` (what the sum of the weeks must reach). Dates are Timestamps; ``target_end`` is the last day of the
        last week.

    Examples
    --------
    >>> import numpy as np
    >>> from forecast.panel.units import Units
    >>> from forecast.predictive.escalation import AnyEvent
    >>> weeks = pd.date_range("2026-01-03", periods=22, freq="7D")
    >>> panel = Panel.of(np.tile([[0], [1], [0]], (7, 1)), weeks[:21], Units.of(["Gao"]))
    >>> coin = Forecast(np.array([[[0]], [[1]]], "int32"), np.array([[[0.5, 0.5]]]), weeks[21:], panel.units)
    >>> table = risk_table([AnyEvent(name="any", weeks=1, rule="any_event")], {"coin": coin}, panel)
    >>> table[["probability", "base_rate", "base_origins", "level"]].values.tolist()
    [[0.5, 0.35, 20.0, 1.0]]
    """
    origin = history.origin
    known = [(rule, *base_rate_and_origins(rule, history), rule.level(history)) for rule in rules]
    tables = [
        pd.DataFrame(
            {
                "unit": pd.Series(history.units.names, dtype="str"),
                "unit_kind": history.units.kind,
                "origin": origin,
                "target_start": origin,
                "target_end": origin + pd.Timedelta(days=7 * rule.weeks - 1),
                "escalation": rule.name,
                "probability": probability(rule, forecast, history),
                "model": model,
                "base_rate": rate,
                "base_origins": origins,
                "level": level,
            }
        )
        for model, forecast in forecasts.items()
        for rule, rate, origins, level in known
    ]
    return pd.concat(tables, ignore_index=True)


def ranked(risk: pd.DataFrame, before: Sequence[str] = ()) -> pd.DataFrame:
    """Return rows of `risk_table` with the highest probability first, unknown ones last.

    Where probabilities are the same to the nearest half a percent units are in order of their names.

    Parameters
    ----------
    risk : DataFrame
        With columns unit and probability.
    before : sequence of str, optional
        Columns to sort by first.

    Examples
    --------
    >>> risk = pd.DataFrame({"unit": ["Bay", "Banadir", "Gedo"], "probability": [0.0054, 0.0045, 0.2]})
    >>> ranked(risk)["unit"].tolist()
    ['Gedo', 'Banadir', 'Bay']
    """
    rank = -(risk["probability"] / NOISE).round()
    ordered = risk.assign(_rank=rank).sort_values([*before, "_rank", "unit"], na_position="last", kind="stable")
    return ordered.drop(columns="_rank")
