"""Model output of a hub as a forecast: what goes out comes back, and what is wrong is said."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import InputError
from forecast.evaluation.record import QUANTILE_LEVELS
from forecast.exchange.hub_cells import BY_UNIT, SEPARATE
from forecast.exchange.hub_folder import write_rows
from forecast.exchange.hub_import import read_model_output
from forecast.exchange.hub_rows import CDF_COUNTS, PMF_COUNTS, cdf_of, model_output

FILE = "2026-07-31-team-model.csv"


@pytest.fixture
def read(tmp_path, forecast_of):
    """A function that writes rows and reads them as a forecast."""

    def reading(rows, name=FILE, **options):
        write_rows(tmp_path / name, rows)
        return read_model_output(tmp_path / name, forecast_of().units, np.random.default_rng(1), **options)

    return reading


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_joint_paths_survive(forecast_of, read, ending):
    sent = forecast_of()
    got = read(model_output(sent, ["sample"], draws=sent.draws), f"2026-07-31-team-model.{ending}")
    np.testing.assert_array_equal(got.paths, sent.paths)
    np.testing.assert_allclose(got.pmf, sent.pmf, atol=1e-12)
    assert got.weeks.equals(sent.weeks)
    assert (got.units.names, got.units.groups) == (sent.units.names, sent.units.groups)
    assert (got.model, got.remarks) == ("team-model", ())


@settings(max_examples=20)
@given(st.integers(0, 10**6), st.integers(1, 12), st.floats(0.05, 60))
def test_quantiles_come_back_as_they_were(forecast_of, tmp_path_factory, seed, horizon, mean):
    sent = forecast_of(seed=seed, horizon=horizon, mean=mean)
    path = tmp_path_factory.mktemp("hub") / FILE
    write_rows(path, model_output(sent, ["quantile"]))
    got = read_model_output(path, sent.units, np.random.default_rng(1), draws=50)
    np.testing.assert_array_equal(got.quantile(QUANTILE_LEVELS), sent.quantile(QUANTILE_LEVELS))
    assert got.pmf.sum(axis=2) == pytest.approx(1)
    assert got.remarks == (SEPARATE,)
    assert got.draws == 50


def test_probabilities_come_back_as_they_were(forecast_of, read):
    sent = forecast_of(mean=8.0)
    counts = list(PMF_COUNTS)
    by_pmf, by_cdf = (read(model_output(sent, [kind])) for kind in ("pmf", "cdf"))
    np.testing.assert_allclose(cdf_of(by_pmf, counts), cdf_of(sent, counts), atol=1e-9)
    np.testing.assert_allclose(cdf_of(by_cdf, CDF_COUNTS), cdf_of(sent, CDF_COUNTS), atol=1e-9)


def test_the_best_of_several_types_is_taken(forecast_of, read):
    sent = forecast_of(mean=1.0)
    got = read(model_output(sent, ["quantile", "pmf", "sample"], draws=40))
    assert got.draws == 40
    np.testing.assert_array_equal(got.paths, sent.paths[:40])
    np.testing.assert_allclose(cdf_of(got, PMF_COUNTS), cdf_of(sent, PMF_COUNTS), atol=1e-9)


def test_paths_have_the_marginals(forecast_of, read):
    got = read(model_output(forecast_of(), ["quantile"]), draws=4000)
    mean = got.pmf @ np.arange(got.pmf.shape[2])
    assert got.paths.mean(axis=0) == pytest.approx(mean, rel=0.02, abs=0.02)
    assert abs(np.corrcoef(got.paths[:, 0, 0], got.paths[:, 1, 0])[0, 1]) < 0.1


def test_samples_that_are_joint_over_weeks_only(forecast_of, read):
    sent = forecast_of()
    rows = model_output(sent, ["sample"], draws=100)
    got = read(
        rows.assign(output_type_id=rows["location"].str[:4] + rows["location"].str[-3:] + rows["output_type_id"])
    )
    assert got.remarks == (BY_UNIT,)
    for unit in range(3):
        mine, theirs = (sorted(map(tuple, each.paths[:100, :, unit])) for each in (sent, got))
        assert mine == theirs
    assert not np.array_equal(got.paths, sent.paths[:100])


def test_samples_of_each_week_by_itself(forecast_of, read):
    rows = model_output(forecast_of(), ["sample"], draws=100)
    got = read(rows.assign(output_type_id=[str(number) for number in range(len(rows))]))
    assert got.remarks == (SEPARATE,)
    assert abs(np.corrcoef(got.paths[:, 0, 1], got.paths[:, 1, 1])[0, 1]) < 0.3


def test_some_locations_and_rows_that_look_back(forecast_of, read):
    rows = model_output(forecast_of(), ["quantile"])
    rows = rows[rows["location"] == "Mali/Mopti"]
    back = rows[rows["horizon"] == 1].assign(horizon=0, target_end_date=pd.Timestamp("2026-07-31"))
    got = read(pd.concat([back, rows]))
    assert (got.units.names, got.horizon) == (("Mali/Mopti",), 8)


def test_one_target_of_several(forecast_of, read):
    rows = model_output(forecast_of(), ["quantile"])
    rows = pd.concat([rows, rows.assign(target="deaths", value=0.0)])
    assert read(rows, target="deaths").quantile([0.5]).max() == 0
    with pytest.raises(InputError, match="forecasts of 2 targets: 'deaths', 'weekly events'"):
        read(rows)
    with pytest.raises(InputError, match="unknown target 'death'"):
        read(rows, target="death")


def shifted(rows, **days):
    return rows.assign(**{name: rows[name] + pd.Timedelta(days=number) for name, number in days.items()})


def without(rows, **values):
    drop = np.logical_and.reduce([rows[name] == value for name, value in values.items()])
    return rows[~drop]


@pytest.mark.parametrize(
    ("change", "messages"),
    [
        (
            lambda rows: rows.replace({"location": {"Mali/Gao": "Mali/Gaoo"}}),
            ["unknown location 'Mali/Gaoo'", "'Mali/Gao'"],
        ),
        (lambda rows: shifted(rows, target_end_date=1), ["target_end_date 2026-08-08 at horizon 1", "2026-08-07"]),
        (
            lambda rows: shifted(rows, target_end_date=1, reference_date=1),
            ["reference_date 2026-08-01 is a Saturday", "a Friday, on which the weeks end, such as 2026-07-31"],
        ),
        (
            lambda rows: shifted(rows, target_end_date=7, reference_date=7),
            ["the file is of 2026-07-31, its rows of 2026-08-07"],
        ),
        (
            lambda rows: pd.concat([rows, shifted(rows, target_end_date=7, reference_date=7)]),
            ["reference dates 2026-07-31 and 2026-08-07", "one reference_date"],
        ),
        (lambda rows: rows.assign(horizon=rows["horizon"] - 9), ["no forecast of a week ahead"]),
        (
            lambda rows: without(rows, location="Mali/Gao", horizon=3, output_type_id="0.5"),
            ["no quantile 0.5, of 'Mali/Gao', week until 2026-08-21"],
        ),
        (
            lambda rows: without(rows, location="Mali/Mopti", horizon=2),
            ["0 quantile rows of 23, of 'Mali/Mopti', week until 2026-08-14"],
        ),
        (lambda rows: rows[rows["output_type_id"].isin(["0.25", "0.5", "0.75"])], ["3 levels, from 0.25 to 0.75"]),
        (
            lambda rows: rows.assign(value=rows["value"].mask(rows["output_type_id"] == "0.99", -1.0)),
            ["-1 is no count", "'Mali/Gao', week until 2026-08-07"],
        ),
        (
            lambda rows: rows.assign(value=rows["value"].mask(rows["output_type_id"] == "0.25", 500.0)),
            ["quantiles cross: 500 at level 0.25", "'Mali/Gao', week until 2026-08-07"],
        ),
        (
            lambda rows: rows.assign(value=rows["value"].mask(rows["output_type_id"] == "0.99", 1e9)),
            ["1e+09 is no count"],
        ),
        (lambda rows: pd.concat([rows, rows.head(1)]), ["quantile 0.01 of 'Mali/Gao'", "twice"]),
        (lambda rows: rows.assign(output_type="median"), ["output types 'median'"]),
    ],
)
def test_bad_quantiles(forecast_of, read, change, messages):
    with pytest.raises(InputError) as error:
        read(change(model_output(forecast_of(), ["quantile"])))
    for message in messages:
        assert message in str(error.value)
    assert "model.csv" in str(error.value)


@pytest.mark.parametrize(
    ("kind", "change", "message"),
    [
        ("pmf", lambda rows: rows.assign(value=rows["value"] * 2), "probabilities that sum to 1.89"),
        ("pmf", lambda rows: rows[rows["output_type_id"] != "3"], "no probability of 3 events"),
        ("cdf", lambda rows: rows.assign(value=1 - rows["value"]), "the cumulative probability falls"),
        ("cdf", lambda rows: rows.assign(value=rows["value"] + 1), "not between 0 and 1"),
        ("sample", lambda rows: rows.assign(value=rows["value"] + 0.5), "a sample that is no count"),
        ("sample", lambda rows: rows.iloc[1:], "sample rows of 100, of 'Mali/Gao'"),
        ("sample", lambda rows: rows.assign(value=1e6), "a sample of 1e+06 events"),
    ],
)
def test_bad_probabilities_and_samples(forecast_of, read, kind, change, message):
    with pytest.raises(InputError) as error:
        read(change(model_output(forecast_of(mean=30.0), [kind])))
    assert message in str(error.value)


def test_types_that_do_not_agree(forecast_of, read):
    rows = model_output(forecast_of(), ["quantile", "sample"])
    with pytest.raises(InputError, match="output types of different weeks or locations"):
        read(rows[(rows["output_type"] == "sample") | (rows["horizon"] < 5)])
