"""The figures of a comparison with what stands around them: for its own page, and for the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from forecast.evaluation.comparison import SKILL_LEVEL
from forecast.evaluation.record_comparison import RecordComparison
from forecast.language import say
from forecast.panel.units import Units
from forecast.reporting.comparison_charts import (
    SHOWN,
    Stroke,
    course_chart,
    horizon_chart,
    murphy_chart,
    winner_map,
)
from forecast.reporting.comparison_tables import CALLED
from forecast.reporting.figure import Figure
from forecast.reporting.map import map_aspect
from forecast.reporting.rules import quoted
from forecast.reporting.words import listing, percent

LOWEST = -0.2
"""Models that are worse than this at every horizon are named below a chart, for the others to be told apart."""


def near_models(found: RecordComparison) -> list[str]:
    """Return the models other than the reference that a chart can show beside each other, best first."""
    best = found.horizons.groupby("model")["skill"].max()
    return [name for name in found.models if name != found.reference and not best.get(name, np.nan) < LOWEST]


def horizon_figure(found: RecordComparison, drawn: Mapping[str, Stroke], anchor: str, of: str = "") -> Figure | None:
    """Return skill by weeks ahead; None where no model can be shown beside the reference.

    Parameters
    ----------
    found : RecordComparison
    drawn : mapping of model to Stroke
    anchor : str
    of : str
        What the label for screen readers adds to tell figures apart, such as the record.
    """
    shown = near_models(found)[:SHOWN]
    if not shown:
        return None
    caption = say(
        "Skill by weeks ahead against {reference}, in {score}; above zero is better. Bars are {level} block-bootstrap "
        "intervals, where the record is long enough.{beyond}",
        reference=drawn[found.reference].title,
        score=CALLED[found.score],
        level=percent(SKILL_LEVEL),
        beyond=_beyond(found, shown, drawn),
    )
    return Figure(
        anchor,
        say("Skill by weeks ahead{of}. {caption}", of=of, caption=caption),
        caption,
        horizon_chart(found.horizons, shown, drawn),
    )


def course_figure(found: RecordComparison, drawn: Mapping[str, Stroke], anchor: str, of: str = "") -> Figure | None:
    """Return how differences from the reference added up over time; None as in `horizon_figure`."""
    shown = near_models(found)
    if not shown:
        return None
    caption = say(
        "{score} saved against {reference}, added up over the weeks forecast: where a line rises, its model was "
        "better.{beyond}",
        score=CALLED[found.score],
        reference=drawn[found.reference].title,
        beyond=_beyond(found, shown, drawn),
    )
    plot = course_chart(found.course, shown, drawn[found.reference].title, drawn, CALLED[found.score])
    return Figure(anchor, say("Course of the differences{of}. {caption}", of=of, caption=caption), caption, plot)


def winner_figure(
    found: RecordComparison,
    polygons: Mapping[str, Mapping[str, Any]],
    units: Units,
    drawn: Mapping[str, Stroke],
    anchor: str,
    of: str = "",
) -> Figure | None:
    """Return the map of the best models; None without outlines of the regions that were forecast."""
    forecast = set(found.where["label"])
    if found.unit_kind != "region" or not forecast & set(units.names) & set(polygons):
        return None
    plot = winner_map(polygons, units, found.where, drawn)
    caption = say(
        "The model with the lowest {score} of each region: a full colour where it differs from the "
        "second beyond chance "
        "(Diebold-Mariano test at 10\u00a0%, no correction for the number of regions), a faint one where it does not, "
        "grey where no event came.",
        score=CALLED[found.score],
    )
    return Figure(
        anchor, say("Map of the best models{of}. {caption}", of=of, caption=caption), caption, plot, map_aspect(plot)
    )


def murphy_figure(
    found: RecordComparison,
    murphy: pd.DataFrame,
    diagram: str,
    title: str,
    drawn: Mapping[str, Stroke],
    anchor: str,
    of: str = "",
) -> Figure | None:
    """Return one Murphy diagram; None where the reference and another model do not both take part.

    Parameters
    ----------
    found : RecordComparison
    murphy : DataFrame
        From `forecast.evaluation.record_murphy.record_murphy`.
    diagram : str
        "mean", or the name of an escalation.
    title : str
        What the diagram is of, in words.
    drawn : mapping of model to Stroke
    anchor, of : str
        As in `horizon_figure`.
    """
    curves = murphy[murphy["of"] == diagram]
    if found.reference not in set(curves["model"]) or curves["model"].nunique() < 2:
        return None
    models, reference = [found.reference, *near_models(found)], drawn[found.reference].title
    plot = murphy_chart(curves, models, found.reference, drawn, chances=diagram != "mean")
    better = [drawn[name].title for name in _always_better(curves, models, found.reference)]
    caption = (
        say("At no threshold worse than {reference}: {better}.", reference=reference, better=listing(better))
        if better
        else say("No model is at least as good as {reference} at every threshold.", reference=reference)
    )
    return Figure(
        anchor,
        say("Murphy diagram of {title}{of}. {caption}", title=quoted(title), of=of, caption=caption),
        caption,
        plot,
    )


def _beyond(found: RecordComparison, shown: Sequence[str], drawn: Mapping[str, Stroke]) -> str:
    """Return the sentence on models that a chart leaves out."""
    off = [drawn[name].title for name in found.models if name not in {*shown, found.reference}]
    return say(" Not drawn: {off}; their figures are in the tables.", off=listing(off)) if off else ""


def _always_better(curves: pd.DataFrame, models: Sequence[str], reference: str) -> list[str]:
    table = curves.pivot_table(index="threshold", columns="model", values="score")
    return [
        name
        for name in models
        if name in table and name != reference and bool(np.all(table[name] <= table[reference] + 1e-12))
    ]
