"""Each check of events finds what was planted, names it, and is quiet otherwise."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from forecast.errors import InputError
from forecast.events.checks.context import CheckContext, Outlines
from forecast.events.checks.dates import pile_up_probability
from forecast.events.checks.finding import MOST_EXAMPLES, SEVERITIES
from forecast.events.checks.registry import EVENT_CHECKS, run_checks
from forecast.events.record import event_frame

ROOT = Path(__file__).parents[2]
KNOWN_AT = pd.Timestamp("2026-07-31")
OUTLINES = Outlines.of_keys(
    ["Mali/Ségou", "Mali/Kayes", "Niger/Tahoua"],
    [shapely.box(-7, 12, -4, 16), shapely.box(-12, 12, -7, 15), shapely.box(2, 12, 10, 16)],
)


def events(**columns: object) -> pd.DataFrame:
    """Return plain events in Ségou, a week apart from each other, with these columns changed."""
    count = max((len(v) for v in columns.values() if isinstance(v, list)), default=1)
    days = [KNOWN_AT - pd.Timedelta(days=7 * i + 3) for i in range(count)]
    given = {
        "event_id": [str(100 + i) for i in range(count)],
        "source": "ucdp",
        "date": days,
        "date_start": days,
        "date_end": columns.get("date_start", days),
        "date_precision": "day",
        "latitude": [13.1 + 0.1 * (i % 20) for i in range(count)],
        "longitude": [-6.9 + 0.1 * (i // 20) for i in range(count)],
        "place_precision": "point",
        "country": "Mali",
        "admin1": "Segou region",
        "event_type": "state-based",
        "fatalities": 3,
        "fatalities_low": 1,
        "fatalities_high": 5,
    }
    return event_frame({**given, **columns})


def found(frame: pd.DataFrame, context: CheckContext | None = None) -> dict[str, list[str]]:
    """Return the texts of all findings by check."""
    texts: dict[str, list[str]] = {}
    for item in run_checks(frame, context or CheckContext(KNOWN_AT, OUTLINES)):
        texts.setdefault(item.check.name, []).append(item.text())
    return texts


def test_nothing_is_found_in_plain_events():
    assert found(events(fatalities=[3] * 60)) == {}
    assert run_checks(events().head(0)) == []


def test_the_same_event_twice():
    day = pd.Timestamp("2026-05-05")
    twice = events(date_start=[day, day, day, day], latitude=[13.5, 13.5, 13.5, 13.5], fatalities=[3, 3, 4, 3])
    twice.loc[3, "event_type"] = "one-sided"
    assert found(twice) == {
        "duplicate": [
            "2 events in 1 group with the same day, point, type and deaths: up to 1 may be repeats. It is 100 = 101."
        ]
    }


def test_unknown_deaths_are_the_same_as_each_other():
    day = pd.Timestamp("2026-05-05")
    twice = events(date_start=[day, day], latitude=[13.5, 13.5], fatalities=[None, None])
    assert "duplicate" in found(twice)


@pytest.mark.parametrize("column", ["place_precision", "date_precision"])
def test_vague_events_are_not_called_duplicates(column):
    day = pd.Timestamp("2026-05-05")
    vague = {"place_precision": "region", "date_precision": "month"}[column]
    assert found(events(date_start=[day, day], latitude=[13.5, 13.5], **{column: vague})) == {}
    one_of_two = events(date_start=[day, day], latitude=[13.5, 13.5], **{column: [vague, None]})
    assert found(one_of_two) == {}


@pytest.mark.parametrize(("metres", "near"), [(300, True), (990, True), (1010, False)])
def test_events_within_a_kilometre(metres, near):
    day = pd.Timestamp("2026-05-05")
    step = metres / 111_195
    pair = events(date_start=[day, day], latitude=[13.5, 13.5 + step], longitude=[-5.0, -5.0])
    assert found(pair).get("near_duplicate", []) == (
        ["1 pair of events with the same day, type and deaths at most 1 km apart. It is 100 and 101."] if near else []
    )
    pair.loc[1, "fatalities"] = 4
    assert found(pair) == {}


def test_impossible_dates():
    frame = events(fatalities=[3] * 6)
    frame.loc[0, "date_end"] = frame.loc[0, "date_start"] - pd.Timedelta(days=1)
    frame.loc[1, ["date_start", "date_end", "date"]] = KNOWN_AT + pd.Timedelta(days=1)
    frame.loc[2, ["date_start", "date_end", "date"]] = pd.Timestamp("1899-12-31")
    frame.loc[3, "reported"] = frame.loc[3, "date_start"] - pd.Timedelta(days=366)
    frame.loc[4, ["date_start", "date_end", "date"]] = pd.NaT
    texts = found(frame)["impossible_date"]
    assert [text.partition(". ")[0] for text in texts] == [
        "1 event without a date",
        "1 event with an end before the start",
        "1 event before the year 1900",
        "1 event after 2026-07-31, when the data were known",
        "1 event reported before they happened",
    ]
    assert ["ucdp 104" in texts[0], "ucdp 100" in texts[1], "ucdp 102" in texts[2]] == [True] * 3
    assert ["ucdp 101" in texts[3], "ucdp 103" in texts[4]] == [True] * 2


def test_deaths_out_of_order():
    frame = events(fatalities_low=[5, 1, None, 1, 0], fatalities=[3, 6, 3, 3, None], fatalities_high=[9, 5, 2, 3, 1])
    (text,) = found(frame)["deaths_order"]
    assert text == (
        "3 events with estimates of deaths out of order. They are ucdp 100 (low 5, best 3, high 9); "
        "ucdp 101 (low 1, best 6, high 5); ucdp 102 (low unknown, best 3, high 2)."
    )


@pytest.mark.parametrize(
    ("latitude", "longitude", "admin1", "told"),
    [
        (13.0, 8.8, "Kayes region", "the other sign of the longitude would put it into Kayes"),
        (-13.0, -5.0, None, "the other sign of the latitude would put it into Ségou"),
        (-5.0, 13.0, "Ségou", "an exchange of latitude and longitude would put it into Ségou"),
        (5.0, 13.0, "Ségou", "an exchange and then the other sign of the longitude would put it into Ségou"),
        (13.0, 40.0, None, "km outside."),
    ],
)
def test_points_outside_the_country(latitude, longitude, admin1, told):
    frame = events(latitude=[latitude, 13.0], longitude=[longitude, -5.0], admin1=[admin1 or "Ségou", "Ségou"])
    (text,) = found(frame)["outside_country"]
    assert "ucdp 100" in text
    assert told in text


def test_the_repair_that_leads_into_the_stated_region_comes_first():
    square = Outlines.of_keys(["X/West", "X/South"], [shapely.box(-9, 4, -4, 9), shapely.box(4, -9, 9, -4)])
    for region in ("West", "South"):
        frame = events(latitude=[5.0], longitude=[6.0], country="X", admin1=region)
        (text,) = found(frame, CheckContext(outlines=square))["outside_country"]
        assert f"would put it into {region} " in text


def test_distances_outside_and_the_tolerance_at_borders():
    north = np.array([16.04, 16.06, 18.0])
    frame = events(latitude=north.tolist(), longitude=[-5.0] * 3)
    (item,) = [i for i in run_checks(frame, CheckContext(outlines=OUTLINES)) if i.check.name == "outside_country"]
    assert item.count == 2
    assert item.message == "2 events more than 5 km outside Mali, up to 222 km."


def test_points_off_the_globe_are_errors():
    (item,) = run_checks(events(latitude=[113.0], longitude=[5.0]), CheckContext(outlines=OUTLINES))
    assert (item.severity, item.message) == ("error", "1 event off the globe.")


def test_centroids():
    centre = events(latitude=[14.0] * 6, longitude=[-5.5] * 6)
    (text,) = found(centre)["centroid"]
    assert text.endswith("It is 14, -5.5 (6, centroid of Ségou).")
    assert "centroid" not in found(centre.assign(place_precision="region").astype({"place_precision": "string"}))
    assert "centroid" not in found(centre.head(4))


def test_many_events_far_from_any_town():
    point = events(latitude=[13.0] * 10, longitude=[-6.0] * 10)
    near, far = np.array([[13.05, -6.0]]), np.array([[13.5, -6.0]])
    assert "centroid" not in found(point, CheckContext(towns=near))
    (text,) = found(point, CheckContext(towns=far))["centroid"]
    assert "13, -6 (10, no town within 10 km)" in text


def test_unknown_types():
    frame = events(event_type=["state-based", "State-based conflict", "3", "skirmish", "skirmish", None])
    assert found(frame)["unknown_type"] == [
        "2 events of ucdp of 1 unknown type. It is 'skirmish' (2).",
        "1 event of ucdp without a type.",
    ]
    assert "unknown_type" not in found(events(event_type=["skirmish"], source="own table"))
    acled = events(event_type=["Explosions/Remote violence", "Battles", "Bataille"], source="acled")
    assert found(acled)["unknown_type"] == ["1 event of acled of 1 unknown type. It is 'Bataille' (1)."]


def test_unknown_regions():
    frame = events(admin1=["Ségou", "SEGOU Region", "Ménaka region", "Seggou", "Seggou", None])
    (text,) = found(frame)["unknown_region"]
    assert text == (
        "3 events in Mali are given to 2 regions that the polygons do not have. "
        "They are 'Ménaka region' (1 event); 'Seggou' (2 events), perhaps Ségou."
    )


def test_what_is_not_given():
    frame = events(latitude=[13.0 + 0.1 * i if i else None for i in range(20)], admin1=["Ségou"] * 18 + [None, None])
    items = [item for item in run_checks(frame) if item.check.name == "not_given"]
    assert [(item.severity, item.message) for item in items] == [
        ("warning", "2 events (10.0%) without a region: Mali 2."),
        ("note", "1 event (5.0%) without coordinates: Mali 1."),
    ]


def test_a_source_that_stopped():
    weeks = 80
    days = [KNOWN_AT - pd.Timedelta(days=7 * (i + 6)) for i in range(weeks)]
    frame = events(fatalities=[3] * weeks, date_start=days)
    assert found(frame)["silent_source"] == [
        "No event of ucdp in Mali since 2026-06-19, 6 weeks before 2026-07-31; the longest silence before was 0 weeks."
    ]
    assert "silent_source" not in found(frame, CheckContext(known_at=pd.Timestamp("2026-06-19")))
    released = CheckContext(KNOWN_AT, covers_until=pd.Timestamp("2026-06-19"))
    assert "silent_source" not in found(frame, released)  # what came after it is not told yet


def silent_alarms(sets: int) -> float:
    """Return the share of faultless sets of three countries in which a source seems to have stopped."""
    rng = np.random.default_rng(12)
    span = pd.date_range("2022-01-01", "2025-12-31").to_numpy()
    alarms = 0
    for number in range(sets):
        rate = 0.3 * rng.gamma((0.5, 2.0, 1e6)[number % 3], 1.0, (len(span), 1)) * rng.lognormal(0, 1, 3)
        counts = rng.poisson(rate / (0.5, 2.0, 1e6)[number % 3])
        day, country = np.repeat(np.indices(counts.shape).reshape(2, -1), counts.ravel(), axis=1)
        frame = events(date_start=list(span[day]), country=np.array(["Chad", "Mali", "Niger"])[country])
        alarms += bool(run_checks(frame, CheckContext(pd.Timestamp(span[-1])), only=["silent_source"]))
    return alarms / sets


@pytest.mark.slow
def test_false_alarms_of_silence_keep_the_level():
    assert silent_alarms(600) <= 0.01 + 2.6 * np.sqrt(0.01 / 600)


@pytest.mark.parametrize(("check", "day"), [("first_of_month", "MS"), ("first_of_year", "YS")])
def test_pile_ups_on_first_days(check, day):
    rng = np.random.default_rng(5)
    span = pd.date_range("2018-01-01", "2025-12-31")
    days = rng.choice(span, 1500)
    firsts = pd.date_range("2018-01-02", "2025-12-31", freq=day)
    firsts = firsts[firsts.month > 1] if day == "MS" else firsts
    piled = np.r_[days, rng.choice(firsts, 80)]
    for planted, expected in ((days, False), (piled, True)):
        frame = events(date_start=list(planted), fatalities=rng.integers(0, 1000, len(planted)).tolist())
        assert (check in found(frame, CheckContext())) == expected
    monthly = events(date_start=list(piled), date_precision="month")
    assert check not in found(monthly, CheckContext())


def test_the_probability_of_a_pile_up_is_the_binomial_one_for_single_events():
    daily, marked = np.zeros(400, int), np.arange(400) % 40 == 0
    daily[:80] = 1
    daily[[80, 120, 160, 200]] = 1  # 6 of the 10 marked days have an event, and 84 of all 400
    assert pile_up_probability(daily, marked) == pytest.approx(stats.binom.sf(5, 10, 84 / 400), rel=1e-9)
    assert pile_up_probability(np.zeros(400, int), marked) == 1.0


def false_alarms(sets: int, clustered: bool) -> float:
    """Return the share of faultless sets in which a pile-up is found."""
    rng = np.random.default_rng(11)
    span = pd.date_range("2022-01-01", "2025-12-31").to_numpy()
    alarms = 0
    for _ in range(sets):
        rate = rng.gamma(0.5, 2.0, len(span)) if clustered else np.ones(len(span))
        days = np.repeat(span, rng.poisson(0.4 * rate))
        frame = events(date_start=list(days), latitude=13.0)
        alarms += bool(run_checks(frame, only=["first_of_month", "first_of_year"]))
    return alarms / sets


@pytest.mark.parametrize("clustered", [False, True])
def test_pile_ups_are_rarely_found_where_there_are_none(clustered):
    assert false_alarms(30, clustered) <= 2 / 30


@pytest.mark.slow
@pytest.mark.parametrize("clustered", [False, True])
def test_false_alarms_of_pile_ups_keep_the_level(clustered):
    assert false_alarms(1000, clustered) <= 0.02  # two checks of 1 % each


def test_findings_are_ordered_counted_and_cut():
    frame = events(fatalities_low=[9] * 30)
    frame.loc[0, "latitude"] = 91.0
    items = run_checks(frame, CheckContext(KNOWN_AT, OUTLINES))
    severities = [SEVERITIES.index(item.severity) for item in items]
    assert severities == sorted(severities, reverse=True)
    (deaths,) = [item for item in items if item.check.name == "deaths_order"]
    assert (deaths.count, len(deaths.examples)) == (30, MOST_EXAMPLES)
    assert deaths.text().endswith("; and 10 more.")
    assert all(item.count >= 1 and item.message.endswith(".") for item in items)


DAY = pd.Timestamp("2026-05-05")
LONG_AGO = [KNOWN_AT - pd.Timedelta(days=7 * (i + 6)) for i in range(80)]
FIRSTS = [*pd.date_range("2024-01-01", "2025-12-31"), *([pd.Timestamp("2025-01-01")] * 30)]
PLANTED: dict[str, dict[str, object]] = {
    "duplicate": {"date_start": [DAY, DAY], "latitude": 13.5},
    "near_duplicate": {"date_start": [DAY, DAY], "latitude": [13.5, 13.505]},
    "impossible_date": {"date_start": [KNOWN_AT + pd.Timedelta(days=1)]},
    "first_of_month": {"date_start": FIRSTS[:731] + list(pd.date_range("2024-02-01", "2024-12-01", freq="MS")) * 8},
    "first_of_year": {"date_start": FIRSTS},
    "deaths_order": {"fatalities_low": 9},
    "outside_country": {"longitude": 6.5},
    "centroid": {"latitude": [14.0] * 5, "longitude": -5.5},
    "unknown_type": {"event_type": "riots"},
    "unknown_region": {"admin1": "Nowhere"},
    "not_given": {"latitude": [None]},
    "silent_source": {"date_start": LONG_AGO},
}
"""The smallest fault that each check finds; a check without one has no place in the registry."""


@pytest.mark.parametrize("name", EVENT_CHECKS)
def test_every_check_finds_what_it_is_for(name):
    planted = run_checks(events(**PLANTED[name]), CheckContext(KNOWN_AT, OUTLINES), only=[name])
    assert {item.check.name for item in planted} == {name}
    assert set(PLANTED) == set(EVENT_CHECKS)


def test_checks_are_chosen_by_name():
    frame = events(fatalities_low=[9] * 2, admin1="Nowhere")
    only = run_checks(frame, CheckContext(outlines=OUTLINES), only=["deaths_order"])
    assert [item.check.name for item in only] == ["deaths_order"]
    with pytest.raises(InputError, match="unknown check 'deaths_ordre'"):
        run_checks(frame, only=["deaths_ordre"])


def test_checks_change_nothing():
    frame = events(fatalities=[3] * 40, admin1="Nowhere", latitude=[14.0] * 40, longitude=[-5.5] * 40)
    before = frame.copy(deep=True)
    run_checks(frame, CheckContext(KNOWN_AT, OUTLINES))
    pd.testing.assert_frame_equal(frame, before)


def test_events_of_which_nothing_is_known():
    nothing = event_frame({"event_id": ["1", "2"]})
    assert {item.check.name for item in run_checks(nothing, CheckContext(KNOWN_AT, OUTLINES))} == {
        "impossible_date",
        "not_given",
    }


DAYS = st.none() | st.datetimes(pd.Timestamp("1000-01-01"), pd.Timestamp("2100-01-01")).map(lambda d: d.date())
DEGREES = st.none() | st.sampled_from([0.0, 13.0, -5.0, 91.0, 200.0, -0.0]) | st.floats(-400, 400)
NAMES = st.none() | st.sampled_from(["", "Mali", "Niger", "Ségou", "region", "\u0301", "/"]) | st.text(max_size=4)
ROWS = st.fixed_dictionaries(
    {
        **dict.fromkeys(["date", "date_start", "date_end", "reported"], DAYS),
        **dict.fromkeys(["latitude", "longitude"], DEGREES),
        **dict.fromkeys(["country", "admin1", "location", "event_type", "source"], NAMES),
        "place_precision": st.sampled_from(["point", "near", "region", None]),
        "date_precision": st.sampled_from(["day", "month", None]),
        **dict.fromkeys(["fatalities", "fatalities_low", "fatalities_high"], st.none() | st.integers(-3, 9)),
    }
)


@settings(max_examples=20, deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=12), st.integers(1, 3))
def test_whatever_the_events_are_the_checks_end(rows, repeats):
    frame = pd.concat([event_frame(pd.DataFrame(rows).assign(event_id="1"))] * repeats)  # the index repeats, too
    towns = np.array([[13.0, -5.0]])
    for item in run_checks(frame, CheckContext(KNOWN_AT, OUTLINES, towns)):
        assert item.check.name in EVENT_CHECKS
        assert item.count >= 1
        assert item.text().endswith(".")


def candidate_2026() -> pd.DataFrame:
    """Return the Candidate events of 2026 as canonical events."""
    folder = os.environ.get("ESCALATION_FORECAST_SOURCES")
    if not folder:
        pytest.skip("ESCALATION_FORECAST_SOURCES does not name the folder of the source event files")
    with gzip.open(Path(folder) / "ucdp_candidate_2026_sahel.csv.gz", "rt", encoding="utf-8") as file:
        rows = pd.read_csv(file)
    places = {1: "point", 2: "near", 3: "district", 4: "region", 5: "area", 6: "country", 7: "country"}
    days = {1: "day", 2: "week", 3: "week", 4: "month", 5: "year"}
    types = {1: "state-based", 2: "non-state", 3: "one-sided"}
    return event_frame(
        {
            "event_id": rows["id"].astype(str),
            "source": "ucdp",
            "date": rows["date_start"],
            "date_start": rows["date_start"],
            "date_end": rows["date_end"],
            "date_precision": rows["date_prec"].map(days),
            "latitude": rows["latitude"],
            "longitude": rows["longitude"],
            "place_precision": rows["where_prec"].map(places),
            "country": rows["country"],
            "admin1": rows["adm_1"],
            "location": rows["where_coordinates"],
            "event_type": rows["type_of_violence"].map(types),
            "fatalities": rows["best"],
            "fatalities_low": rows["low"],
            "fatalities_high": rows["high"],
            "reported": rows["source_date_first"],
        }
    )


def test_the_known_faults_of_the_candidate_events_of_2026_are_found_and_named():
    from forecast.panel.polygons import read_polygons

    frame = candidate_2026()
    polygons = read_polygons(ROOT / "data" / "sahel-2026-weekly" / "regions.geojson")
    outlines = Outlines.of_keys(polygons.names, polygons.shapes)
    items: dict[str, list] = {}
    for item in run_checks(frame, CheckContext(KNOWN_AT, outlines)):
        items.setdefault(item.check.name, []).append(item)

    (outside,) = items["outside_country"]
    assert outside.examples == (
        "ucdp 633589 at latitude 12.9606, longitude 8.80527, 613 km outside; the other sign of the longitude would "
        "put it into Kayes (latitude 12.9606, longitude -8.80527)",
    )
    (deaths,) = items["deaths_order"]
    assert {example.split()[1] for example in deaths.examples} == {
        *("630982", "622870", "622874", "636627", "620031", "620034", "620035")
    }
    burkina, mali = items["unknown_region"]
    assert burkina.message.startswith("400 events in Burkina Faso are given to 15 regions")
    assert {"Yaadga", "Kuilsé", "Goulmou", "Bankui", "Soum", "Sirba", "Liptako"} <= {
        example.split("'")[1].removesuffix(" region") for example in burkina.examples
    }
    assert mali.examples == ("'Ménaka region' (21 events)",)
    assert sum(item.count for item in items["impossible_date"]) == 4  # reported before they happened
    assert [item.message for item in items["not_given"]] == [
        "33 events (3.3%) without a region: Mali 17, Niger 9, Burkina Faso 7."
    ]
    assert set(items) <= set(EVENT_CHECKS)
    assert {"first_of_month", "first_of_year", "silent_source", "centroid", "unknown_type"}.isdisjoint(items)
