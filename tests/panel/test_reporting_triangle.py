"""Reporting triangles and the delay distribution that they give."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.errors import InputError
from forecast.events.record import event_frame
from forecast.panel.panel import Panel
from forecast.panel.reporting_delay import estimate_delay
from forecast.panel.reporting_triangle import ReportingTriangle, triangle_from_events, triangle_from_vintages
from forecast.panel.units import Units
from forecast.panel.weeks import WEEK
from forecast.simulation.vintages import VintageSettings, simulate_vintages

WEEKS = pd.date_range("2024-01-06", periods=104, freq="7D", unit="s", name="week")
TRUE_CDF = np.cumsum(VintageSettings().delay)


def triangle_of(rows, *, columns=("Gao",), classes=None):
    """Return the triangle of cumulative counts, NaN where not seen: one table a column."""
    shown = np.stack([np.asarray(table, float) for table in (rows if len(columns) > 1 else [rows])], axis=2)
    seen = ~np.isnan(shown)
    weeks = WEEKS[: len(shown)]
    return ReportingTriangle(
        np.where(seen, shown, 0).astype(np.int64), seen, weeks, tuple(columns), tuple(classes or columns)
    )


def history_of(seed, units=4, **settings):
    names = Units.of([f"unit {at}" for at in range(units)])
    return simulate_vintages(VintageSettings(**settings), WEEKS, names, np.random.default_rng(seed))


def chain_ladder(increments):
    """The delay distribution by the algorithm of baselinenowcast, written down plainly: fill, then sum the columns."""
    filled = np.array(increments, dtype=float)
    for column in range(1, filled.shape[1]):
        unknown = np.isnan(filled[:, column])
        factor = filled[~unknown, column].sum() / max(filled[~unknown, :column].sum(), 1)
        filled[unknown, column] = factor * filled[unknown, :column].sum(axis=1)
    return filled.sum(axis=0) / filled.sum()


def test_vintages_give_the_growth_of_each_week():
    history = history_of(1)
    triangle = triangle_from_vintages(history.known, max_delay=7)
    steps = triangle.increments()
    assert steps.shape == (104, 8, 4)
    np.testing.assert_array_equal(np.nansum(steps, axis=1)[:97], history.final.counts[:97])
    age = np.arange(104)[::-1]
    for week in range(104):
        assert np.isnan(steps[week, age[week] + 1 :]).all()
        assert np.isfinite(steps[week, : age[week] + 1]).all()


def test_a_delay_needs_the_vintage_of_the_week_before():
    history = history_of(1)
    without = {origin: panel for origin, panel in history.known.items() if origin != WEEKS[50] + WEEK}
    steps = triangle_from_vintages(without, max_delay=7).increments()
    assert np.isnan(steps[50, [0, 1]]).all()
    assert np.isnan(steps[45, [5, 6]]).all()
    assert np.isfinite(steps[45, [4, 7]]).all()


def test_what_was_known_at_the_first_vintage_has_no_delay():
    history = history_of(1)
    late = {origin: panel for origin, panel in history.known.items() if origin >= WEEKS[60]}
    triangle = triangle_from_vintages(late, max_delay=7)
    steps = triangle.increments()
    assert triangle.weeks[0] == WEEKS[60] - 8 * WEEK
    before = triangle.weeks.get_loc(WEEKS[56])  # 3 weeks old when the first vintage came
    assert np.isnan(steps[before, :4]).all()
    assert np.isfinite(steps[before, 4:]).all()
    full = triangle_from_vintages(history.known, max_delay=7).increments()
    np.testing.assert_array_equal(steps[8:], full[60:])


def test_a_missing_count_is_a_hole():
    history = history_of(1)
    origin = WEEKS[80] + WEEK
    panel = history.known[origin]
    observed = np.ones(panel.counts.shape, bool)
    observed[79, 2] = False
    holed = Panel.of(panel.counts, panel.weeks, panel.units, observed=observed)
    steps = triangle_from_vintages({**history.known, origin: holed}, max_delay=7).increments()
    assert np.isnan(steps[79, [1, 2], 2]).all()
    assert np.isfinite(steps[79, :, 1]).all()


def test_a_vintage_without_a_unit_is_refused():
    history = history_of(1)
    first = next(iter(history.known))
    with pytest.raises(InputError, match="unknown region 'unit 1'"):
        triangle_from_vintages({**history.known, first: history.known[first].select(["unit 0"])}, max_delay=4)
    with pytest.raises(InputError, match="'unit 1' has no class"):
        triangle_from_vintages(history.known, max_delay=4, classes={"unit 0": "north"})
    with pytest.raises(InputError, match="1 vintages"):
        triangle_from_vintages({first: history.known[first]}, max_delay=4)
    with pytest.raises(InputError, match="max_delay 0"):
        triangle_from_vintages(history.known, max_delay=0)


def test_events_left_out_are_accounted_for():
    day = pd.Timestamp("2026-01-03")
    cases = [  # end, report, precision
        (day, day + pd.Timedelta(days=2), "day"),
        (day, day + pd.Timedelta(days=9), "week"),
        (day, day + pd.Timedelta(days=40), "day"),
        (day, pd.NaT, "day"),
        (day, day - pd.Timedelta(days=3), "day"),
        (day, day, "month"),
        (day + 3 * WEEK, day + 4 * WEEK, "day"),
    ]
    ends, reports, precision = (list(column) for column in zip(*cases, strict=True))
    events = event_frame({"source": "ucdp", "date_end": ends, "reported": reports, "date_precision": precision})
    triangle = triangle_from_events(events, origin=day + 4 * WEEK, max_delay=3)
    assert dict(triangle.left_out) == {
        "date not known to the week": 1,
        "no date of a report": 1,
        "reported before it happened": 1,
        "reported after more than 3 weeks": 1,
        "reported after the origin": 1,
    }
    np.testing.assert_array_equal(triangle.increments()[0, :, 0], [1, 1, 0, 0])
    assert np.nansum(triangle.increments()) + sum(triangle.left_out.values()) == len(events)


def test_events_split_by_source_and_region():
    day = pd.Timestamp("2026-01-03")
    events = event_frame(
        {
            "source": ["acled", "ucdp", "ucdp"],
            "admin1": ["Gao", "Gao", "Mopti"],
            "date_end": [day] * 3,
            "reported": [day + WEEK] * 3,
            "date_precision": ["day"] * 3,
        }
    )
    triangle = triangle_from_events(events, origin=day + 3 * WEEK, max_delay=2, by=("source", "admin1"))
    assert triangle.columns == ("acled / Gao", "ucdp / Gao", "ucdp / Mopti")
    assert np.nansum(triangle.increments(), axis=(0, 1)).tolist() == [1, 1, 1]


def test_no_usable_event_is_an_error():
    events = event_frame({"source": ["ucdp"], "date_end": pd.to_datetime(["2026-01-03"]), "date_precision": "day"})
    with pytest.raises(InputError, match="no event has a delay"):
        triangle_from_events(events, origin=pd.Timestamp("2026-02-07"), max_delay=2)


@pytest.mark.parametrize("seed", range(5))
def test_without_pooling_it_is_the_chain_ladder(seed):
    triangle = triangle_from_vintages(history_of(seed).known, max_delay=7)
    delay = estimate_delay(triangle, pooling=0)
    for at in range(4):
        np.testing.assert_allclose(delay.pmf()[at], chain_ladder(triangle.increments()[:, :, at]), atol=1e-12)
    np.testing.assert_allclose(delay.pmf()[-1], chain_ladder(triangle.increments().sum(axis=2)), atol=1e-12)


def test_published_example_of_baselinenowcast():
    # The triangle of the package's documentation of `estimate_and_apply_delay`, cumulative; its nowcast of the
    # second week at delay 3 is (170 + 1 - F(2)) / F(2) * p(3) = 10.97165.
    nan = np.nan
    rows = [[80, 130, 155, 165], [100, 150, 170, nan], [90, 135, nan, nan], [110, nan, nan, nan], [95, nan, nan, nan]]
    delay = estimate_delay(triangle_of(rows))
    share, late = delay.cdf()[0, 2], delay.pmf()[0, 3]
    assert (170 + 1 - share) / share * late == pytest.approx(10.97165, abs=1e-5)


def test_what_cannot_have_been_seen_does_not_count():
    # Each week 10 at once and 10 a week later: the present cuts the last week's late half off.
    rows = [[10, 20]] * 9 + [[10, np.nan]]
    np.testing.assert_allclose(estimate_delay(triangle_of(rows)).pmf()[0], [0.5, 0.5])


def test_deletions_thin_the_record_and_do_not_distort_its_growth():
    rows = [[10, 20, 18], [12, 24, 21], [10, 20, np.nan], [11, np.nan, np.nan]]
    delay = estimate_delay(triangle_of(rows))
    np.testing.assert_allclose(delay.cdf()[0], [0.5, 1, 1])
    np.testing.assert_allclose(delay.kept()[0], [39 / 44, 39 / 44, 1])


def test_intervals_hold_the_truth_as_often_as_they_say():
    inside, wide = [], []
    for seed in range(40):
        delay = estimate_delay(triangle_from_vintages(history_of(seed, mean=4).known, max_delay=7), pooling=0)
        low, high = delay.interval(0.9)
        inside.append((low[:-1, :-1] <= TRUE_CDF[:-1]) & (TRUE_CDF[:-1] <= high[:-1, :-1]))
        wide.append((high - low)[:-1, 0])
        assert ((low <= delay.cdf()) & (delay.cdf() <= high)).mean() > 0.9
    assert 0.86 <= np.mean(inside) <= 0.94
    assert np.mean(wide) < 0.15


def test_batches_are_recognised_and_widen_the_intervals():
    inside, found = [], []
    for seed in range(25):
        history = history_of(seed, mean=12, batching=0.15)
        delay = estimate_delay(triangle_from_vintages(history.known, max_delay=7), pooling=0)
        low, high = delay.interval(0.9)
        inside.append(((low <= TRUE_CDF) & (high >= TRUE_CDF))[:-1, :-1])
        found.append(delay.scatter)
    assert np.mean(found) == pytest.approx(0.15, abs=0.03)
    assert 0.84 <= np.mean(inside) <= 0.96


def test_intervals_of_a_thin_record_hold_the_truth_and_the_estimate():
    """Some twenty events a class: what is assumed before any data must not outweigh them at eight delays."""
    truth, estimate = [], []
    units = Units.of(["unit 0", "unit 1"])
    for seed in range(80):
        history = simulate_vintages(VintageSettings(mean=1), WEEKS[:20], units, np.random.default_rng(seed))
        delay = estimate_delay(triangle_from_vintages(history.known, max_delay=7))
        low, high = delay.interval(0.9)
        truth.append(((low <= TRUE_CDF) & (high >= TRUE_CDF))[:, :-1])
        estimate.append(((low <= delay.cdf()) & (delay.cdf() <= high))[:, :-1])
    assert 0.78 <= np.mean(truth) <= 0.95
    assert np.mean(estimate) > 0.86


def test_deleted_false_events_leave_the_delay_distribution_close():
    errors = []
    for seed in range(10):
        history = history_of(seed, false_share=0.03)
        delay = estimate_delay(triangle_from_vintages(history.known, max_delay=7))
        assert (delay.kept()[-1, :-1] < 1).all()
        errors.append(delay.cdf()[-1] - TRUE_CDF)
    assert np.abs(np.mean(errors, axis=0)).max() < 0.03


def test_thin_classes_are_pooled_and_rich_ones_stay_as_they_are():
    rng = np.random.default_rng(4)
    quick, slow = (0.8, 0.15, 0.05), (0.3, 0.4, 0.3)
    tables, names = [], []
    for name, chance, mean in (("quick", quick, 30), ("slow", slow, 30), ("thin", quick, 0.05)):
        events = np.array([rng.multinomial(rng.poisson(mean), chance) for _ in range(60)])
        table = np.cumsum(events, axis=1).astype(float)
        table[-1, 1:] = table[-2, 2:] = np.nan
        tables.append(table)
        names.append(name)
    delay = estimate_delay(triangle_of(tables, columns=names))
    row = dict(zip(delay.classes, delay.cdf(), strict=False))
    pooled = delay.cdf()[-1]
    assert row["quick"][0] == pytest.approx(0.8, abs=0.03)
    assert row["slow"][0] == pytest.approx(0.3, abs=0.03)
    alone = estimate_delay(triangle_of(tables, columns=names), pooling=0).cdf()[delay.classes.index("thin")]
    assert abs(row["thin"][0] - pooled[0]) < abs(alone[0] - pooled[0])
    same = estimate_delay(triangle_of(tables, columns=names), pooling=np.inf)
    for values in same.cdf():
        np.testing.assert_allclose(values, pooled)


def test_alike_classes_are_pooled_strongly_and_gain_by_it():
    own, shared = [], []
    for seed in range(8):
        triangle = triangle_from_vintages(history_of(seed, units=12, mean=0.5).known, max_delay=7)
        own.append(np.abs(estimate_delay(triangle, pooling=0).cdf()[:-1] - TRUE_CDF).mean())
        delay = estimate_delay(triangle)
        assert delay.pooling > 30
        shared.append(np.abs(delay.cdf()[:-1] - TRUE_CDF).mean())
    assert np.mean(shared) < 0.6 * np.mean(own)


def test_units_find_their_class_and_strangers_the_pooled_one():
    history = history_of(2)
    classes = {f"unit {at}": ("even", "odd")[at % 2] for at in range(4)}
    delay = estimate_delay(triangle_from_vintages(history.known, max_delay=7, classes=classes))
    assert delay.classes == ("even", "odd")
    assert delay.rows(["unit 1", "unit 2", "elsewhere"]).tolist() == [1, 0, 2]
    table = delay.to_frame()
    assert table["class"].unique().tolist() == ["even", "odd", "all"]
    assert (table["lower"] <= table["cdf"]).all()
    assert (table["cdf"] <= table["upper"]).all()
    assert table.groupby("class")["probability"].sum().to_numpy() == pytest.approx(1)


def test_the_weeks_since_a_change_of_delays_stand_alone():
    triangle = triangle_of([[10, 20]] * 6 + [[15, 20]] * 6)
    np.testing.assert_allclose(estimate_delay(triangle.since(WEEKS[6])).cdf()[0], [0.75, 1])
    with pytest.raises(InputError, match="empty"):
        triangle.since(WEEKS[12])


def test_bad_settings_and_empty_triangles_are_refused():
    triangle = triangle_of([[10, 20], [10, 20]])
    with pytest.raises(InputError, match="pooling -1"):
        estimate_delay(triangle, pooling=-1)
    with pytest.raises(InputError, match="interval level 1"):
        estimate_delay(triangle).interval(1)
    with pytest.raises(InputError, match="seen twice"):
        estimate_delay(triangle_of([[10, np.nan], [10, np.nan]]))
    with pytest.raises(InputError, match="triangle of shape"):
        ReportingTriangle(triangle.shown, triangle.seen, triangle.weeks[:1], ("Gao",), ("Gao",))


def nigeria():
    """The canonical fields of the UCDP file for Nigeria that the delay needs, `reported` the first date of a source."""
    folder = os.environ.get("ESCALATION_FORECAST_SOURCES")
    if not folder:
        pytest.skip("ESCALATION_FORECAST_SOURCES does not name the folder of the source event files")
    with gzip.open(Path(folder) / "ucdp_ged201_nigeria_full.csv.gz", "rt", encoding="utf-8") as stream:
        table = pd.read_csv(stream, usecols=["id", "source_date", "date_prec", "date_end"])
    dates = table["source_date"].str.split(";").explode().str.strip()
    first = pd.to_datetime(dates, format="%Y-%m-%d", errors="coerce").groupby(level=0).min()
    return event_frame(
        {
            "event_id": table["id"].astype(str),
            "source": "ucdp",
            "date_end": pd.to_datetime(table["date_end"]),
            "reported": first,
            "date_precision": table["date_prec"].map({1: "day", 2: "week", 3: "week"}).fillna("month"),
        }
    )


def test_delays_of_the_ucdp_file_for_nigeria():
    events = nigeria()
    triangle = triangle_from_events(events, origin=pd.Timestamp("2020-06-06"), max_delay=12)
    assert np.nansum(triangle.increments()) + sum(triangle.left_out.values()) == len(events) == 4603
    cdf = estimate_delay(triangle).cdf()[-1]
    assert 0.6 < cdf[0] < 0.9
    assert cdf[1] > 0.9
