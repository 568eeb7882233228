"""How often dear things are done: counts that do not depend on the machine, so that a slip is noticed at once."""

import shutil
import subprocess
import sys
from collections import Counter

import pytest

from forecast.evaluation.backtest import run_backtest
from forecast.evaluation.planned_blocks import plan_blocks
from forecast.families.model import ModelSpec
from forecast.families.protocol import Fitted
from forecast.predictive import escalation, forecast

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


@pytest.fixture
def counted(monkeypatch):
    """Return a counter of calls, and a way to count those of a function."""
    calls = Counter()

    def count(owner, name):
        done = getattr(owner, name)

        def counting(*arguments, **named):
            calls[name] += 1
            return done(*arguments, **named)

        monkeypatch.setattr(owner, name, counting)

    return calls, count


def test_a_backtest_fits_once_a_block_and_forecasts_once_an_origin(plugin, tmp_path, counted):
    calls, count = counted
    count(ModelSpec, "fit")
    count(Fitted, "predict")
    count(escalation, "_tallied")
    count(forecast, "_first_reaching")
    plan = plugin.make_plan()
    run_backtest(plan, tmp_path / "trial", workers=1)

    forecasts = len(plan.models) * len(plan.panels) * len(plan.origins)
    assert calls["fit"] == len(plan_blocks(plan))
    assert calls["predict"] == calls["_first_reaching"] == forecasts
    assert calls["_tallied"] == forecasts * len(plan.escalations)

    calls.clear()
    run_backtest(plan, tmp_path / "trial", workers=1)
    assert not calls, "finished blocks are not computed again"


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
