"""Months of weekly paths, and the format of the ViEWS challenge."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import InputError
from forecast.exchange.months_of_weeks import MonthlyPaths, monthly
from forecast.exchange.views import level_of, read_views, views_rows, write_views
from forecast.exchange.views_countries import COUNTRY_IDS, country_ids
from forecast.panel.months import first_days, last_days, month_ids
from forecast.panel.panel import Panel
from forecast.panel.units import Units

AUGUST = 560


@given(st.integers(1, 3600))
def test_months_have_numbers(number):
    first, last = first_days([number]), last_days([number])
    assert month_ids(first) == month_ids(last) == [number]
    assert month_ids(last + pd.Timedelta(days=1)) == [number + 1]
    assert (first[0].year, first[0].month) == (1980 + (number - 1) // 12, 1 + (number - 1) % 12)


@pytest.mark.parametrize("number", [0, -5, 10**9])
def test_a_number_that_is_no_month(number):
    with pytest.raises(InputError, match=f"month_id {number}"):
        first_days([number])


@settings(max_examples=30)
@given(st.integers(0, 400), st.integers(1, 20))
def test_no_event_is_lost_or_doubled(forecast_of, panel_of, shift, horizon):
    origin = pd.Timestamp("2026-01-03") + pd.Timedelta(days=7 * shift)
    sent = forecast_of(origin=f"{origin:%Y-%m-%d}", horizon=horizon, draws=20)
    known = panel_of(until=origin)
    try:
        found = monthly(sent, known, np.random.default_rng(1))
    except InputError:
        assert horizon < 9
        return
    first, last = first_days(found.months)[0], last_days(found.months)[-1]
    assert last < origin + pd.Timedelta(days=7 * horizon)
    inside = (sent.weeks >= first) & (sent.weeks + pd.Timedelta(days=6) <= last)
    touched = (sent.weeks + pd.Timedelta(days=6) >= first) & (sent.weeks <= last)
    past = (known.weeks + pd.Timedelta(days=6) >= first) * known.counts.T
    total = found.paths.sum(axis=1)
    assert (total >= sent.paths[:, inside].sum(axis=1)).all()
    assert (total <= sent.paths[:, touched].sum(axis=1) + past.sum(axis=1)).all()


def test_whole_months_keep_the_paths(forecast_of, panel_of):
    """Weeks from 1 August 2026 to 2 October: August and September are whole, but for the days of two split weeks."""
    sent = forecast_of(horizon=9)
    found = monthly(sent, panel_of(), np.random.default_rng(1))
    assert found.months.tolist() == [AUGUST, AUGUST + 1]
    both = sent.paths[:, :8].sum(axis=1)
    split = found.paths.sum(axis=1) - both
    assert (split >= 0).all()
    assert (split <= sent.paths[:, 8]).all()
    share = split.sum() / sent.paths[:, 8].sum()
    assert share == pytest.approx(5 / 7, abs=0.03)  # 26 to 30 September
    # Months of one path depend on each other as its weeks do.
    assert np.corrcoef(found.paths[:, 0, 2], found.paths[:, 1, 2])[0, 1] > 0.9


def test_a_month_that_began_before_the_origin_is_completed_by_what_is_known(forecast_of, panel_of):
    sent, known = forecast_of(origin="2026-08-15", horizon=4), panel_of(until="2026-08-15")
    whole = Panel.of(known.counts, known.weeks, known.units)
    found = monthly(sent, whole, np.random.default_rng(1))
    assert found.months.tolist() == [AUGUST]
    weeks = found.paths[:, 0] - known.counts[-2:].sum(axis=0)
    assert (weeks >= sent.paths[:, :2].sum(axis=1)).all()  # 15 to 28 August; three days of the next week
    assert (weeks <= sent.paths[:, :3].sum(axis=1)).all()
    with pytest.raises(InputError, match="weeks from 2026-08-15 to 2026-09-11 cover no whole month"):
        monthly(sent, known.weeks_between(59, 60), np.random.default_rng(1))


def test_what_is_not_known_completes_nothing(forecast_of, panel_of):
    """One week of one region is not known: the third before the origin."""
    sent = forecast_of(origin="2026-08-22", horizon=6)
    found = monthly(sent, panel_of(until="2026-08-22"), np.random.default_rng(1))
    assert found.months.tolist() == [AUGUST + 1]


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_countries_are_sums_of_regions_path_by_path(forecast_of, panel_of, tmp_path, ending):
    sent = forecast_of(horizon=9)
    months = monthly(sent, panel_of(), np.random.default_rng(1))
    rows = views_rows(months, sent.units, 150)
    assert list(rows.columns) == ["month_id", "country_id", "draw", "outcome"]
    assert set(rows["country_id"]) == {50, 78}
    assert set(rows["draw"]) == set(range(150))
    path = tmp_path / "cm" / f"predictions.{ending}"
    write_views(path, rows.sample(frac=1, random_state=1))
    got = read_views(path)
    np.testing.assert_array_equal(got.months, months.months)
    assert got.units == ("50", "78")
    np.testing.assert_array_equal(got.paths[:, :, 0], months.paths[:150, :, :2].sum(axis=2))
    np.testing.assert_array_equal(got.paths[:, :, 1], months.paths[:150, :, 2])


def test_cells_go_by_their_ids(forecast_of, panel_of, tmp_path):
    sent = forecast_of(horizon=9, names=("147234", "147235", "147954"))
    assert level_of(sent.units) == "pgm"
    months = MonthlyPaths(sent.paths[:, :2].astype(np.int64), np.array([AUGUST, AUGUST + 1]), sent.units.names)
    write_views(tmp_path / "p.csv", views_rows(months, sent.units))
    assert (tmp_path / "p.csv").read_text().startswith("month_id,priogrid_gid,draw,outcome\n560,147234,0,")
    got = read_views(tmp_path / "p.csv")
    np.testing.assert_array_equal(got.paths, months.paths)
    with pytest.raises(InputError, match="no PRIO-GRID cell 999999"):
        views_rows(months, Units.of(["147234", "147235", "999999"]))


def test_what_has_no_number(forecast_of):
    months = MonthlyPaths(np.zeros((2, 1, 1), np.int64), np.array([AUGUST]), ("Gao",))
    with pytest.raises(InputError, match="unknown country 'Malia'"):
        views_rows(months, Units.of(["Malia/Gao"], groups=["Malia"]))
    with pytest.raises(InputError, match="places overlap"):
        views_rows(months, Units.of(["Gao"], kind="place", groups=["Mali"]))


def test_countries_have_one_number_each():
    assert len(set(COUNTRY_IDS.values())) == len(COUNTRY_IDS)
    assert country_ids(["Côte d'Ivoire", "Sudan", "South Sudan", "DR Congo", "Chad"]) == [41, 245, 246, 167, 214]


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("month_id,draw,outcome\n560,0,1\n", ["no column of units", "country_id and priogrid_gid"]),
        ("month_id,country_id,priogrid_gid,draw,outcome\n560,1,1,0,1\n", ["two columns of units"]),
        ("month_id,country_id,draw\n560,50,0\n", ["no column 'outcome'"]),
        ("month_id,country_id,draw,outcome\n0,50,0,1\n", ["month_id 0"]),
        ("month_id,country_id,draw,outcome\n560,50,0,1.5\n", ["'1.5' is not whole", "f.csv row 2, column 'outcome'"]),
        ("month_id,country_id,draw,outcome\n560,50,0,-1\n", ["'-1' is negative"]),
        ("month_id,country_id,draw,outcome\n560,50,0,1\n560,50,0,2\n", ["stand in the table already", "row 3"]),
        (
            "month_id,country_id,draw,outcome\n560,50,0,1\n560,50,1,2\n561,50,0,2\n",
            ["no row of month 561, country_id 50, draw 1"],
        ),
        ("month_id,country_id,draw,outcome\n", ["no rows"]),
    ],
)
def test_bad_tables(tmp_path, text, messages):
    (tmp_path / "f.csv").write_text(text)
    with pytest.raises(InputError) as error:
        read_views(tmp_path / "f.csv")
    for message in messages:
        assert message in str(error.value)
