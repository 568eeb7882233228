"""What the report says of all models against each other: which may be the best, weeks ahead, where and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forecast.evaluation.comparison import reference_models
from forecast.evaluation.record import BacktestRecord
from forecast.evaluation.record_comparison import RecordComparison, compare_record
from forecast.evaluation.record_murphy import record_murphy
from forecast.families.model import ModelSpec
from forecast.language import say
from forecast.panel.units import Units
from forecast.reporting.comparison_charts import Stroke, strokes
from forecast.reporting.comparison_figures import course_figure, horizon_figure, murphy_figure, winner_figure
from forecast.reporting.comparison_tables import standing_rows, verdict
from forecast.reporting.figure import Figure


@dataclass(frozen=True)
class ComparisonPart:
    """What the report says of the models of one record.

    Parameters
    ----------
    verdict : str
        In two sentences.
    keys : list of Stroke
        How each model is drawn, the headline first.
    figures : list of (str, Figure)
        Each with its heading.
    standing : list of dict
        model (its title), where, when (in how many regions and quarters it was the best), and its ranks without the
        largest weeks.
    regions, quarters : int
        How many regions with events, and quarters, there are to be the best in.
    dropped : list of int
        How many of the largest weeks the ranks leave out.
    """

    verdict: str
    keys: list[Stroke]
    figures: list[tuple[str, Figure]]
    standing: list[dict[str, Any]]
    regions: int
    quarters: int
    dropped: list[int]


def reference_of(record: BacktestRecord, models: Sequence[ModelSpec]) -> str | None:
    """Return the model that skill is measured against: the reference model with the lowest CRPS."""
    known = set(reference_models(models))
    return next((str(name) for name in record.leaderboard["model"] if name in known), None)


def comparison_part(
    record: BacktestRecord,
    models: Sequence[ModelSpec],
    headline: str,
    rule: tuple[str, str],
    polygons: Mapping[str, Mapping[str, Any]],
    units: Units,
    *,
    anchor: str,
    title: str,
) -> ComparisonPart | None:
    """Return what is to be said; None without a reference and another model to hold against it.

    Parameters
    ----------
    record : BacktestRecord
    models : sequence of ModelSpec
        Those of the record, for their titles and to find the reference.
    headline : str
        Name of the model in front.
    rule : tuple of (str, str)
        Name and title of the escalation whose Murphy diagram is shown.
    polygons : mapping of region name to GeoJSON geometry
    units : Units
        The regions; a record on others has no map.
    anchor, title : str
        Of the record, for the ids and labels of the figures.
    """
    reference = reference_of(record, models)
    if reference is None or len(record.leaderboard) < 2:
        return None
    found = compare_record(record, reference)
    called = {model.name: model.title for model in models}
    # Not by rank, so that a model looks the same in every record: the headline first, the simplest models last.
    order = dict.fromkeys([headline, *reversed(called), *found.models])
    drawn = {name: stroke for name, stroke in strokes(list(order), called).items() if name in found.models}
    busy = found.where[found.where["events"] > 0]
    return ComparisonPart(
        verdict=verdict(found, {name: stroke.title for name, stroke in drawn.items()}),
        keys=list(drawn.values()),
        figures=_figures(found, record, rule, polygons, units, drawn, anchor, say(", record {title}", title=title)),
        standing=[{**row, "model": drawn[row["model"]].title} for row in standing_rows(found)],
        regions=len(busy),
        quarters=len(found.when),
        dropped=sorted(int(count) for count in found.largest["dropped"].unique()),
    )


def _figures(
    found: RecordComparison,
    record: BacktestRecord,
    rule: tuple[str, str],
    polygons: Mapping[str, Mapping[str, Any]],
    units: Units,
    drawn: Mapping[str, Stroke],
    anchor: str,
    of: str,
) -> list[tuple[str, Figure]]:
    murphy = record_murphy(record, found.models, [rule[0]])
    drawings = {
        say("Skill by weeks ahead"): horizon_figure(found, drawn, f"{anchor}-skill", of),
        say("When each was better"): course_figure(found, drawn, f"{anchor}-course", of),
        say("At every threshold"): murphy_figure(found, murphy, *rule, drawn, f"{anchor}-murphy", of),
        say("Where each is the best"): winner_figure(found, polygons, units, drawn, f"{anchor}-where", of),
    }
    return [(heading, figure) for heading, figure in drawings.items() if figure is not None]
