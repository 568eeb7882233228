"""A workspace that forecasts from its event store: what is counted, as known on a day, and what is said of the rest."""

from __future__ import annotations

import datetime as dt
import json
import re
from shutil import copytree, rmtree

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.events.checks.registry import EVENT_CHECKS
from forecast.events.record import Batch, event_frame
from forecast.jobs.check import check_workspace
from forecast.jobs.findings import stored_events
from forecast.jobs.ingest import event_store
from forecast.jobs.inputs import open_inputs, related_panels
from forecast.jobs.place import place_outlook
from forecast.jobs.run import run
from forecast.jobs.run_notes import untold_countries
from forecast.reference import reference_workspace
from forecast.workspace import open_workspace

FIRST = pd.Timestamp("2023-01-07")  # a Saturday
WEEKS = 40


def put(folder, day, rows, *, deleted=(), source="own", **columns):
    """Import rows of (id, day number, longitude, precision of place)."""
    days = pd.Series([FIRST + pd.Timedelta(days=number) for _, number, *_ in rows], dtype="datetime64[s]")
    frame = event_frame(
        {
            "event_id": [row[0] for row in rows],
            "source": [source] * len(rows),
            "date": days,
            "date_start": days,
            "latitude": [None if row[2] is None else 0.5 for row in rows],
            "longitude": [row[2] for row in rows],
            "place_precision": [row[3] for row in rows],
            "fatalities": [2] * len(rows),
            **columns,
        }
    )
    batch = Batch(frame, len(frame), deleted=tuple(deleted))
    return event_store(folder).add([batch], source=source, known_at=day, input_hash="ef" * 32)


def square(column, **properties):
    ring = [[column, 0], [column + 1, 0], [column + 1, 1], [column, 1], [column, 0]]
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": [ring]}}


@pytest.fixture
def stored(workspace):
    """The small workspace, turned to an event store with two regions and one place."""
    features = [square(0, region="West", country="Simulia"), square(1, region="East", country="Simulia")]
    (workspace / "data" / "regions.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features}), encoding="utf-8"
    )
    path = workspace / "forecast.toml"
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^set = .*$", 'store = "own"\nregions = "data/regions.geojson"', text, flags=re.M)
    text = re.sub(r"^calibrate_on = .*$", "", text, flags=re.M)
    text = re.sub(r"\[regions\].*?(?=\[\[escalations\]\])", "", text, count=1, flags=re.S)
    text = '[[places]]\nname = "Middle"\nlatitude = 0.5\nlongitude = 0.9\nradius_km = 50\n\n' + text
    head, _, rest = text.partition("title = ")
    title, _, rest = rest.partition("\n")
    path.write_text(f"title = {title}\n{head}{rest}", encoding="utf-8")
    rng = np.random.default_rng(4)
    rows = [
        (f"{week}-{number}", 7 * week + int(rng.integers(0, 7)), float(rng.uniform(0, 2)), "point")
        for week in range(WEEKS)
        for number in range(rng.poisson(4))
    ]
    rows += [("first", 0, 0.2, "point"), ("last", 7 * WEEKS - 1, 0.2, "point")]
    put(workspace, dt.date(2023, 10, 20), rows)
    return workspace


def test_counts_are_those_of_the_day(stored):
    put(stored, dt.date(2023, 11, 1), [("late", 3, 1.5, "near")], deleted=["last"])
    spec = open_workspace(stored)
    before, after = open_inputs(spec, dt.date(2023, 10, 31)), open_inputs(spec, dt.date(2023, 11, 1))
    assert before.regions.units.names == ("West", "East")
    assert before.regions.units.groups == ("Simulia", "Simulia")
    assert before.regions.neighbours.border_km.nnz == 2  # each of the two with the other
    assert len(before.regions.weeks) == WEEKS
    change = after.regions.counts - before.regions.counts
    assert change[0].tolist() == [0, 1]
    assert change[-1].tolist() == [-1, 0]
    assert np.abs(change).sum() == 2
    assert open_inputs(spec).regions.counts.tolist() == after.regions.counts.tolist()
    assert after.vintages
    assert set(before.hashes) < set(after.hashes)


