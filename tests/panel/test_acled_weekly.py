"""ACLED's weekly aggregated file; every row is simulated, none is ACLED's."""

from __future__ import annotations

import io
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.errors import ForecastError, InputError
from forecast.panel.acled_weekly import panel_from_acled_weekly

COLUMNS = [
    "week",
    "region",
    "country",
    "admin1",
    "disorder_type",
    "event_type",
    "sub_event_type",
    "events",
    "fatalities",
    "population_best",
    "centroid_longitude",
    "centroid_latitude",
]


def simulated(*changed):
    """Mali in three weeks, Niger from the second one on; a row for each change of a plain one."""
    plain = {
        "week": "2026-01-03",
        "region": "Simulated Africa",
        "country": "Mali",
        "admin1": "Mopti",
        "disorder_type": "Political violence",
        "event_type": "Battles",
        "sub_event_type": "Armed clash",
        "events": 1,
        "fatalities": 0,
        "population_best": 1000,
        "centroid_longitude": -4.2,
        "centroid_latitude": 14.5,
    }
    return pd.DataFrame([plain | row for row in changed], columns=COLUMNS)


GAO = {"admin1": "Gao", "centroid_longitude": -0.05, "centroid_latitude": 16.3, "population_best": 500}
DIFFA = {"country": "Niger", "admin1": "Diffa", "centroid_longitude": 12.6, "centroid_latitude": 13.3}
ROWS = (
    {"events": 2},
    {"events": 3, "event_type": "Protests", "sub_event_type": "Peaceful protest", "disorder_type": "Demonstrations"},
    {"week": "2026-01-17", "events": 4, "population_best": 1300},
    {"week": "2026-01-10", "events": 5} | GAO,
    {"week": "2026-01-10", "events": 6, "population_best": ""} | {**DIFFA},
    {"week": "2026-01-24", "events": 7, "population_best": 300} | {**DIFFA},
)


def write(folder, frame, name="simulated_weekly.csv", **options):
    path = folder / name
    frame.to_csv(path, index=False, **options)
    return path


@pytest.fixture
def path(tmp_path):
    return write(tmp_path, simulated(*ROWS))


def test_counts_are_added_up_over_types_and_absent_rows_are_zeros(path):
    panel = panel_from_acled_weekly(path)
    assert panel.units.names == ("Mali/Gao", "Mali/Mopti", "Niger/Diffa")
    assert panel.units.groups == ("Mali", "Mali", "Niger")
    assert panel.units.kind == "region"
    assert panel.weeks.tolist() == pd.to_datetime(["2026-01-03", "2026-01-10", "2026-01-17", "2026-01-24"]).tolist()
    assert panel.counts.tolist() == [[0, 5, 0], [5, 0, 6], [0, 4, 0], [0, 0, 7]]
    assert panel.source == "simulated_weekly.csv"


def test_before_a_country_is_covered_nothing_is_known(path):
    panel = panel_from_acled_weekly(path)
    assert panel.observed.tolist() == [[True, True, False]] + [[True] * 3] * 3


def test_without_completing_only_rows_are_known(path):
    panel = panel_from_acled_weekly(path, complete=False, event_types=["Battles"])
    assert panel.observed.astype(int).tolist() == [[0, 1, 0], [1, 0, 1], [0, 1, 0], [0, 0, 1]]
    assert panel.counts[0].tolist() == [0, 2, 0]


def test_population_is_a_mean_over_weeks_and_never_summed(path):
    """Mopti has two rows of 1000 in one week and one of 1300 in another; Diffa has one week without."""
    assert panel_from_acled_weekly(path).exposure.tolist() == [500, 1150, 300]


def test_without_population_exposure_is_equal(tmp_path):
    frame = simulated(*ROWS).drop(columns="population_best")
    assert panel_from_acled_weekly(write(tmp_path, frame)).exposure.tolist() == [1, 1, 1]


def test_a_region_without_population_gets_the_mean_of_the_others(tmp_path):
    frame = simulated({"population_best": 0}, GAO, DIFFA | {"population_best": 1500})
    assert panel_from_acled_weekly(write(tmp_path, frame)).exposure.tolist() == [500, 1000, 1500]


def test_coordinates_are_the_centroids(path):
    units = panel_from_acled_weekly(path).units
    np.testing.assert_allclose(units.latitude, [16.3, 14.5, 13.3])
    np.testing.assert_allclose(units.longitude, [-0.05, -4.2, 12.6])


