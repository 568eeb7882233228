"""Hawkes processes side by side with other libraries: one likelihood, full fits, eight nodes.

Needs nothing but this package. Peers are measured where they can be imported, in the interpreter that ``--peers`` names
(another virtual environment, with numpy and any of hawkeslib, hawkesbook, Hawkes, HawkesPyLib, tick); all read the same
simulated events, one after the other, medians of five. Writes ``benchmarks/results/hawkes.csv`` and prints it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from forecast.processes.baseline import Constant
from forecast.processes.exponential import Exponential, loglik, loglik_gradient
from forecast.processes.exponential_fit import fit_exponential
from forecast.processes.fit import fit
from forecast.processes.hawkes import Hawkes
from forecast.processes.history import History
from forecast.processes.kernels import ExponentialKernel
from forecast.processes.profile import Profile
from forecast.processes.simulate import simulate_clusters

TRUTH = Exponential(0.5, 0.6, 1.0)
DECAY = 1.5
REPEATS = 5
STATED = {  # seconds of an idle machine, for peers that are not at hand
    ("hawkeslib 0.2.2", "loglik 1e6"): 0.028,
    ("hawkeslib 0.2.2", "fit 1e5"): 0.070,
    ("hawkeslib 0.2.2", "fit 1e6"): 0.84,
    ("hawkeslib 0.2.2", "eight nodes 1e5"): 2.2,
}

PEERS = r"""
import json, statistics, sys, time, warnings
import numpy as np
warnings.simplefilter("ignore")
folder, repeats = sys.argv[1], int(sys.argv[2])
data = np.load(folder + "/events.npz")
big, small = data["big"], data["big"][: len(data["big"]) // 10]
def median(work):
    work()
    seconds = []
    for _ in range(repeats):
        begun = time.perf_counter(); out = work(); seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds), out
def say(library, task, work, parameters=lambda out: None):
    try:
        seconds, out = median(work)
        print(json.dumps([library, task, seconds, parameters(out)]), flush=True)
    except Exception as error:
        print(f"{library}, {task}: {error!r}", file=sys.stderr)
try:
    from hawkeslib import MultivariateExpHawkesProcess, UnivariateExpHawkesProcess
    def fitted(t):
        process = UnivariateExpHawkesProcess(); process.fit(t, T=t[-1]); return [float(p) for p in process.get_params()]
    process = UnivariateExpHawkesProcess(); process.set_params(0.5, 0.6, 1.0)
    say("hawkeslib 0.2.2", "loglik 1e6", lambda: process.log_likelihood(big, big[-1]))
    for task, t in (("fit 1e5", small), ("fit 1e6", big)):
        say("hawkeslib 0.2.2", task, lambda: fitted(t), list)
    def many():
        process = MultivariateExpHawkesProcess()
        process.fit(data["times"], data["nodes"], float(data["end"]))
        mu, n, decay = process.get_params()
        return [mu.tolist(), n.T.tolist(), float(decay)]
    say("hawkeslib 0.2.2", "eight nodes 1e5", many, list)
except ImportError:
    pass
try:
    import hawkesbook
    from hawkesbook import hawkes as book
    say("hawkesbook 0.1.0", "loglik 1e6", lambda: book.exp_log_likelihood(big, big[-1], np.array([0.5, 0.6, 1.0])))
    for task, t in (("fit 1e5", small), ("fit 1e6", big)):
        say("hawkesbook 0.1.0", task, lambda: book.exp_mle(t, t[-1], np.array([1.0, 1.0, 2.0])),
            lambda p: [float(p[0]), float(p[1] / p[2]), float(p[2])])
except ImportError:
    pass
try:
    from HawkesPyLib.inference import ExpHawkesProcessInference
    for task, t in (("fit 1e5", small), ("fit 1e6", big)):
        def work():
            process = ExpHawkesProcessInference(); process.estimate(t, t[-1])
            return process.get_params()
        say("HawkesPyLib 0.3.0", task, work,
            lambda p: [float(p[0]), float(p[1]), 1.0 / float(p[2])] if p[2] < 1e3 else None)
except ImportError:
    pass
try:
    from tick.hawkes import HawkesExpKern
    nodes = [data["times"][data["nodes"] == k] for k in range(8)]
    def given():
        learner = HawkesExpKern(float(data["decay"]), gofit="likelihood", penalty="none", tol=1e-9, max_iter=3000)
        learner.fit([nodes])
        return [learner.baseline.tolist(), learner.adjacency.tolist(), float(data["decay"])]
    say("tick 0.8.0.2 (decay given)", "eight nodes 1e5", given, list)
except ImportError:
    pass
