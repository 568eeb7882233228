import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from forecast.errors import InputError
from forecast.panel.panel import Panel
from forecast.panel.units import Units
from forecast.predictive import negbin
from forecast.predictive.escalation import AboveRecent, AnyEvent, Increase
from forecast.predictive.forecast import Forecast
from forecast.predictive.risk import risk_table
from forecast.predictive.unit_stream import write_streamed

UNITS = 23
RULES = (
    AnyEvent(name="any", rule="any_event", weeks=2),
    AboveRecent(name="above", rule="above_recent", window=26),
    Increase(name="double", rule="increase"),
)
LEVELS = (0.05, 0.5, 0.975)


@pytest.fixture(scope="module")
def case():
    """A panel, and forecasts of two models, some of whose units have a mass beyond the head."""
    rng = np.random.default_rng(4)
    rates = np.r_[rng.gamma(0.3, 2, UNITS - 1), 900.0]
    weeks = pd.date_range("2022-01-01", periods=164, freq="7D", unit="s")
    counts = rng.poisson(rates, (160, UNITS))
    observed = np.ones(counts.shape, dtype=bool)
    observed[150:, 3] = False
    panel = Panel.of(counts, weeks[:160], Units.of([f"unit {at}" for at in range(UNITS)]), observed=observed)

    def forecast(model, factor):
        mean = np.broadcast_to(rates * factor, (4, UNITS))
        paths = negbin.sample(np.broadcast_to(mean, (300, 4, UNITS)), 0.7, rng).astype(np.int32)
        pmf = negbin.mixture_pmf(mean[None], 0.7, limit=200)
        return Forecast(paths, pmf, weeks[160:], panel.units, model)

    return panel, [forecast("one", 1.0), forecast("two", 1.7)]


def written(folder, case, chunk):
    panel, forecasts = case
    write_streamed(folder, iter(forecasts), RULES, panel, levels=LEVELS, head=6, chunk=chunk)
    return {name: pq.read_table(folder / f"{name}.parquet").to_pandas() for name in ("forecasts", "risk")}


@pytest.mark.parametrize("chunk", [1, 7, 23, 512])
def test_streamed_numbers_are_the_bytes_of_those_of_whole_forecasts(case, tmp_path, chunk):
    panel, forecasts = case
    found = written(tmp_path / "large", case, chunk)
    laws, risks = found["forecasts"], found["risk"]
    assert (forecasts[0].tail() > 1e-3).any()
    whole = pd.concat([each.to_frame(LEVELS).assign(model=each.model) for each in forecasts], ignore_index=True)
    whole["at"] = whole["unit"].map(panel.units.names.index)
    whole["of"] = whole["model"].map(["one", "two"].index)
    whole = whole.sort_values(["of", "at", "horizon"], kind="stable")
    for name in ("model", "unit", "horizon"):
        assert laws[name].astype(whole[name].dtype).tolist() == whole[name].tolist()
    assert (pd.to_datetime(laws["week"]).to_numpy() == whole["week"].to_numpy()).all()
    assert laws["mean"].to_numpy().tobytes() == whole["mean"].to_numpy().tobytes()
    for level in LEVELS:
        assert laws[f"q{level:g}"].to_numpy().tobytes() == whole[f"q{level:g}"].to_numpy().astype("int32").tobytes()
    for count in range(6):
        head = np.concatenate([each.pmf[..., count].T.ravel() for each in forecasts])
        assert laws[f"p{count}"].to_numpy().tobytes() == head.astype("float32").tobytes()

    table = risk_table(RULES, {each.model: each for each in forecasts}, panel)
    order = ["model", "unit", "escalation"]
    mine, theirs = (each.astype(dict.fromkeys(order, str)).sort_values(order) for each in (risks, table))
    for name in (*order, "probability", "base_rate", "base_origins", "level"):
        left, right = mine[name].to_numpy(), theirs[name].to_numpy()
        same = np.array_equal(left, right, equal_nan=True) if left.dtype.kind == "f" else (left == right).all()
        assert same, name
    assert np.isnan(mine["probability"]).sum() == np.isnan(theirs["probability"]).sum()


def test_a_head_that_is_longer_than_the_distribution_ends_in_zeros(case, tmp_path):
    panel, forecasts = case
    short = Forecast(np.zeros((2, 4, UNITS), np.int32), np.ones((4, UNITS, 1)), forecasts[0].weeks, panel.units, "zero")
    write_streamed(tmp_path / "large", [short], [], panel, levels=[0.5], head=3)
    table = pq.read_table(tmp_path / "large" / "forecasts.parquet").to_pandas()
    assert table[["p0", "p1", "p2"]].drop_duplicates().to_numpy().tolist() == [[1, 0, 0]]


def test_forecasts_are_made_one_after_the_other(case, tmp_path):
    """A generator is asked for the next only when all of the last is written."""
    panel, forecasts = case
    alive = []

    def made():
        for each in forecasts:
            alive.append(each.model)
            assert len(alive) == 1
            yield each
            alive.remove(each.model)

    write_streamed(tmp_path / "large", made(), RULES, panel, levels=LEVELS, chunk=5)
    assert not alive


def test_other_units_are_refused_and_nothing_is_written(case, tmp_path):
    panel, forecasts = case
    other = forecasts[0].take_units(list(reversed(panel.units.names)))
    with pytest.raises(InputError, match="other units"):
        write_streamed(tmp_path / "large", [forecasts[0], other], RULES, panel, levels=LEVELS)
    with pytest.raises(InputError, match="at least 1"):
        write_streamed(tmp_path / "large", forecasts, RULES, panel, levels=LEVELS, chunk=0)
    assert list(tmp_path.iterdir()) == []
