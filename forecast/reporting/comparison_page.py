"""The page of a comparison of models: which is better, how sure that is, where and when, and on what it hangs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from forecast.evaluation.comparison import SKILL_LEVEL
from forecast.evaluation.joint import JOINT_WEEKS
from forecast.evaluation.record_comparison import RecordComparison
from forecast.panel.units import Units
from forecast.predictive.escalation import Escalation
from forecast.reporting.comparison_charts import Stroke, strokes
from forecast.reporting.comparison_figures import course_figure, horizon_figure, murphy_figure, winner_figure
from forecast.reporting.comparison_tables import (
    CALLED,
    JOINT,
    horizon_columns,
    horizon_rows,
    joint_columns,
    joint_rows,
    missing_sentence,
    pair_rows,
    skill_columns,
    skill_rows,
    standing_rows,
    verdict,
    winner_rows,
)
from forecast.reporting.figure import Figure
from forecast.reporting.page import render_page
from forecast.reporting.rules import rule_titles
from forecast.reporting.tables import provenance_rows
from forecast.reporting.words import day, number, percent, titles


@dataclass(frozen=True, eq=False)
class ComparisonContent:
    """All that the page shows.

    Parameters
    ----------
    workspace : str
        Title of the workspace.
    source : str
        What the counts of the record are.
    comparison : RecordComparison
    murphy : DataFrame
        From `forecast.evaluation.record_murphy.record_murphy`.
    model_titles : mapping of model name to str
    escalations : tuple of Escalation
        Those of the record.
    polygons : mapping of region name to GeoJSON geometry
        May be empty.
    units : Units
        Those that were forecast.
    simulated : bool
    provenance : mapping
    """

    workspace: str
    source: str
    comparison: RecordComparison
    murphy: pd.DataFrame
    model_titles: Mapping[str, str]
    escalations: tuple[Escalation, ...]
    polygons: Mapping[str, Mapping[str, Any]]
    units: Units
    simulated: bool
    provenance: Mapping[str, Any]


def render_comparison(content: ComparisonContent) -> str:
    """Return the page as one HTML document, as `forecast.reporting.page.render_page`."""
    found = content.comparison
    drawn, named = strokes(found.models), titles(content.units)
    horizon, course = horizon_figure(found, drawn, "horizon-figure"), course_figure(found, drawn, "course-figure")
    chart = winner_figure(found, content.polygons, content.units, drawn, "map-figure")
    diagrams = _murphy(content, drawn)
    figures = [figure for figure in (horizon, course, chart) if figure is not None]
    return render_page(
        "comparison.html.j2",
        [*figures, *(figure for _, figure in diagrams)],
        content=content,
        found=found,
        score=CALLED[found.score],
        level=percent(SKILL_LEVEL),
        facts=[
            ("Record", found.record),
            ("Origins", f"{number(found.origins)}, {day(found.first)} to {day(found.last)}"),
            ("Compared", f"{number(found.n)} forecasts, {number(found.units)} {found.unit_kind}s"),
            ("Reference", found.reference),
        ],
        lead=verdict(found),
        missing=missing_sentence(found),
        columns=skill_columns(found),
        rows=skill_rows(found),
        strokes=drawn,
        horizons=horizon_columns(found),
        horizon_rows=horizon_rows(found, horizon_columns(found)),
        horizon=horizon,
        joint=[(JOINT[view], f"{score} score") for view, score in joint_columns(found)],
        joint_rows=joint_rows(found),
        joint_weeks=JOINT_WEEKS,
        pairs=pair_rows(found),
        map=chart,
        where=[{**row, "label": named.get(row["label"], row["label"])} for row in winner_rows(found.where)],
        when=winner_rows(found.when),
        course=course,
        standing=standing_rows(found),
        dropped=sorted(int(count) for count in found.largest["dropped"].unique()),
        busy=int((found.where["events"] > 0).sum()),
        murphy=diagrams,
        provenance=provenance_rows(content.provenance),
    )


def _murphy(content: ComparisonContent, drawn: Mapping[str, Stroke]) -> list[tuple[str, Figure]]:
    """Return the title and the figure of each Murphy diagram that the reference takes part in."""
    diagrams = []
    for of, title in {"mean": "Expected count", **rule_titles(content.escalations)}.items():
        anchor = f"murphy-{of.replace('_', '-')}"
        figure = murphy_figure(content.comparison, content.murphy, of, title, drawn, anchor)
        if figure is not None:
            diagrams.append((title, figure))
    return diagrams