"""


def median(work: Callable[[], object]) -> tuple[float, object]:
    """Seconds in the middle of five runs after one that compiles, and what came out."""
    out = work()
    seconds = []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        out = work()
        seconds.append(time.perf_counter() - begun)
    return statistics.median(seconds), out


def eight_nodes() -> History:
    """About 100,000 events of eight nodes, a third of whose pairs do not excite each other."""
    rng = np.random.default_rng(7)
    branching = rng.uniform(0, 0.15, (8, 8)) * (rng.random((8, 8)) < 0.7)
    branching *= 0.7 / np.abs(np.linalg.eigvals(branching)).max()
    baseline = rng.uniform(0.05, 0.2, 8)
    rate = np.linalg.solve(np.eye(8) - branching, baseline).sum()
    model = Hawkes.exponential(baseline, branching, DECAY)
    return simulate_clusters(model, 1e5 / rate, rng)


def ours(big: History, many: History) -> list[tuple[str, str, float, object]]:
    """Measure this package."""
    small = History.of(big.times[: len(big.times) // 10], end=float(big.times[len(big.times) // 10 - 1]))
    rows = []
    for task, work in (
        ("loglik 1e6", lambda: loglik(big, TRUTH)),
        ("loglik and gradient 1e6", lambda: loglik_gradient(big, TRUTH)),
        ("fit 1e5", lambda: list(fit_exponential(small).parameters)),
        ("fit 1e6", lambda: list(fit_exponential(big).parameters)),
    ):
        rows.append(("this package", task, *median(work)))
    seconds, found = median(lambda: fit(many))
    model = found.model  # type: ignore[attr-defined]
    decay = model.kernels[0][0].decay
    parameters = [np.exp(model.coefficients[:, 0]).tolist(), model.branching.tolist(), decay]
    rows.append(("this package", "eight nodes 1e5", seconds, parameters))
    given, given_model = median(lambda: known_decay(many))
    parameters = [np.exp(given_model.coefficients[:, 0]).tolist(), given_model.branching.tolist(), DECAY]  # type: ignore[attr-defined]
    return [*rows, ("this package (decay given)", "eight nodes 1e5", given, parameters)]


def known_decay(many: History) -> Hawkes:
    """The highest likelihood that any library can reach that is given the true decay."""
    profile = Profile(many, Constant(), ExponentialKernel(DECAY))
    x = profile.start(profile.kernel)
    profile.value_and_gradient(x)
    return profile.model(x)


def peers(python: str, big: History, many: History) -> list[tuple[str, str, float, object]]:
    """Measure the libraries that another interpreter has."""
    with tempfile.TemporaryDirectory() as folder:
        np.savez(
            Path(folder) / "events.npz", big=big.times, times=many.times, nodes=many.nodes, end=many.end, decay=DECAY
        )
        command = [python, "-c", PEERS, folder, str(REPEATS)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    print(done.stderr[-2000:], file=sys.stderr)
    return [tuple(json.loads(line)) for line in done.stdout.splitlines() if line.startswith("[")]


def likelihood(task: str, parameters: object, big: History, many: History) -> float:
    """The log-likelihood at what a library found, all by the same code; NaN if it found nothing."""
    try:
        if task == "eight nodes 1e5":
            mu, branching, decay = parameters  # type: ignore[misc]
            return Hawkes.exponential(mu, np.maximum(branching, 0.0), decay).loglik(many)
        if task.startswith("fit"):
            size = len(big.times) // (10 if task == "fit 1e5" else 1)
            return loglik(History.of(big.times[:size], end=float(big.times[size - 1])), Exponential(*parameters))  # type: ignore[misc]
    except (ValueError, TypeError) as error:
        print(error, file=sys.stderr)
    return float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", default=sys.executable, help="an interpreter that has other libraries")
    python = parser.parse_args().peers
    for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[threads] = "1"
    times = simulate_clusters(Hawkes.exponential(*TRUTH), 820_000.0, np.random.default_rng(1)).times[:1_000_000]
    big = History.of(times, end=float(times[-1]))
    many = eight_nodes()
    rows = ours(big, many) + peers(python, big, many)
    table = pd.DataFrame(rows, columns=["library", "task", "seconds", "parameters"])
    table["loglik"] = [likelihood(row.task, row.parameters, big, many) for row in table.itertuples()]
    mine = table[table["library"] == "this package"].set_index("task")
    measured = set(zip(table["library"], table["task"], strict=True))
    stated = [(*key, value, None, np.nan) for key, value in STATED.items() if key not in measured]
    if stated:
        table = pd.concat(
            [table, pd.DataFrame(stated, columns=table.columns).assign(library=lambda t: t["library"] + " (stated)")]
        )
    table["times ours"] = table["seconds"] / table["task"].map(mine["seconds"])
    table["nats below ours"] = table["task"].map(mine["loglik"]) - table["loglik"]
    table = table.drop(columns="parameters").sort_values(["task", "seconds"], ignore_index=True)
    results = Path(__file__).parent / "results"
    results.mkdir(exist_ok=True)
    table.to_csv(results / "hawkes.csv", index=False, float_format="%.6g")
    print(table.to_string(index=False))
    print(f"{1e9 * mine.loc['loglik and gradient 1e6', 'seconds'] / len(big.times):.1f} ns an event with gradient")
    if (table["nats below ours"] < -0.01).any():
        sys.exit("a peer found a higher likelihood")


if __name__ == "__main__":
    main()
