"""The short session of a notebook: data, model, forecast, totals, scores, pools, recalibration."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import forecast as fc
from forecast.predictive.escalation import probability


@pytest.fixture(scope="module")
def panel():
    return fc.load("west-africa-weekly", countries=["Mali"])


@pytest.fixture(scope="module")
def ahead(panel):
    return fc.model("discount-negbin").fit(panel.until("2019-01-05")).predict(8)


@pytest.fixture(scope="module")
def record(panel):
    models = ["climatology-52", fc.Model("window_negbin", name="quarter", weeks=13)]
    rules = [fc.any_event(), fc.at_least(5)]
    return fc.backtest(models, panel, end="2018-12-29", origins=26, draws=100, escalations=rules)


def test_the_same_call_gives_the_same_bytes(panel, ahead):
    again = fc.model("discount-negbin").fit(panel.until("2019-01-05")).predict(8)
    assert again.paths.tobytes() == ahead.paths.tobytes()
    other = fc.model("discount-negbin").fit(panel.until("2019-01-05")).predict(8, seed=2)
    assert other.paths.tobytes() != ahead.paths.tobytes()


def test_nothing_after_the_end_of_the_panel_is_seen(panel, ahead):
    altered = panel.to_frame()
    altered.loc["2019-01-05":] = 9
    later = fc.read_counts(altered)
    changed = fc.model("climatology-52").fit(later.until("2019-01-05")).predict(8)
    plain = fc.model("climatology-52").fit(fc.read_counts(panel.to_frame()).until("2019-01-05")).predict(8)
    assert changed.paths.tobytes() == plain.paths.tobytes()


def test_probabilities_are_those_of_the_rule(panel, ahead):
    rule = fc.at_least(3, weeks=2)
    found = ahead.probability(rule)
    assert list(found.index) == list(panel.units.names)
    np.testing.assert_allclose(found, probability(rule, ahead, panel.until("2019-01-05")))


def test_risk_ranks_and_has_base_rates(ahead):
    table = ahead.risk([fc.any_event(), fc.increase(), fc.above_recent(), fc.record_high()])
    assert len(table) == 4 * 9
    assert table["probability"].is_monotonic_decreasing
    assert table["base_rate"].dropna().between(0, 1).all()


def test_totals_are_added_on_paths(ahead):
    total = ahead.total(weeks=4, units="sum")
    expected = ahead.paths.reshape(1000, 2, 4, 9).sum(axis=(2, 3))
    np.testing.assert_array_equal(total.paths[:, :, 0], expected)
    np.testing.assert_allclose(total.mean()[:, 0], expected.mean(axis=0))
    assert total.weeks_per_step == 4
    assert list(total.weeks) == [pd.Timestamp("2019-01-05"), pd.Timestamp("2019-02-02")]
    # Regions rise together: the spread of the sum is more than that of independent ones.
    assert expected[:, 0].var() > 0.8 * ahead.paths[:, :4].var(axis=0).sum()


def test_totals_by_group_and_by_names_of_ones_own(ahead):
    assert ahead.total(units="group").units.names == ("Mali",)
    north = {
        name: "north" if name in {"Mali/Gao", "Mali/Kidal", "Mali/Tombouctou"} else "rest" for name in ahead.units.names
    }
    split = ahead.total(units=north)
    assert set(split.units.names) == {"north", "rest"}
    both = split.paths.sum(axis=2)
    np.testing.assert_array_equal(both, ahead.paths.sum(axis=2))
    rate = split.probability(fc.any_event(weeks=1))
    assert (rate >= ahead.probability(fc.any_event(weeks=1)).max() - 0.05).any()


def test_leftover_weeks_are_left_out(ahead):
    assert ahead.total(weeks=3).horizon == 2


def test_a_summed_history_is_unknown_where_a_part_is(panel):
    counts = panel.to_frame().tail(60)
    counts.iloc[-5, 0] = pd.NA
    made = fc.model("climatology-26").fit(fc.read_counts(counts)).predict(2).total(units="sum")
    assert made.history.observed[:, 0].tolist() == [True] * 55 + [False] + [True] * 4


def test_tables(ahead):
    quantiles = ahead.quantiles([0.1, 0.9])
    assert list(quantiles.columns) == ["week", "horizon", "unit", "quantile", "value"]
    assert len(quantiles) == 2 * 8 * 9
    wide = ahead.to_frame([0.9]).set_index(["week", "unit"])["q0.9"]
    upper = quantiles[quantiles["quantile"] == 0.9].set_index(["week", "unit"])["value"]
    pd.testing.assert_series_equal(upper, wide, check_names=False, check_dtype=False)


def test_xarray(ahead):
    made = ahead.to_xarray([0.5])
    assert dict(made.sizes) == {"draw": 1000, "week": 8, "unit": 9, "level": 1}
    np.testing.assert_array_equal(made["paths"].sel(unit="Mali/Gao"), ahead.paths[:, :, ahead.units.index("Mali/Gao")])


def test_a_choice_of_units_keeps_the_history(ahead):
    chosen = ahead.take_units(["Mali/Mopti", "Mali/Gao"])
    both = ahead.probability(fc.at_least(2))
    np.testing.assert_allclose(chosen.probability(fc.at_least(2)), both[["Mali/Mopti", "Mali/Gao"]])


def test_scores_are_those_of_the_record(panel):
    made = fc.model("climatology-52").fit(panel.until("2019-12-07")).predict(8)
    table = fc.score(made, panel)
    assert table["week"].max() < panel.origin
    assert len(table) == 3 * 9  # only three weeks of the eight are known
    assert table["observed"].sum() == panel.counts[-3:].sum()
    assert (table["crps"] >= 0).all()


def test_the_record(record):
    assert set(record.models) == {"climatology-52", "quarter"}
    assert set(record.risk["escalation"]) == {"any_in_4", "at_least_5_in_4"}
    compared = record.compare()
    assert compared.reference in record.models
    assert record.diagnose("quarter").groups is not None
    pit = record.pit("quarter")
    assert (pit["pit_below"] <= pit["pit_upto"]).all()
    assert len(pit) == 26 * 8 * 9


def test_a_record_in_a_folder_is_the_same(record, panel, tmp_path):
    models = ["climatology-52", fc.Model("window_negbin", name="quarter", weeks=13)]
    rules = [fc.any_event(), fc.at_least(5)]
    kept = fc.backtest(
        models, panel, end="2018-12-29", origins=26, draws=100, escalations=rules, folder=tmp_path / "record", workers=2
    )
    pd.testing.assert_frame_equal(kept.scores, record.scores)
    assert (tmp_path / "record" / "scores.parquet").is_file()


def test_recalibration_learns_only_from_the_past(panel, record, ahead):
    mend = fc.calibrate(record, "climatology-52", before="2019-01-05")
    assert mend.known_until < pd.Timestamp("2019-01-05")
    raw = fc.model("climatology-52").fit(panel.until("2019-01-05")).predict(4)
    mended = mend(raw)
    assert mended.history is raw.history
    assert mended.pmf.shape[0] == 4
    late = fc.calibrate(record, "climatology-52")
    with pytest.raises(fc.InputError, match="nothing after the origin"):
        late(raw)


def test_recalibration_mends_a_forecaster_that_is_too_narrow(panel):
    # A quarter's mean as a Poisson rate is too sure of itself; what is learned widens it.
    narrow = fc.Model("glm", name="narrow", distribution="poisson")
    trained = fc.backtest([narrow], panel, end="2018-12-29", origins=52, refit_every=26, draws=100)
    mend = fc.calibrate(trained, "narrow", before="2019-01-05")
    raw = narrow.fit(panel.until("2019-01-05")).predict(4)
    busy = panel.units.index("Mali/Mopti")
    assert mend(raw).paths[:, :, busy].std() > raw.paths[:, :, busy].std()


@pytest.mark.parametrize("kind", ["linear", "quantile", "median"])
def test_pools(panel, ahead, kind):
    other = fc.model("climatology-52").fit(panel.until("2019-01-05")).predict(8)
    pooled = fc.combine([ahead, other], weights=[0.7, 0.3], kind=kind)
    np.testing.assert_allclose(pooled.pmf.sum(axis=2), 1, atol=1e-5)
    spread = pooled.paths.std(axis=0) / np.sqrt(pooled.draws)
    assert (np.abs(pooled.paths.mean(axis=0) - pooled.mean()) <= 6 * spread + 0.02).all()
    assert pooled.history is ahead.history
    if kind == "linear":
        np.testing.assert_allclose(pooled.mean(), 0.7 * ahead.mean() + 0.3 * other.mean(), atol=1e-6)


def test_a_fit_on_a_longer_panel(panel):
    recent = panel.weeks_between(900, 992)
    both = fc.model("glm-negbin").fit(recent, fit_on=panel).predict(2)
    alone = fc.model("glm-negbin").fit(recent).predict(2)
    assert both.origin == alone.origin
    assert both.paths.tobytes() != alone.paths.tobytes()


def test_an_update_takes_new_weeks(panel):
    fitted = fc.model("discount-negbin").fit(panel.until("2018-10-06"))
    later = fitted.update(panel.until("2019-01-05"))
    assert later.predict(1).origin == pd.Timestamp("2019-01-05")
    pd.testing.assert_frame_equal(later.summary(), fitted.summary())


def test_components(panel):
    table = fc.model("endemic-epidemic").fit(panel).components()
    assert set(table["unit"]) == set(panel.units.names)
    np.testing.assert_allclose(table[["own", "neighbour", "endemic"]].sum(axis=1), 1)
    with pytest.raises(fc.InputError, match="has no components"):
        fc.model("climatology-52").fit(panel).components()


def test_settings(panel):
    model = fc.model("climatology-52")
    assert model.settings["weeks"] == 52
    shorter = model.with_settings(weeks=26)
    assert shorter.settings["weeks"] == 26
    assert model.settings["weeks"] == 52


def test_objects_show_themselves(panel, ahead, record):
    for item in (panel, ahead, record, fc.model("pool"), fc.model("climatology-52").fit(panel)):
        assert repr(item).startswith("<")
        assert len(repr(item)) < 300
        html = item._repr_html_()
        assert html.startswith("<div>")
        assert "<script" not in html


def test_names_from_data_do_not_become_markup():
    rows = pd.DataFrame({"<script>alert(1)</script>": [1, 2]}, index=pd.date_range("2026-01-03", periods=2, freq="7D"))
    html = fc.read_counts(rows)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


@pytest.mark.parametrize("backend", ["plotly", "matplotlib"])
def test_pictures(ahead, record, backend):
    rule = fc.at_least(5)
    figures = [
        ahead.plot("Mali/Mopti", backend=backend),
        ahead.plot(backend=backend, theme="dark"),
        ahead.map(rule, fc.outlines("west-africa-weekly"), backend=backend),
        record.plot_pit("quarter", backend=backend),
        record.plot_reliability("quarter", "any_in_4", backend=backend),
    ]
    assert len({type(figure) for figure in figures}) == 1
    assert type(figures[0]).__module__.startswith(backend)


def test_a_fan_shows_the_history_and_the_forecast(ahead, panel):
    figure = ahead.plot("Mali/Mopti", past=10)
    bars = next(trace for trace in figure.data if trace.type == "bar")
    at = panel.units.index("Mali/Mopti")
    last = panel.until("2019-01-05").counts[-10:, at]
    assert list(bars.y) == last.tolist()


def test_several_units_are_those_with_the_most_expected(ahead):
    titles = {note.text for note in ahead.plot().layout.annotations}
    assert any("Mopti" in title for title in titles)
    assert not any("Sikasso" in title for title in titles)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda panel, ahead: fc.load("west-africa"), "unknown dataset 'west-africa'"),
        (lambda panel, ahead: fc.load("west-africa-weekly", countries=["Mail"]), "Mail"),
        (lambda panel, ahead: fc.load("west-africa-weekly", places=[("Bamako", 17)]), "within 17 km"),
        (lambda panel, ahead: fc.load("west-africa-weekly", countries=["Mali"], places=[("Bamako", 100)]), "beside"),
        (lambda panel, ahead: fc.model("discount"), "unknown model 'discount'"),
        (lambda panel, ahead: fc.Model("window"), "unknown family 'window'"),
        (lambda panel, ahead: fc.Model("window_negbin", weks=3), "known keys: pool, weeks"),
        (lambda panel, ahead: fc.at_least(0), "greater than or equal to 1"),
        (lambda panel, ahead: fc.any_event(weeks=99), "weeks"),
        (lambda panel, ahead: ahead.probability(fc.any_event(weeks=9)), r"predict\(9\)"),
        (lambda panel, ahead: ahead.total(weeks=9), "1 to 8"),
        (lambda panel, ahead: ahead.total(units="country"), '"sum", "group"'),
        (lambda panel, ahead: ahead.total(units={"Mali/Gao": "north"}), "no name in the mapping"),
        (lambda panel, ahead: ahead.total(weeks=4).probability(fc.any_event()), "by week"),
        (lambda panel, ahead: ahead.plot("Mali/Mopty"), "Mopty"),
        (lambda panel, ahead: ahead.total(weeks=4).plot(), "by week"),
        (lambda panel, ahead: ahead.quantiles([1.5]), "between 0 and 1"),
        (lambda panel, ahead: fc.score(ahead, panel.until("2019-01-05")), "none of the weeks"),
        (lambda panel, ahead: fc.score(ahead.total(weeks=4), panel), "by week"),
        (lambda panel, ahead: fc.combine([ahead]), "two or more"),
        (lambda panel, ahead: fc.combine([ahead, ahead], weights=[0.9, 0.9]), "sum to 1"),
        (lambda panel, ahead: fc.combine([ahead, ahead.total(weeks=2)]), "other weeks or units"),
        (lambda panel, ahead: fc.backtest(["zero"], panel, start="2050-01-01"), "no origin"),
        (lambda panel, ahead: fc.backtest(["zero", "zero"], panel), "each once"),
        (lambda panel, ahead: fc.backtest(["zero"], panel, start="soon"), "no days"),
        (lambda panel, ahead: panel.until("soon"), "no day"),
    ],
)
def test_bad_input_is_told(panel, ahead, call, said):
    with pytest.raises(fc.InputError, match=said):
        call(panel, ahead)


def test_too_little_to_learn_from(record):
    with pytest.raises(fc.InputError, match="or more to learn from"):
        fc.calibrate(record, "quarter", before="2018-07-01")
    with pytest.raises(fc.InputError, match="unknown model"):
        fc.calibrate(record, "quarterly")
