"""The side by side with other software: the same forecasts, the same scores, nothing from the future."""

import importlib.util
import io
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from forecast.evaluation.scores import crps_pmf
from forecast.predictive.forecast import Forecast
from forecast.workspace import open_workspace

ROOT = Path(__file__).parents[2]
FILE = importlib.util.spec_from_file_location("peers_benchmark", ROOT / "benchmarks" / "studies" / "peers.py")
peers = importlib.util.module_from_spec(FILE)
before = list(sys.path)
FILE.loader.exec_module(peers)
sys.path[:] = before
study, boosted_counts, r_peers = (sys.modules[name] for name in ("study", "boosted_counts", "r_peers"))


@pytest.fixture(scope="module")
def whole() -> "study.Study":
    return study.Study.of()


def some(whole: "study.Study", first: int, count: int) -> "study.Study":
    return replace(whole, known=whole.known[first : first + count], fitted=whole.fitted[first : first + count])


def zeros(whole: "study.Study") -> list[Forecast]:
    shape = (1, whole.horizon, whole.units)
    nothing, sure = np.zeros(shape, np.int32), np.ones((*shape[1:], 1))
    return [Forecast(nothing, sure, whole.target_weeks(at), whole.panel.units) for at in range(len(whole.known))]


def changed_after(whole: "study.Study", known: int) -> "study.Study":
    counts = whole.panel.counts.copy()
    counts[known:] = 7 + counts[known:] * 3
    return replace(whole, panel=replace(whole.panel, counts=counts))


def test_a_peer_is_scored_as_the_backtest_scores_the_same_forecast(whole, tmp_path):
    record = peers.protocol([open_workspace(ROOT).catalogue["zero"]], tmp_path / "zero", workers=1)
    keys = ["origin", "horizon", "unit", "score"]
    ours = record.scores.astype({"unit": str, "score": str, "activity": str}).sort_values(keys, ignore_index=True)
    theirs = study.scores_of(whole, "zero", zeros(whole)).sort_values(keys, ignore_index=True)
    pd.testing.assert_frame_equal(
        theirs[[*keys, "activity", "value"]], ours[[*keys, "activity", "value"]], check_dtype=False
    )


def test_fits_are_renewed_every_13_weeks_at_the_borders_of_the_backtest(whole):
    assert ((whole.known - whole.fitted >= 0) & (whole.known - whole.fitted < 13)).all()
    weeks = (whole.panel.weeks[whole.fitted] - pd.Timestamp("1970-01-01")).days.to_numpy() // 7
    assert (weeks % 13 == 0).all()
    assert len(np.unique(whole.fitted)) == 13


def test_quantiles_score_like_the_distribution_they_are_of(whole):
    one = some(whole, 0, 1)
    law = stats.nbinom(2, 0.2)
    quantiles = law.ppf((np.arange(100) + 0.5) / 100)
    found = study.of_quantiles(one, 0, np.broadcast_to(quantiles[:, None, None], (100, one.horizon, one.units)))
    observed = one.panel.counts[one.known[0] : one.known[0] + one.horizon]
    scores = study.scores_of(one, "nb", [found], has_pmf=False)
    exact = crps_pmf(np.broadcast_to(law.pmf(np.arange(200)), (*observed.shape, 200)), observed).mean()
    assert scores.query("score == 'crps'")["value"].mean() == pytest.approx(exact, rel=0.01)
    assert scores.query("score == 'log'")["value"].isna().all()


def test_negative_quantiles_become_no_event(whole):
    low = np.linspace(-5, -0.6, 100)[:, None, None]
    found = study.of_quantiles(whole, 0, np.broadcast_to(low, (100, whole.horizon, whole.units)))
    assert found.pmf.shape[-1] == 1
    assert (found.pmf == 1).all()


def test_a_mixture_keeps_its_mean_in_paths_and_pmf(whole):
    rng = np.random.default_rng(1)
    mean = rng.gamma(2.0, 1.0, (50, whole.horizon, whole.units))
    found = study.mixed(whole, 0, mean, np.array(2.0), rng)
    assert found.mean() == pytest.approx(mean.mean(axis=0), rel=1e-6)
    assert found.draws == 1000
    assert found.paths.mean() == pytest.approx(mean.mean(), rel=0.02)


def test_the_features_of_the_boosting_do_not_see_the_future(whole):
    known = 900
    same = boosted_counts.features(changed_after(whole, known).panel)[: known + 1]
    np.testing.assert_array_equal(same, boosted_counts.features(whole.panel)[: known + 1])


def test_what_is_not_installed_has_a_row_without_figures(whole):
    scores = study.scores_of(whole, peers.REFERENCE, zeros(whole))
    there = peers.Outcome(peers.REFERENCE, "ours", scores, None, 1.0, "")
    risk = pd.DataFrame(columns=["origin", "unit", "unit_kind", "model", "escalation", "brier"])
    risk["origin"] = pd.to_datetime(risk["origin"])
    absent = peers.Outcome("tscount", "tscount", None, None, float("nan"), "not compared: R is not installed")
    table = peers.compare([absent, there._replace(risk=risk)])
    assert list(table.index) == [peers.REFERENCE, "tscount"]
    assert table.loc[peers.REFERENCE, "crps"] == pytest.approx(0.1686, abs=5e-5)
    assert np.isnan(table.loc["tscount", "crps"])


def test_the_page_is_that_of_the_results():
    table = pd.read_csv(io.BytesIO(peers.RESULTS.read_bytes()))
    assert peers.PAGE.read_text(encoding="utf-8") == peers.written_page(table)
    assert set(peers.PEERS) <= set(table["model"])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["hhh4-156", "hhh4-direct"])
def test_hhh4_does_not_see_the_future(whole, name):
    two = some(whole, 20, 2)
    settings = {**peers.HHH4[name], "draws": 20 if name == "hhh4-156" else 1}
    try:
        first, answer = r_peers.forecasts("hhh4", two, **settings)
    except r_peers.NotInstalledError as error:
        pytest.skip(str(error))
    second, _ = r_peers.forecasts("hhh4", changed_after(two, int(two.known[-1])), **settings)
    assert answer["fits"] == len(np.unique(two.fitted)) * (two.horizon if name == "hhh4-direct" else 1)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.pmf, other.pmf)
    past = two.panel.counts[two.known[0] - 52 : two.known[0]]
    assert first[0].mean().mean() == pytest.approx(past.mean(), rel=0.7)