def test_regions_and_places_count_only_what_they_can(stored):
    spec = open_workspace(stored)
    old = open_inputs(spec)
    rows = [
        ("no point", 3, None, "country"),
        ("centroid", 3, 0.9, "country"),
        ("road", 3, 0.9, "area"),
        ("far", 3, 7.5, "point"),
    ]
    put(stored, dt.date(2023, 10, 21), [*rows, ("close", 3, 0.95, "near")])
    new = open_inputs(spec)
    assert (new.regions.counts - old.regions.counts)[0].tolist() == [2, 0]
    assert (new.panels["place"].counts - old.panels["place"].counts)[0].tolist() == [1]
    assert new.panels["place"].units.groups == ("Simulia",)
    limits = " ".join(new.note.limits)
    assert "2 events of these countries without a usable point" in limits
    assert "1 event in none of the regions" in limits
    assert "usable point" not in " ".join(old.note.limits)


def test_only_whole_weeks_that_are_covered_are_counted(stored):
    put(stored, dt.date(2023, 10, 25), [("in the middle of a week", 7 * WEEKS + 4, 0.5, "point")])
    panel = open_inputs(open_workspace(stored)).regions
    assert panel.known_until == FIRST + pd.Timedelta(days=7 * WEEKS - 1)


def test_first_week_and_measure(stored, edit):
    edit('store = "own"', 'store = "own"\nfirst_week = 2023-02-01\nmeasure = "fatalities"')
    inputs = open_inputs(open_workspace(stored))
    assert inputs.regions.weeks[0] == pd.Timestamp("2023-01-28")
    assert (inputs.regions.counts % 2 == 0).all()
    assert inputs.regions.counts.sum() > 0


def test_a_run_starts_where_the_knowledge_of_the_day_ends(stored):
    done = run(open_workspace(stored), dt.date(2023, 11, 20), workers=1)
    assert done.content.origin == FIRST + pd.Timedelta(days=7 * WEEKS)
    assert done.content.provenance["data"]["vintage"] == "0001-own-efefefef, known at 2023-10-20, until 2023-10-13"
    assert "data/events/0001-own-efefefef.parquet" in done.content.provenance["inputs"]
    sentence = "as it was known at 12 of 22 origins; for the others, as first imported more than 91 days later"
    assert sentence in (done.folder / "index.html").read_text(encoding="utf-8")


def test_a_planted_later_correction_changes_no_run_of_an_earlier_day(stored):
    first = run(open_workspace(stored), dt.date(2023, 10, 20), workers=1)
    risks = (first.folder / "risk.csv").read_bytes()
    put(stored, dt.date(2023, 10, 30), [(f"planted {number}", 270, 0.5, "point") for number in range(99)])
    again = run(open_workspace(stored), dt.date(2023, 10, 20), workers=1)
    assert (again.folder / "risk.csv").read_bytes() == risks
    assert again.content.provenance == first.content.provenance
    assert open_inputs(open_workspace(stored)).regions.counts.sum() > again.content.panels["region"].counts.sum()


def test_a_day_before_the_first_vintage_is_refused(stored):
    with pytest.raises(InputError, match="nothing was known of 'own' on 2023-10-19"):
        open_inputs(open_workspace(stored), dt.date(2023, 10, 19))


def test_the_check_works_on_a_store(stored):
    checks = {item.name: item for item in check_workspace(open_workspace(stored), dt.date(2023, 10, 21))}
    assert checks["data"].status == "ok"
    assert f"{WEEKS} weeks from 2023-01-07" in checks["regions"].found


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('regions = "data/regions.geojson"', "", "belong together"),
        ('store = "own"', 'store = "own"\nset = "x"', "give either"),
        ('store = "own"', 'store = "ovn"', "unknown source 'ovn'"),
        ('store = "own"', 'store = "own"\nmeasure = "deaths"', "unknown measure 'deaths'"),
        ('regions = "data/regions.geojson"', 'regions = "data/none.geojson"', "no file none.geojson"),
        ("latitude = 0.5\n", "", "latitude and longitude belong together"),
        ("latitude = 0.5\nlongitude = 0.9\n", "", "where 'Middle' lies is not known"),
        ("[[places]]", '[regions]\nnames = ["Wets"]\n\n[[places]]', "unknown region 'Wets'"),
        ("[[places]]", '[regions]\ncountries = ["Simula"]\n\n[[places]]', "unknown country 'Simula'"),
    ],
)
def test_what_does_not_fit_is_named(stored, edit, old, new, message):
    edit(old, new)
    with pytest.raises(InputError, match=message):
        open_inputs(open_workspace(stored))


