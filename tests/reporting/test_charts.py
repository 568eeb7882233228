"""Golden snapshots of the figures' data, and what must hold for any of them."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
from shapely import MultiPoint
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from forecast.evaluation.record_diagnosis import pit_cells
from forecast.panel.units import Units, great_circle_km
from forecast.plots.classes import CLASS_EDGES, probability_class
from forecast.plots.theme import DARK, RISK_DARK, RISK_LIGHT
from forecast.reporting.calibration import record_figures, statements_of
from forecast.reporting.content import ReportContent
from forecast.reporting.fan import fan_chart, fan_figure, fan_frame, fan_rows
from forecast.reporting.figure import Figure
from forecast.reporting.headline import headline_rows
from forecast.reporting.map import circle, map_aspect, risk_map


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


def plain(figure: Figure) -> Any:
    return json.loads(json.dumps(figure.data(), allow_nan=False))


def a_map(content: ReportContent) -> Any:
    rows = headline_rows(content, "region")
    chances = dict(zip(rows["unit"], rows["probability"], strict=True))
    regions, places = content.panels["region"].units, content.panels["place"].units
    labelled = list(regions.names[:2])
    return risk_map(
        content.polygons, regions, chances, places=places, place_probability={"Bamako 100 km": 0.3}, labelled=labelled
    )


def test_fan_chart(content: ReportContent, golden: SnapshotAssertion) -> None:
    panel, forecast = content.panels["region"], content.forecasts["region"]["discount"]
    figure = fan_figure(panel, forecast, "Mali/Mopti", title="Mopti (Mali)", anchor="fan")
    assert {"caption": figure.caption, **plain(figure)} == golden


def test_map(content: ReportContent, golden: SnapshotAssertion) -> None:
    assert plain(Figure("map", "", "", a_map(content))) == golden


def test_calibration(content: ReportContent, golden: SnapshotAssertion) -> None:
    drawn = record_figures(content.backtests[1], "discount", content.escalations, anchor="record")
    assert drawn.pit is not None
    assert drawn.coverage is not None
    figures = [drawn.pit, drawn.coverage, *(figure for _, figure in drawn.reliability)]
    assert {figure.anchor: {"caption": figure.caption, **plain(figure)} for figure in figures} == golden


def test_fan_frame_ends_the_past_at_the_origin(content: ReportContent) -> None:
    panel, forecast = content.panels["region"], content.forecasts["region"]["discount"]
    frame = fan_frame(panel, forecast, "Niger/Tillabéri", past=30)
    past = frame[frame["mean"].isna()]
    assert len(past) == 30
    assert past["week"].max() + pd.Timedelta(days=7) == content.origin
    assert past["observed"].isna().sum() == 1
    assert frame.loc[frame["mean"].notna(), "observed"].isna().all()


def test_bands_are_nested_and_hold_the_quantiles(content: ReportContent) -> None:
    panel, forecast = content.panels["region"], content.forecasts["region"]["discount"]
    traces = fan_chart(fan_frame(panel, forecast, "Mali/Mopti")).data[:6]
    low95, high95, low80, high80, low50, high50 = (np.asarray(trace.y) for trace in traces)
    assert (low95 <= low80).all()
    assert (low80 <= low50).all()
    assert (high50 <= high80).all()
    assert (high80 <= high95).all()
    assert high80[:-1].tolist() == forecast.quantile([0.9])[0, :, 0].tolist()


def test_a_week_without_report_is_marked_and_no_bar(content: ReportContent) -> None:
    panel, forecast = content.panels["region"], content.forecasts["region"]["discount"]
    figure = fan_figure(panel, forecast, "Niger/Tillabéri", title="Tillabéri", anchor="fan")
    bars, unseen = figure.plot.data[-2], figure.plot.data[-1]
    assert len(bars.x) == 29
    assert list(unseen.text) == [f"week of {panel.weeks[-10].day} May 2026: not observed"]


def test_fan_rows_give_every_week(content: ReportContent) -> None:
    panel, forecast = content.panels["region"], content.forecasts["region"]["discount"]
    rows = fan_rows(fan_frame(panel, forecast, "Mali/Mopti"))
    assert [row["week"] for row in rows][:2] == ["1 August 2026", "8 August 2026"]
    assert set(rows[0]) == {"week", "expected", "median", "50%", "80%", "95%"}


@pytest.mark.parametrize("latitude", [-60.0, 0.0, 14.5])
def test_ring_keeps_its_radius(latitude: float) -> None:
    ring = circle(latitude, 3.0, 150)
    assert np.allclose(great_circle_km(latitude, 3.0, ring[:, 1], ring[:, 0]), 150)


def test_map_draws_holes_and_parts_and_keeps_proportions(content: ReportContent) -> None:
    plot = a_map(content)
    outlines = {trace.name: list(trace.x) for trace in plot.data if trace.fill == "toself"}
    assert outlines["Mali/Mopti"].count(None) == 0
    assert outlines["Mali/Gao"].count(None) == 1
    assert outlines["Niger/Agadez"].count(None) == 1
    assert plot.layout.yaxis.scaleratio == pytest.approx(1 / np.cos(np.radians(15)), rel=1e-3)
    assert map_aspect(plot) == pytest.approx(19.76 / 10.76 * np.cos(np.radians(15)), rel=1e-2)


def test_region_without_probability_is_grey(content: ReportContent) -> None:
    regions = content.panels["region"].units
    plot = risk_map(content.polygons, regions, {"Mali/Gao": 0.5})
    colours = {trace.name: trace.fillcolor for trace in plot.data if trace.fill == "toself"}
    assert colours["Mali/Gao"] == RISK_LIGHT[probability_class(0.5)]
    assert colours["Mali/Mopti"] not in RISK_LIGHT


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


def test_risk_colours_are_in_order_without_hue() -> None:
    assert sorted(RISK_LIGHT, key=luminance, reverse=True) == list(RISK_LIGHT)
    assert sorted(RISK_DARK, key=luminance) == list(RISK_DARK)


def test_every_class_has_its_colour() -> None:
    assert len(RISK_LIGHT) == len(RISK_DARK) == len(CLASS_EDGES) - 1
    assert len(set(RISK_LIGHT)) == len(RISK_LIGHT)


def test_countries_are_dissolved(content: ReportContent) -> None:
    lines = [trace for trace in a_map(content).data if trace.mode == "lines" and not trace.fill and not trace.line.dash]
    mali, niger = (
        [corner for corner in zip(trace.x, trace.y, strict=True) if corner[0] is not None] for trace in lines
    )
    west, _, east, _ = MultiPoint(mali).bounds
    assert (round(west, 1), round(east, 1)) == (-10, 0)
    assert not any(x == -5 and 10 < y < 15 for x, y in mali)  # the border between its regions is gone
    assert max(x for x, _ in niger) == pytest.approx(9, abs=0.1)


def named(plot: Any, size: str) -> list[str]:
    return [text for trace in plot.data if trace.meta == size for text in trace.text]


def test_names_of_regions_are_left_out_on_phones(content: ReportContent) -> None:
    plot = a_map(content)
    assert {"<b>Mopti</b>", "<b>Gao</b>", "Bamako"} <= set(named(plot, "wide"))
    assert not any(text.startswith("<b>") for text in named(plot, "narrow"))


def test_a_place_named_like_a_region_beside_it_is_named_once(content: ReportContent) -> None:
    regions = content.panels["region"].units
    places = Units.of(
        ["Mopti 50 km", "Mopti 100 km"], kind="place", latitude=[12.0] * 2, longitude=[-8.0] * 2, radius_km=[50, 100]
    )
    plot = risk_map(content.polygons, regions, {}, places=places, labelled=["Mali/Mopti"])
    assert named(plot, "wide").count("<b>Mopti</b>") == 1
    assert "Mopti" not in named(plot, "wide")
    assert named(plot, "narrow").count("Mopti") == 1


def test_every_colour_of_a_figure_has_a_dark_counterpart(content: ReportContent) -> None:
    drawn = record_figures(content.backtests[1], "discount", content.escalations, anchor="record")
    assert drawn.pit is not None
    texts = json.dumps([plain(drawn.pit), plain(Figure("map", "", "", a_map(content)))])
    used = {word for word in texts.split('"') if len(word) == 7 and word.startswith("#")}
    assert used
    assert used <= set(DARK)


def test_statements_and_pit_are_of_one_model_and_regions(content: ReportContent) -> None:
    record = content.backtests[0]
    cells = pit_cells(record, "discount")
    assert len(cells) == 12 * 6 * 4
    assert len(cells.where(cells.activity == "active")) == 12 * 6
    assert len(statements_of(record, "discount", "any_event")) == 12 * 4