def test_types_and_countries_are_chosen_whatever_their_case(path):
    panel = panel_from_acled_weekly(path, event_types=["protests"], countries=["mali"])
    assert panel.units.names == ("Mali/Gao", "Mali/Mopti")
    assert panel.counts.tolist() == [[0, 3], [0, 0], [0, 0], [0, 0]]  # to the last week of the whole file


def test_a_region_of_another_country_with_the_same_name_is_another(tmp_path):
    panel = panel_from_acled_weekly(write(tmp_path, simulated({}, {"country": "Niger"})))
    assert panel.units.names == ("Mali/Mopti", "Niger/Mopti")


def test_a_country_without_regions_is_one(tmp_path):
    assert panel_from_acled_weekly(write(tmp_path, simulated({"admin1": ""}))).units.names == ("Mali",)


def test_the_header_is_matched_loosely_and_semicolons_are_read(tmp_path, path):
    frame = simulated(*ROWS).rename(columns=lambda name: name.replace("_", " ").title())
    loose = panel_from_acled_weekly(write(tmp_path, frame, "loose.csv", sep=";", encoding="utf-8-sig"))
    plain = panel_from_acled_weekly(path)
    assert loose.counts.tolist() == plain.counts.tolist()
    assert loose.exposure.tolist() == plain.exposure.tolist()


def test_a_spreadsheet_is_read(tmp_path, path):
    pytest.importorskip("openpyxl")
    frame = simulated(*ROWS)
    frame["week"] = pd.to_datetime(frame["week"])
    frame.to_excel(tmp_path / "simulated.xlsx", index=False)
    panel = panel_from_acled_weekly(tmp_path / "simulated.xlsx")
    plain = panel_from_acled_weekly(path)
    assert panel.counts.tolist() == plain.counts.tolist()
    assert panel.exposure.tolist() == plain.exposure.tolist()
    np.testing.assert_array_equal(panel.units.latitude, plain.units.latitude)


def test_a_spreadsheet_without_openpyxl_is_refused_with_a_hint(tmp_path, monkeypatch):
    (tmp_path / "simulated.xlsx").write_bytes(b"PK")
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(InputError, match="openpyxl"):
        panel_from_acled_weekly(tmp_path / "simulated.xlsx")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([{"week": "2026-01-04"}], "week of 2026-01-04 starts on a Sunday"),
        ([{}, {"week": "2026-01-09"}], "row 3, column 'week'"),
        ([{"week": "first"}], "'first' is not a date"),
        ([{"events": "-1"}], "negative"),
        ([{"events": ""}], "missing"),
        ([{}, {}], "a second row of the same week"),
        ([{"centroid_latitude": 95}], "95 is impossible"),
        ([{"population_best": -1}], "-1 is impossible"),
        ([{"country": ""}], "missing"),
        ([], "header only"),
    ],
)
def test_faults_are_named(tmp_path, rows, words):
    with pytest.raises(InputError, match=words):
        panel_from_acled_weekly(write(tmp_path, simulated(*rows)))


def test_names_that_the_file_lacks_are_refused(path):
    with pytest.raises(InputError, match="unknown country 'Mlai'"):
        panel_from_acled_weekly(path, countries=["Mlai"])
    with pytest.raises(InputError, match="unknown event type 'Battle'"):
        panel_from_acled_weekly(path, event_types=["Battle"])


def test_a_missing_column_is_named(tmp_path):
    with pytest.raises(InputError, match="no column 'admin1'"):
        panel_from_acled_weekly(write(tmp_path, simulated({}).rename(columns={"admin1": "adm"})))


def check(path, content):
    path.write_bytes(content)
    try:
        panel = panel_from_acled_weekly(path)
    except ForecastError:
        return  # what is asserted is that nothing else is raised
    assert (panel.counts >= 0).all()


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.fixed_dictionaries({}, optional={name: st.text(max_size=8) for name in COLUMNS}), max_size=3))
def test_random_values(tmp_path, rows):
    stream = io.StringIO()
    simulated({}, *rows).to_csv(stream, index=False)
    check(tmp_path / "random.csv", stream.getvalue().encode("utf-8", "replace"))


@settings(max_examples=80, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    at=st.integers(0, 500), put=st.binary(max_size=20), cut=st.integers(0, 100), kind=st.sampled_from(["csv", "xlsx"])
)
def test_damaged_files(tmp_path, at, put, cut, kind):
    content = simulated(*ROWS).to_csv(index=False).encode()
    check(tmp_path / f"damaged.{kind}", content[:at] + put + content[at + cut :])
