"""Nothing after an origin tells: not of the outlook, not of its history, not of the map learned from it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import gzip
import hashlib
import json
from shutil import copytree

import pandas as pd
import pytest

from forecast.events.record import Batch, event_frame
from forecast.jobs.ingest import event_store
from forecast.jobs.place import place_outlook
from forecast.workspace import open_workspace

ORIGIN = dt.date(2000, 9, 2)  # a Saturday, four weeks before the data end


def outlook(folder, where="Town 1", as_of=ORIGIN):
    """Return all that is told, the page's place left out, in a form in which what is not known equals itself."""
    found = dataclasses.asdict(place_outlook(open_workspace(folder), where, 100, weeks=2, as_of=as_of, workers=1))
    del found["page"]
    return json.dumps(found)


def rewritten(folder, name, change):
    """Change a table of the simulated dataset and make its hash right."""
    data = folder / "data" / "simulated-poisson"
    package = json.loads((data / "datapackage.json").read_text(encoding="utf-8"))
    (resource,) = [item for item in package["resources"] if item["name"] == name]
    path = data / resource["path"]
    text = change(pd.read_csv(path)).to_csv(index=False, lineterminator="\n").encode()
    content = gzip.compress(text, mtime=0) if path.suffix == ".gz" else text
    path.write_bytes(content)
    resource["hash"] = "sha256:" + hashlib.sha256(content).hexdigest()
    resource["bytes"] = len(content)
    (data / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")


def test_altered_events_and_counts_after_the_origin_change_nothing(workspace):
    before = outlook(workspace)
    told = json.loads(before)
    assert len(told["models"]) == 3
    assert len(told["history"]) > 20
    assert told["recalibrated"]
    assert 0 < told["probability"] < 1
    assert told["probability"] != told["probability_raw"]

    def more(table):
        late = pd.to_datetime(table["week"]) >= pd.Timestamp(ORIGIN)
        assert late.any()
        return table.assign(events=table["events"] + 9 * late)

    def onto_the_town(table):
        late = pd.to_datetime(table["date"]) >= pd.Timestamp(ORIGIN)
        assert late.any()
        return table.assign(
            latitude=table["latitude"].where(~late, -0.5), longitude=table["longitude"].where(~late, -124.5)
        )

    rewritten(workspace, "events", onto_the_town)
    for name in ("region_weeks", "place_weeks"):
        rewritten(workspace, name, more)
    assert outlook(workspace) == before
    later = json.loads(outlook(workspace, as_of=ORIGIN + dt.timedelta(days=21)))
    assert later["history"][-1]["probability"] != told["history"][-1]["probability"]  # the change was there to be seen


@pytest.fixture
def stored(workspace):
    """The small workspace with an event store of its own, of which an import became known each week."""
    path = workspace / "forecast.toml"
    text = path.read_text(encoding="utf-8")
    regions = workspace / "data" / "simulated-poisson" / "regions.geojson"
    copytree(regions.parent, workspace / "data" / "polygons")
    text = text.replace('set = "simulated-poisson"', 'store = "own"\nregions = "data/polygons/regions.geojson"')
    head, *places = text.split("[[places]]")
    rest = "[[escalations]]" + places[-1].split("[[escalations]]", 1)[1]
    towns = pd.read_csv(regions.parent / "places.csv")
    mine = "".join(
        f'[[places]]\nname = "{row.place}"\nlatitude = {row.latitude}\nlongitude = {row.longitude}\nradius_km = 100\n\n'
        for row in towns.itertuples()
    )
    path.write_text(head + mine + rest, encoding="utf-8")
    events = pd.read_csv(regions.parent / "events.csv", parse_dates=["date"])
    for day in pd.date_range("2000-02-05", "2000-09-30", freq="14D"):
        put(workspace, day.date(), events[events["date"] < day])
    return workspace


def put(folder, day, events):
    days = events["date"].astype("datetime64[s]").reset_index(drop=True)
    frame = event_frame(
        {
            "event_id": events["event_id"].tolist(),
            "source": ["own"] * len(events),
            "date": days,
            "date_start": days,
            "latitude": events["latitude"].tolist(),
            "longitude": events["longitude"].tolist(),
            "place_precision": ["point"] * len(events),
        }
    )
    return event_store(folder).add([Batch(frame, len(frame))], source="own", known_at=day, input_hash="ef" * 32)


def test_a_later_vintage_changes_nothing(stored):
    """Corrections that became known after the day, also of weeks long before it."""
    day = dt.date(2000, 9, 30)
    before = outlook(stored, as_of=day)
    assert len(json.loads(before)["models"]) == 3
    assert len(json.loads(before)["history"]) > 15
    events = pd.read_csv(stored / "data" / "polygons" / "events.csv", parse_dates=["date"])
    moved = events.assign(latitude=-0.5, longitude=-124.5)
    planted = moved.assign(event_id="planted " + moved["event_id"])
    put(stored, dt.date(2000, 10, 7), pd.concat([moved, planted], ignore_index=True))
    assert outlook(stored, as_of=day) == before
    assert outlook(stored, as_of=dt.date(2000, 10, 8)) != before
