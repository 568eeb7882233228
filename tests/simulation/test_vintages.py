from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from forecast.panel.units import Units
from forecast.panel.weeks import WEEK
from forecast.simulation.vintages import VintageSettings, simulate_vintages

WEEKS = pd.date_range("2024-01-06", periods=104, freq="7D", unit="s", name="week")
UNITS = Units.of([f"unit {at}" for at in range(4)])


def simulated(seed=1, **settings):
    return simulate_vintages(VintageSettings(**settings), WEEKS, UNITS, np.random.default_rng(seed))


def test_there_is_a_vintage_after_each_week_that_ends_there():
    history = simulated()
    assert list(history.known) == list(WEEKS + WEEK)
    for origin, panel in history.known.items():
        assert panel.origin == origin
        assert panel.simulated
        assert panel.source.startswith("SIMULATED")


def test_without_errors_the_record_grows_to_the_final_counts_and_no_further():
    history = simulated()
    last = len(VintageSettings().delay) - 1
    origins = list(history.known)
    for earlier, later in pairwise(origins):
        before, after = history.known[earlier].counts, history.known[later].counts
        assert (after[: len(before)] >= before).all()
    newest = history.known[origins[-1]].counts
    np.testing.assert_array_equal(newest[:-last], history.final.counts[:-last])
    assert newest[-last:].sum() < history.final.counts[-last:].sum()


def test_the_share_known_after_each_delay_is_that_of_the_settings():
    history = simulated(mean=50, spread=0)
    weeks = slice(0, 90)
    total = history.final.counts[weeks].sum()
    delay = VintageSettings().delay
    for age, expected in enumerate(np.cumsum(delay)):
        known = sum(history.known[week + (age + 1) * WEEK].counts[at].sum() for at, week in enumerate(WEEKS[weeks]))
        assert known / total == pytest.approx(expected, abs=4 * np.sqrt(0.25 / total))


def test_false_events_enter_and_are_all_deleted_in_time():
    history = simulated(false_share=0.2, deletion=0.5)
    newest = history.known[WEEKS[-1] + WEEK].counts
    gone = any(
        (history.known[later].counts[: at + 1] < history.known[earlier].counts).any()
        for at, (earlier, later) in enumerate(pairwise(WEEKS + WEEK))
    )
    assert gone
    np.testing.assert_array_equal(newest[:50], history.final.counts[:50])
    early = np.array([history.known[week + 8 * WEEK].counts[at] for at, week in enumerate(WEEKS[:90])])
    assert early.sum() > history.final.counts[:90].sum()


def test_batches_scatter_the_share_that_is_known_at_once():
    def spread(history):
        known = np.array([history.known[week + WEEK].counts[at] for at, week in enumerate(WEEKS)])
        final = history.final.counts
        share = known.sum() / final.sum()
        return ((known - share * final) ** 2).sum() / (final * share * (1 - share)).sum()

    assert spread(simulated(mean=30)) == pytest.approx(1, abs=0.25)
    assert spread(simulated(mean=30, batching=0.2)) > 4


def test_same_seed_same_history():
    one, two = simulated(false_share=0.1, batching=0.1), simulated(false_share=0.1, batching=0.1)
    for origin in one.known:
        np.testing.assert_array_equal(one.known[origin].counts, two.known[origin].counts)


def test_delays_that_are_no_distribution_are_refused():
    with pytest.raises(ValidationError, match=r"sum to 0\.9"):
        VintageSettings(delay=(0.5, 0.4))
