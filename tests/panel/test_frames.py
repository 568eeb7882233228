"""Frames of a country are kept apart by date, and compared by area."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import os
from pathlib import Path

import numpy as np
import pytest
import shapely

from forecast.errors import InputError
from forecast.panel.frames import Frame, crosswalk, frame_on
from forecast.panel.polygons import Polygons, polygons_from_geojson

NONE = Polygons((), ())
OLD = Frame("until 2025", NONE, valid_to=dt.date(2025, 7, 1))
NEW = Frame("from 2025", NONE, valid_from=dt.date(2025, 7, 2))


def test_a_day_has_one_frame():
    assert frame_on([OLD, NEW], dt.date(2025, 7, 1)) is OLD
    assert frame_on([OLD, NEW], dt.date(2025, 7, 2)) is NEW
    with pytest.raises(InputError, match=r"2 frames were in force on 2020-01-01(.|\n)*'until 2025', 'always'"):
        frame_on([OLD, NEW, Frame("always", NONE)], dt.date(2020, 1, 1))
    with pytest.raises(InputError, match=r"no frame was in force on 2020-01-01(.|\n)*'from 2025'"):
        frame_on([NEW], dt.date(2020, 1, 1))
    with pytest.raises(InputError, match="before it begins"):
        Frame("x", NONE, valid_from=dt.date(2025, 1, 2), valid_to=dt.date(2025, 1, 1))


def test_areas_are_those_on_the_sphere():
    whole = Frame("globe", Polygons(("N", "S"), (shapely.box(-180, 0, 180, 90), shapely.box(-180, -90, 180, 0))))
    north = Frame("cap", Polygons(("beyond 30",), (shapely.box(-180, 30, 180, 90),)))
    walk = crosswalk(whole, north)
    assert walk.old_km2.sum() == pytest.approx(510_065_000, rel=1e-3)
    np.testing.assert_allclose(walk.share(), [[0.5], [0.0]], atol=1e-9)  # the cap beyond 30 degrees is half of it
    assert walk.table().to_dict("records") == [
        {"old": "N", "new": "beyond 30", "area_km2": pytest.approx(walk.new_km2[0], abs=0.1),
         "share_of_old": 0.5, "share_of_new": 1.0}
    ]  # fmt: skip


def test_empty_frames():
    assert crosswalk(OLD, NEW).share().shape == (0, 0)
    assert crosswalk(OLD, NEW).table().empty


def test_provinces_of_burkina_faso_make_up_its_regions():
    folder = os.environ.get("ESCALATION_FORECAST_SOURCES")
    if not folder:
        pytest.skip("ESCALATION_FORECAST_SOURCES does not name the folder of the source event files")

    def frame(file: str, name: str) -> tuple[Frame, dict[str, str]]:
        content = json.loads(gzip.decompress((Path(folder) / file).read_bytes()))
        rows = [item for item in content["features"] if item["properties"]["country"] == "Burkina Faso"]
        region_of = {item["properties"][name]: item["properties"]["adm1"] for item in rows}
        return Frame(name, polygons_from_geojson({"features": rows}, name)), region_of

    regions, _ = frame("adm1_west_africa_naturalearth.geojson.gz", "adm1")
    provinces, region_of = frame("adm2_burkina_faso_naturalearth.geojson.gz", "adm2")
    walk = crosswalk(provinces, regions)
    assert walk.old_km2.sum() == pytest.approx(274_000, rel=0.01)
    share = walk.share()
    assert [walk.new[at] for at in share.argmax(axis=1)] == [region_of[name] for name in walk.old]
    assert share.max(axis=1).min() > 0.99
    np.testing.assert_allclose(walk.area_km2.sum(axis=0), walk.new_km2, rtol=0.01)
    assert len(walk.table()) == 45