def test_check_runs_the_checks_of_events_on_the_store(stored):
    day = dt.date(2023, 11, 1)
    put(stored, day, [("one", 3, 0.25, "point"), ("again", 3, 0.25, "point")])
    found = {check.name: check for check in check_workspace(open_workspace(stored), day)}
    assert set(EVENT_CHECKS) <= set(found)
    assert "again" in found["duplicate"].found


def outlook(folder, where, radius_km=50, **options):
    return place_outlook(open_workspace(folder), where, radius_km, history=False, workers=1, **options)


def test_the_outlook_for_a_point_is_that_of_the_same_place(stored):
    named, point = outlook(stored, "Middle"), outlook(stored, "0.5, 0.9")
    assert (named.place, point.place) == ("Middle 50 km", "0.5,0.9 50 km")
    assert point.base_rate_all == named.base_rate_all
    assert point.mean == pytest.approx(named.mean, rel=0.2)
    assert named.origin == "2023-10-14"
    assert outlook(stored, "Middle", 100).base_rate_all >= named.base_rate_all


def test_the_outlook_sees_only_what_was_known_that_day(stored):
    before = outlook(stored, "0.5,0.9", as_of=dt.date(2023, 10, 20))
    put(stored, dt.date(2023, 10, 30), [(f"planted {number}", 270, 0.9, "point") for number in range(99)])
    assert outlook(stored, "0.5,0.9", as_of=dt.date(2023, 10, 20)) == before
    assert outlook(stored, "0.5,0.9").mean > before.mean


def test_a_town_of_a_dataset_that_the_workspace_names_needs_no_coordinates(stored, edit):
    edit('store = "own"', 'store = "own"\ncalibrate_on = ["west-africa-weekly"]')
    copytree(reference_workspace() / "data" / "west-africa-weekly", stored / "data" / "west-africa-weekly")
    with pytest.raises(InputError, match="the data tell nothing of Bamako 50 km"):  # known, and far from all regions
        outlook(stored, "Bamako")
    with pytest.raises(InputError, match=r"where 'Bamaku' lies(.|\n)*Bamako"):
        outlook(stored, "Bamaku")


def two_countries(stored):
    """Give East a country of its own; both have events until the end, each country from imports of its own."""
    path = stored / "data" / "regions.geojson"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["features"][1]["properties"]["country"] = "Orient"
    path.write_text(json.dumps(content), encoding="utf-8")
    rmtree(stored / "data" / "events")
    weekly = [(f"w{number}", number, 0.5, "point") for number in range(0, 7 * WEEKS, 3)]
    put(stored, dt.date(2023, 11, 1), weekly, country=["Simulia"] * len(weekly))


def test_an_import_tells_only_of_its_own_countries(stored):
    two_countries(stored)
    both = [("a", 7 * WEEKS + 1, 0.5, "point"), ("b", 7 * WEEKS + 2, 1.5, "point"), ("c", 7 * WEEKS + 20, 0.5, "point")]
    put(stored, dt.date(2023, 12, 1), both, country=["Simulia", "Orient", "Simulia"])
    inputs = open_inputs(open_workspace(stored))
    panel = inputs.regions
    west, east = (panel.units.index(name) for name in ("West", "East"))
    assert panel.observed[:, west].all()
    assert not panel.observed[:WEEKS, east].any()  # nothing was known of it, which is not peace
    assert panel.observed[WEEKS:, east].any()


