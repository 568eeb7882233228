"""The page of one place: what it shows, that it needs nothing else, and that it escapes what it is given."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.panel.dataset import DataNote
from forecast.panel.units import Units
from forecast.predictive.odds_map import OddsMap
from forecast.predictive.place_pool import View, pooled
from forecast.predictive.place_record import PastView, past_scores
from forecast.reporting.place_map import CELL, place_map, recent_in_cells, recent_of_regions
from forecast.reporting.place_page import PlaceContent, render_place
from forecast.reporting.words import SPACE

ORIGIN = pd.Timestamp("2026-08-01")


def square(west, south):
    ring = [[west, south], [west + 2, south], [west + 2, south + 2], [west, south + 2], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def content(**changes):
    views = (
        View(
            "space-time", "space-time", 0.4, 0.6, np.array([0, 1, 0, 2]), 0.3, 0.55,
            {"background": 0.2, "recent events": 0.3, "further events": 0.1},
        ),
        View("towns", "discount", 0.2, 0.3, np.array([0, 0, 1, 0])),
    )  # fmt: skip
    history = tuple(
        PastView(f"{ORIGIN - pd.Timedelta(days=7 * back):%Y-%m-%d}", 0.3, 0.2, 0.5, {"towns": 0.3}, 0.25, events)
        for back, events in ((9, 0), (8, 2), (1, None))
    )
    made = PlaceContent(
        workspace="Sahel",
        place=Units.of(["Bamako 100 km"], kind="place", latitude=[12.65], longitude=[-8.0], radius_km=[100.0]),
        origin=ORIGIN,
        weeks=4,
        known_until=ORIGIN - pd.Timedelta(days=1),
        pool=pooled(views),
        calibrated=pooled(views, OddsMap(1.0, -0.1, np.diag([0.0, 0.01]))),
        uncalibrated="",
        views=views,
        titles={"towns": "Discounted"},
        missing={"regions": "the ring touches none of the regions that are forecast"},
        contributions={"background": 0.34, "recent events": 0.5, "further events": 0.16},
        base_rates=((104, 0.1), (200, 0.12)),
        history=history,
        scores=past_scores(history),
        polygons={"Mali/Koulikoro": square(-9, 12), "Mali/Kayes": square(-11, 12)},
        regions=Units.of(["Mali/Koulikoro", "Mali/Kayes"], groups=["Mali", "Mali"]),
        recent=recent_in_cells([12.6, 12.61, 13.2], [-8.01, -8.02, -8.4], 100.0, weeks=30, inside=2),
        data=DataNote("Events", "3 events.", "somebody", "CC BY 4.0", "of August", ("A limit.",)),
        warnings=("space-time: explosive",),
        remarks=("a remark",),
        simulated=False,
        provenance={"seed": 1},
    )
    return replace(made, **changes)


def plain(page):
    body = re.sub(r"<script.*?</script>|<style.*?</style>", "", page, flags=re.S)
    text = re.sub(r"<[^>]+>", " ", body).replace(SPACE, " ").replace("&nbsp;", " ")
    return re.sub(r"\s+", " ", text)


def figures(page):
    (text,) = re.findall(r'<script type="application/json" id="figures">(.*?)</script>', page, re.S)
    return json.loads(text)["figures"]


@pytest.fixture(scope="module")
def page():
    return render_place(content())


def test_it_says_the_risk_and_what_is_usual(page):
    text = plain(page)
    assert "At least one event within 100 km of Bamako over the next 4 weeks: 27 %, unlikely" in text
    assert "That gives 29 %, recalibrated by what became of such probabilities" in text
    assert "The models, and what is known of how such forecasts came out, leave open 16 % to 57 %." in text
    assert "Before recalibration: 20 % to 55 %" in text
    assert "That is 2.7 times the usual: 10 % of such spans had an event over the last two years." in text
    assert "Missing: the ring touches none of the regions that are forecast." in text
    assert "2 of three models could tell; the other one is listed with the reason." in text
    assert "Set off by events that have happened 50 %" in text
    assert "A remark." in text
    assert text.index("Space-time: explosive.") < text.index("How probable is an event?")


def test_the_range_is_of_the_figure_that_is_shown():
    """The models agree, and recalibration moves them: the figure lies within its range, which is as wide as it is."""
    views = tuple(View(name, name, p, 3.0, np.full(10, 3)) for name, p in (("regions", 0.91), ("towns", 0.92)))
    found = pooled(views, OddsMap(0.9, 0.0, np.diag([0.0, 0.09])))
    text = plain(render_place(content(views=views, pool=pooled(views), calibrated=found)))
    assert "89 %, very likely. The models, and what is known of how such forecasts came out" in text
    assert "leave open 83 % to 94 %. 2.9 expected, 80 % range 0" in text
    alone = views[:1]
    text = plain(render_place(content(views=alone, pool=pooled(alone), calibrated=None)))
    assert "91 %, very likely. One model alone could tell, and no range of it is known." in text


def test_it_says_how_the_past_year_went(page):
    text = plain(page)
    assert "Over the 2 origins whose weeks are over" in text
    assert "an event came after 50 % of them" in text
    assert "Brier score 0.290 (0 is perfect)" in text
    assert "That of the two-year base rate known then was 0.312." in text
    assert "not known yet" in text


def test_origins_without_a_base_rate_count_and_are_told():
    first, *others = content().history
    history = (replace(first, usual=float("nan")), *others)
    text = plain(render_place(content(history=history, scores=past_scores(history))))
    assert "Over the 2 origins whose weeks are over" in text
    assert "an event came after 50 % of them" in text
    assert "The base rate was known before only 1 of them: there it had 0.562, and the models 0.490." in text


def test_it_needs_nothing_else(page):
    assert "default-src 'none'" in page
    assert not re.search(r"<(script|link|img)[^>]+(src|href)=\"(?!data:|#)", page)


def test_the_same_content_gives_the_same_bytes(page):
    assert render_place(content()) == page


def test_without_a_history_there_is_no_line():
    page = render_place(content(history=(), scores=None, calibrated=None, uncalibrated="nobody asked"))
    assert "Not recalibrated: nobody asked." in plain(page)
    assert set(figures(page)) == {"map-figure"}
    assert "history" not in re.findall(r'<section id="(\w+)"', page)


def test_the_map_shows_cells_and_never_where_in_them_an_event_was(page):
    recent = content().recent
    assert sorted(recent.counts) == [1, 2]
    for latitude, longitude in zip(recent.latitude, recent.longitude, strict=True):
        assert (latitude / CELL) % 1 == pytest.approx(0.5)
        assert (longitude / CELL) % 1 == pytest.approx(0.5)
    assert "12.61" not in json.dumps(figures(page)["map-figure"])
    (discs,) = [trace for trace in figures(page)["map-figure"]["data"] if "hovertext" in trace]
    assert discs["hovertext"] == ["2 events", "1 event"]


def test_the_map_tells_its_weeks_its_signs_and_what_is_in_the_ring(page):
    text = plain(page)
    assert "The dashed ring is 100 km around Bamako: 2 events in it over the last 30 weeks." in text
    assert "its number is how many. Light lines" in text
    many = recent_in_cells([12.6] * 900 + [13.2], [-8.01] * 900 + [-8.4], 100.0, weeks=30, inside=901)
    text = plain(render_place(content(recent=many)))
    assert "its number is how many. Those too small for their number are one event. Light lines" in text


def test_counts_of_regions_are_drawn_where_the_regions_show():
    """The middle of a large region lies beyond the map, or far from the ring."""
    recent = recent_of_regions(["Mali/Koulikoro", "Mali/Kayes"], [40, 0], weeks=30, inside=7)
    assert (recent.names, recent.counts) == (("Mali/Koulikoro",), (40,))
    far = content(polygons={"Mali/Koulikoro": square(-6.8, 12.0)}, recent=recent)
    plot, unnumbered = place_map(far.place, far.polygons, far.regions, recent)
    (discs,) = [trace for trace in plot.data if trace.hovertext]
    (west, east), (south, north) = plot.layout.xaxis.range, plot.layout.yaxis.range
    assert west < discs.x[0] < east < -5.8  # the middle of the square
    assert south < discs.y[0] < north
    assert (discs.text[0], unnumbered) == ("Koulikoro: 40", 0)
    text = plain(render_place(far))
    assert "7 events in it over the last 30 weeks. Each disc is the events of a whole region over the last 30" in text


def test_no_event_at_all():
    page = render_place(
        content(
            recent=recent_in_cells([], [], 100.0, weeks=30, inside=0),
            base_rates=((104, 0.0), (200, 0.0)),
            scores=None,
            contributions={},
        )
    )
    assert "No such span had an event over the last two years: quiet, or not covered by the data?" in plain(page)


def test_names_are_escaped():
    place = Units.of(["<img src=x> 100 km"], kind="place", latitude=[12.65], longitude=[-8.0], radius_km=[100.0])
    page = render_place(content(place=place))
    assert "<img" not in page
    assert "&lt;img src=x&gt;" in page


def test_simulated_events_are_told_first():
    assert "nothing on this page describes a real place" in plain(render_place(content(simulated=True)))
