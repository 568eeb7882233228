"""How often dear things are done: counts that do not depend on the machine, so that a slip is noticed at once."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.subjects.endemic_epidemic import fitted
from benchmarks.work import counted
from forecast.evaluation.backtest import run_backtest
from forecast.evaluation.planned_blocks import plan_blocks
from forecast.families.endemic_epidemic.likelihood import Likelihood
from forecast.families.model import ModelSpec
from forecast.families.protocol import Fitted
from forecast.predictive import escalation, forecast
from forecast.processes import exponential_fit, profile
from forecast.processes.exponential_fit import fit_exponential
from forecast.processes.fit import fit
from forecast.processes.hawkes import Hawkes
from forecast.processes.simulate import simulate_clusters

REFERENCE = Path(__file__).parents[1] / "reference"

# Runs a workspace in this process, and tells how many kernels were compiled, and how many versions of each.
KERNELS = """
import gc, sys
from numba.core.registry import CPUDispatcher
from forecast.cli import main
code = main(["run", "--workspace", sys.argv[1], "--workers", "1", "--draft"])
every = [each for each in gc.get_objects() if isinstance(each, CPUDispatcher)]
kernels = [each for each in every if each.__module__.startswith("forecast.")]
missed = sorted(each.__name__ for each in kernels if sum(each.stats.cache_misses.values()))
several = sorted(each.__name__ for each in kernels if len(each.signatures) > 2)
print(code, len([each for each in kernels if each.signatures]), missed, several, file=sys.stderr)
"""


def test_a_backtest_fits_once_a_block_and_forecasts_once_an_origin(plugin, tmp_path):
    plan = plugin.make_plan()
    dear = (ModelSpec, "fit"), (Fitted, "predict"), (escalation, "_tallied"), (forecast, "_first_reaching")
    with counted(*dear) as calls:
        run_backtest(plan, tmp_path / "trial", workers=1)
    forecasts = len(plan.models) * len(plan.panels) * len(plan.origins)
    assert calls["fit"] == len(plan_blocks(plan))
    assert calls["predict"] == calls["_first_reaching"] == forecasts
    assert calls["_tallied"] == forecasts * len(plan.escalations)

    with counted(*dear) as calls:
        run_backtest(plan, tmp_path / "trial", workers=1)
    assert not any(calls.values()), "finished blocks are not computed again"


@pytest.mark.slow
def test_a_run_compiles_nothing_that_an_earlier_process_has_compiled(small_workspace, tmp_path):
    for name in ("first", "second"):
        shutil.copytree(small_workspace, tmp_path / name)
        arguments = [sys.executable, "-c", KERNELS, str(tmp_path / name)]
        done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    code, kernels, told = done.stderr.splitlines()[-1].split(" ", 2)
    assert code in {"0", "3"}
    assert int(kernels) > 0
    assert told == "[] []", "compiled in the second process; in more than two versions"


def test_a_fit_of_one_node_passes_over_a_long_history_a_few_times():
    """The first fit is of a stretch; a search from several starts over all events would be 40 passes."""
    history = simulate_clusters(Hawkes.exponential(0.5, 0.6, 1.0), 50_000.0, np.random.default_rng(1))
    with counted((exponential_fit, "second_order"), (exponential_fit, "_climb")) as calls:
        found = fit_exponential(history)
    assert found.steps <= 3
    assert calls["_climb"] <= 8
    assert calls["second_order"] <= 55

    with counted((exponential_fit, "second_order")) as again:
        fit_exponential(history, start=found.parameters)
    assert again["second_order"] <= 2, "from the maximum there is nothing to climb"


def test_a_fit_of_several_nodes_evaluates_few_likelihoods():
    model = Hawkes.exponential([0.1, 0.1], [[0.3, 0.2], [0.1, 0.4]], 1.5)
    history = simulate_clusters(model, 2_000.0, np.random.default_rng(1))
    with counted((profile.Profile, "value_and_gradient")) as calls:
        fit(history)
    assert calls["value_and_gradient"] <= 12


def test_an_endemic_epidemic_refit_from_close_by_evaluates_a_few_likelihoods():
    panel = json.loads((REFERENCE / "surveillance_hhh4.json").read_text(encoding="utf-8"))
    counts, orders = np.array(panel["counts"]), np.array(panel["orders"])
    with counted((Likelihood, "at")) as first:
        point = fitted(counts[:-1], orders, "power law").point
    with counted((Likelihood, "at")) as again:
        fitted(counts, orders, "power law", point)
    assert first["at"] <= 8
    assert again["at"] <= 4
