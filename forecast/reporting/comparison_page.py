"""The page of a comparison of models: which is better, how sure that is, where and when, and on what it hangs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from forecast.evaluation.comparison import SKILL_LEVEL
from forecast.evaluation.record_comparison import RecordComparison
from forecast.panel.units import Units
from forecast.predictive.escalation import Escalation
from forecast.reporting.comparison_charts import (
    SHOWN,
    course_chart,
    horizon_chart,
    murphy_chart,
    strokes,
    winner_map,
)
from forecast.reporting.comparison_tables import (
    CALLED,
    horizon_columns,
    horizon_rows,
    missing_sentence,
    pair_rows,
    skill_columns,
    skill_rows,
    standing_rows,
    verdict,
    winner_rows,
)
from forecast.reporting.figure import Figure
from forecast.reporting.map import map_aspect
from forecast.reporting.page import render_page
from forecast.reporting.rules import quoted, rule_titles
from forecast.reporting.skill import LOWEST
from forecast.reporting.tables import provenance_rows
from forecast.reporting.words import SPACE, day, listing, number, percent, titles


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
    near = [name for name in found.models if name != found.reference and not _far(found, name)]
    horizon, course, chart = _horizons(found, near), _course(found, near), _map(content)
    diagrams = _murphy(content, [found.reference, *near])
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


def _far(found: RecordComparison, model: str) -> bool:
    """Tell whether a model is so much worse at every horizon that others could not be told apart beside it."""
    skill = found.horizons.loc[found.horizons["model"] == model, "skill"]
    return bool(skill.notna().any() and skill.max() < LOWEST)


def _beyond(found: RecordComparison, shown: list[str]) -> str:
    """Return the sentence on models that a chart leaves out."""
    off = [name for name in found.models if name not in {*shown, found.reference}]
    return f" Not drawn: {listing(off)}; their figures are in the tables." if off else ""


def _horizons(found: RecordComparison, near: list[str]) -> Figure | None:
    shown = near[:SHOWN]
    if not shown:
        return None
    plot = horizon_chart(found.horizons, shown, strokes(found.models))
    caption = (
        f"Skill by weeks ahead against {found.reference}, in {CALLED[found.score]}; above zero is better. Bars are "
        f"{percent(SKILL_LEVEL)} block-bootstrap intervals, where the record is long enough.{_beyond(found, shown)}"
    )
    return Figure("horizon-figure", f"Skill by weeks ahead. {caption}", caption, plot)


def _course(found: RecordComparison, near: list[str]) -> Figure | None:
    if not near:
        return None
    plot = course_chart(found.course, near, found.reference, strokes(found.models), CALLED[found.score])
    caption = (
        f"{CALLED[found.score]} saved against {found.reference}, added up over the weeks forecast: where a line rises, "
        f"its model was better.{_beyond(found, near)}"
    )
    return Figure("course-figure", f"Course of the differences. {caption}", caption, plot)


def _map(content: ComparisonContent) -> Figure | None:
    found = content.comparison
    if found.unit_kind != "region" or not any(name in content.polygons for name in content.units.names):
        return None
    plot = winner_map(content.polygons, content.units, found.where, strokes(found.models))
    caption = (
        f"The model with the lowest {CALLED[found.score]} of each region: a full colour where it differs from the "
        "second beyond chance (Diebold-Mariano test at 10 %, no correction for the number of regions), a faint one "
        "where it does not, grey where no event came."
    ).replace(" %", f"{SPACE}%")
    return Figure("map-figure", f"Map of the best models. {caption}", caption, plot, map_aspect(plot))


def _murphy(content: ComparisonContent, models: list[str]) -> list[tuple[str, Figure]]:
    """Return the title and the figure of each Murphy diagram that the reference takes part in."""
    found, called = content.comparison, rule_titles(content.escalations)
    diagrams = []
    for of in ("mean", *called):
        curves = content.murphy[content.murphy["of"] == of]
        if found.reference not in set(curves["model"]) or curves["model"].nunique() < 2:
            continue
        title = "Expected count" if of == "mean" else called[of]
        plot = murphy_chart(curves, models, found.reference, strokes(found.models), chances=of != "mean")
        better = _always_better(curves, models, found.reference)
        caption = (
            f"At no threshold worse than {found.reference}: {listing(better)}."
            if better
            else f"No model is at least as good as {found.reference} at every threshold."
        )
        label = f"Murphy diagram of {quoted(title)}. {caption}"
        diagrams.append((title, Figure(f"murphy-{of.replace('_', '-')}", label, caption, plot)))
    return diagrams


def _always_better(curves: pd.DataFrame, models: list[str], reference: str) -> list[str]:
    table = curves.pivot_table(index="threshold", columns="model", values="score")
    return [
        name
        for name in models
        if name in table and name != reference and bool(np.all(table[name] <= table[reference] + 1e-12))
    ]