def test_a_run_warns_of_a_country_that_the_last_import_leaves_out(stored):
    two_countries(stored)
    first = [("b", 100, 1.5, "point"), ("d", 160, 1.5, "point")]
    put(stored, dt.date(2023, 11, 2), first, country=["Orient"] * 2)
    told = untold_countries(open_inputs(open_workspace(stored)))
    assert len(told) == 1
    assert "no import tells of Orient after 2023-06-" in told[0]


def test_countries_of_which_no_import_tells_are_refused(stored):
    two_countries(stored)
    path = stored / "forecast.toml"
    path.write_text(path.read_text() + '\n[regions]\ncountries = ["Orient"]\n', encoding="utf-8")
    with pytest.raises(InputError, match="no import of 'own' tells of Orient"):
        open_inputs(open_workspace(stored))


def test_a_place_that_nobody_knows_is_refused(stored):
    with pytest.raises(InputError, match=r"where 'Midle' lies is not known(.|\n)*Middle(.|\n)*LAT,LON"):
        outlook(stored, "Midle")
    with pytest.raises(InputError, match="off the globe"):
        outlook(stored, "95,0.9")


def test_weeks_that_no_import_tells_of_are_unknown(stored):
    later = 7 * (WEEKS + 20)
    rows = [(f"later {number}", later + number, 0.5, "point") for number in range(21)]
    put(stored, dt.date(2024, 4, 1), rows)
    workspace = open_workspace(stored)
    inputs = open_inputs(workspace)
    panel = inputs.regions
    assert len(panel.weeks) == WEEKS + 23
    assert panel.observed[:WEEKS].all()
    assert not panel.observed[WEEKS : WEEKS + 20].any()
    assert panel.observed[WEEKS + 20 :].all()
    assert "not without events: 20 weeks from 2023-10-14 to 2024-03-01." in " ".join(inputs.note.limits)
    done = run(workspace, workers=1)
    assert any(text.startswith("missing_weeks: ") for text in done.warnings)


def test_events_of_other_countries_and_those_in_no_region_are_told_apart(stored):
    rows = [("abroad", 3, 1.9, "point"), ("no point abroad", 3, None, "country"), ("lost", 3, 7.5, "point")]
    put(stored, dt.date(2023, 11, 1), rows, country=["Elsewhere", "Elsewhere", "Simulia"])
    limits = open_inputs(open_workspace(stored)).note.limits
    assert "1 event in none of the regions: not counted in any." in limits
    assert "2 events of other countries or of regions that are not forecast: not counted in any region." in limits
    assert not any("without a usable point" in limit for limit in limits)


def test_events_near_a_place_that_are_too_vague_are_counted_in_words(stored):
    put(stored, dt.date(2023, 11, 1), [("vague", 3, 0.9, "district"), ("far and vague", 3, 1.9, "district")])
    (told,) = (limit for limit in open_inputs(open_workspace(stored)).note.limits if limit.startswith("Around places"))
    assert told.endswith("about 25 km or better are counted; 1 other within the radius is not.")


@pytest.mark.parametrize(("release", "preliminary"), [("26.0.7", True), ("25.1", False), (None, False)])
def test_candidate_events_are_preliminary(stored, edit, release, preliminary):
    edit('store = "own"', 'store = "ucdp"')
    rows = [(f"{number}", number, 0.5, "point") for number in range(280)]
    put(stored, dt.date(2023, 10, 20), rows, source="ucdp", release=[release] * len(rows))
    done = run(open_workspace(stored), workers=1)
    assert done.content.provenance["data"]["preliminary"] is preliminary
    assert ("Preliminary data:" in (done.folder / "index.html").read_text(encoding="utf-8")) is preliminary


