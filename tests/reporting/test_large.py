"""Reports of more regions than a page can list or draw one by one."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely
from shapely.geometry import mapping

from forecast.panel.priogrid import cell_polygons
from forecast.panel.units import Units
from forecast.plots.theme import RISK_LIGHT
from forecast.reporting.html import render_report
from forecast.reporting.map import SINGLY, Fill, region_map, risk_map
from forecast.reporting.tables import left_out, risk_rows


def test_a_page_lists_the_riskiest_regions_and_says_that_these_are_not_all(content):
    every = len(content.panels["region"].units)
    one = replace(content, listed=1)
    asked = content.risk.query(
        "model == @content.headline_model and escalation == @content.headline_escalation and unit_kind == 'region'"
    )
    highest = asked.sort_values("probability", ascending=False)["unit"].iloc[0]

    assert left_out(content) == 0
    assert left_out(one) == every - 1
    regions = {row.unit.text for row in risk_rows(one) if row.unit_kind == "region"}
    assert len(regions) == 1
    assert next(iter(regions)).split(" (")[0] in highest
    assert {row.unit.text for row in risk_rows(content) if row.unit_kind == "region"} > regions
    places = [row for row in risk_rows(content) if row.unit_kind == "place"]
    assert [row for row in risk_rows(one) if row.unit_kind == "place"] == places  # a reader chose these
    assert len(risk_rows(one)) == len(places) + len(content.escalations)
    page, whole = render_report(one), render_report(content)
    assert f"Listed are the 1 of {every} regions" in page
    assert "Listed are the" not in whole


def test_a_map_of_thousands_draws_the_highest_singly_and_the_others_by_colour():
    row = np.arange(40)
    gids = (147_000 + 720 * row[:, None] + row[None, :]).ravel()
    squares = cell_polygons(gids)
    units = Units.of([f"Land/{gid}" for gid in gids])
    polygons = {name: mapping(shape) for name, shape in zip(units.names, squares.shapes, strict=True)}
    chance = dict(zip(units.names, np.linspace(0, 0.9, len(gids)).tolist(), strict=True))

    plot = risk_map(polygons, units, chance, labelled=[units.names[-1]])

    told = [trace for trace in plot.data if trace.fill == "toself" and trace.hoverinfo == "text"]
    together = [trace for trace in plot.data if trace.fill == "toself" and trace.hoverinfo == "skip"]
    assert [trace.name for trace in told] == list(units.names[-SINGLY:])
    assert 1 < len(together) <= len(RISK_LIGHT)
    area = sum(shapely.area(shapely.Polygon(list(zip(*_ring(trace), strict=True)))) for trace in together)
    assert area == (len(gids) - SINGLY) * 0.25
    assert len(plot.to_json()) < 300_000


def test_a_small_map_is_drawn_one_by_one():
    squares = cell_polygons([147_234, 147_235])
    units = Units.of(squares.names)
    polygons = {name: mapping(shape) for name, shape in zip(units.names, squares.shapes, strict=True)}
    plot = region_map(polygons, units, {units.names[0]: Fill("#123456", "first")})
    assert [trace.name for trace in plot.data if trace.fill == "toself"] == ["147234", "147235"]


def _ring(trace):
    assert None not in trace.x
    return trace.x, trace.y
