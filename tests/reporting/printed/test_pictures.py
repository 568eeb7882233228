"""The pictures: what they show is what the tables say."""

from __future__ import annotations

import dataclasses
import io

import matplotlib.colors as mcolors
import plotly.graph_objects as go
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from PIL import Image

from forecast.plots.classes import probability_class
from forecast.plots.plotted import draw
from forecast.plots.theme import LAND, RISK_LIGHT
from forecast.reporting.fan import fan_chart, fan_frame
from forecast.reporting.printed.charts import charts_of
from forecast.reporting.printed.pictures import picture_bytes
from forecast.reporting.summarise import summary_of


def pictures(content) -> dict[str, bytes]:
    return picture_bytes(content, summary_of(content), charts_of(content))


def drawn(plot: go.Figure):
    axes = Figure().add_axes((0, 0, 1, 1))
    draw(axes, plot, 0.6)
    return axes


def test_they_are_named_in_order_and_are_the_same_bytes_every_time(content):
    found = pictures(content)
    assert list(found) == ["map.png", "fan-1.png", "fan-2.png", "reliability.png"]
    assert pictures(content) == found


def test_they_bear_what_they_are_and_no_time(content):
    for picture in pictures(content).values():
        image = Image.open(io.BytesIO(picture))
        image.load()
        assert image.text["Title"] == "A small test"
        assert image.text["Source"] == "Nobody"
        assert not {"Creation Time", "date:create"} & set(image.text)
        assert min(image.size) > 600
        assert len(image.getcolors(1 << 20)) > 50


def test_what_is_not_there_is_not_drawn(content):
    bare = dataclasses.replace(content, polygons={}, backtests=())
    assert list(pictures(bare)) == ["fan-1.png", "fan-2.png"]


def test_the_map_has_each_region_in_the_colour_of_its_probability(content):
    axes = drawn(charts_of(content).map.plot)
    patches = [patch for patch in axes.patches if isinstance(patch, PathPatch)]
    summary = summary_of(content)
    for unit in (unit for unit in summary.units if unit.kind == "region"):
        probability = unit.risk(summary.headline_escalation).probability
        colour = LAND if probability is None else RISK_LIGHT[probability_class(probability)]
        (west, south), *_ = (
            content.polygons[unit.name]["coordinates"][0][:1] if unit.name != "Niger/Agadez" else [(0, 15)]
        )
        inside = (west + 0.5, south + 0.5)
        mine = [patch for patch in patches if patch.get_path().contains_point(inside) and patch.get_alpha() != 0]
        filled = [patch for patch in mine if patch.get_facecolor()[3] > 0]
        assert {mcolors.to_hex(patch.get_facecolor()) for patch in filled} == {colour}, unit.name


def test_a_fan_chart_has_the_counts_and_the_expected_of_its_frame(content):
    panel, forecast = content.panels["region"], content.forecasts["region"]["discount"]
    frame = fan_frame(panel, forecast, "Mali/Mopti")
    axes = drawn(fan_chart(frame))
    seen = frame["observed"].dropna()
    assert [bar.get_height() for bar in axes.patches] == [float(count) for count in seen]
    dots = next(line for line in axes.lines if line.get_marker() == "o" and line.get_linestyle() == "None")
    assert list(dots.get_ydata()) == [round(float(value), 3) for value in frame["mean"].dropna()]


def test_a_trace_that_paper_does_not_know_is_refused():
    with pytest.raises(ValueError, match="'pie' cannot be drawn on paper"):
        drawn(go.Figure(go.Pie(values=[1])))
    with pytest.raises(ValueError, match="fill 'tozeroy'"):
        drawn(go.Figure(go.Scatter(x=[1, 2], y=[1, 2], fill="tozeroy")))