def test_weeks_that_are_not_covered_whole_are_unknown(stored, edit):
    edit('store = "own"', 'store = "late"')
    first = [
        (f"{number}", 3 + number, 0.5, "point") for number in range(72)
    ]  # Tuesday of week 0 to Thursday of week 10
    later = [(f"later {number}", 17 * 7 + 2 + number, 0.5, "point") for number in range(40)]  # from Monday of week 17
    put(stored, dt.date(2023, 3, 25), first, source="late")
    put(stored, dt.date(2023, 7, 1), later, source="late")
    panel = open_inputs(open_workspace(stored)).regions
    assert panel.weeks[0] == FIRST + pd.Timedelta(weeks=1)
    known = panel.observed.all(axis=1)
    assert panel.weeks[~known].tolist() == list(pd.date_range(FIRST + pd.Timedelta(weeks=10), periods=8, freq="7D"))
    assert (panel.counts[known].sum(axis=1) == 7).all()
    told = open_inputs(open_workspace(stored)).note
    partial = len(first) + len(later) - panel.counts.sum()
    assert f"{partial} events in weeks that are not covered whole: not counted." in told.limits
    assert told.description.startswith(f"{len(first) + len(later)} events ")


def test_a_single_month_that_nobody_imported_is_a_gap(stored, edit):
    edit('store = "own"', 'store = "monthly"')
    january, march = [(f"{number}", number, 0.5, "point") for number in range(25)], range(53, 84)
    put(stored, dt.date(2023, 2, 20), january, source="monthly")
    put(stored, dt.date(2023, 4, 20), [(f"{number}", number, 0.5, "point") for number in march], source="monthly")
    panel = open_inputs(open_workspace(stored)).regions
    assert panel.weeks[~panel.observed.all(axis=1)][[0, -1]].tolist() == [
        pd.Timestamp("2023-01-28"),
        pd.Timestamp("2023-02-25"),
    ]


def test_origins_of_which_no_week_is_known_are_not_counted_in_the_record(stored):
    later = 7 * (WEEKS + 20)
    put(stored, dt.date(2024, 4, 1), [(f"later {number}", later + number, 0.5, "point") for number in range(21)])
    (record,) = run(open_workspace(stored), workers=1).content.backtests
    origins = record.forecasts["origin"].drop_duplicates()
    gap = pd.date_range(FIRST + pd.Timedelta(weeks=WEEKS), periods=20, freq="7D")
    assert not origins.isin(gap).any()
    assert set(origins) == set(record.scores["origin"])
    assert f"of {len(origins)} origins" in record.known_as


def test_a_dataset_of_the_same_country_is_found_whatever_the_spelling(stored, edit):
    edit('store = "own"', 'store = "own"\ncalibrate_on = ["west-africa-weekly"]')
    copytree(reference_workspace() / "data" / "west-africa-weekly", stored / "data" / "west-africa-weekly")
    path = stored / "data" / "regions.geojson"
    path.write_text(path.read_text(encoding="utf-8").replace("Simulia", "MALI"), encoding="utf-8")
    workspace = open_workspace(stored)
    related = related_panels(workspace, "west-africa-weekly", open_inputs(workspace).panels)
    assert set(related["region"].units.groups) == {"Mali"}


def test_named_regions_of_a_dataset_are_found_whatever_the_spelling(stored, edit):
    edit('store = "own"', 'store = "own"\ncalibrate_on = ["west-africa-weekly"]')
    edit("[[places]]", '[regions]\nnames = ["Timbuktu region", "SEGOU"]\n\n[[places]]')
    copytree(reference_workspace() / "data" / "west-africa-weekly", stored / "data" / "west-africa-weekly")
    path = stored / "data" / "regions.geojson"
    text = path.read_text(encoding="utf-8").replace("Simulia", "MALI")
    path.write_text(text.replace('"West"', '"Timbuktu region"').replace('"East"', '"SEGOU"'), encoding="utf-8")
    workspace = open_workspace(stored)
    related = related_panels(workspace, "west-africa-weekly", open_inputs(workspace).panels)
    assert set(related["region"].units.names) == {"Mali/Ségou", "Mali/Tombouctou"}


def test_what_imports_flagged_is_counted_of_all_countries(stored):
    before = stored_events(open_workspace(stored), open_inputs(open_workspace(stored)).regions_file)
    put(stored, dt.date(2023, 11, 1), [("abroad", 3, 1.9, "point")], country=["Elsewhere"], treatment=["flagged"])
    after = stored_events(open_workspace(stored), open_inputs(open_workspace(stored)).regions_file)
    assert len(after.frame) == len(before.frame)
    assert f"Of {len(before.frame) + 1} events 1 are flagged" in after.as_imported()
