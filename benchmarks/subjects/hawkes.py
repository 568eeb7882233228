"""Maximum likelihood of self-exciting processes with an exponential kernel, in continuous time. One node: baseline,
branching and decay are estimated. Eight nodes: 8 baselines, 64 branchings and one common decay, or the same with the
true decay given. The events are simulated; the log-likelihood of what each library found is computed by the same code.
"""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.clock import timed
from benchmarks.environments import answers
from benchmarks.work import Task, beside, counted
from forecast.errors import InputError
from forecast.processes import exponential_fit, profile
from forecast.processes.baseline import Constant
from forecast.processes.exponential import Exponential, loglik
from forecast.processes.exponential_fit import fit_exponential
from forecast.processes.fit import fit
from forecast.processes.hawkes import Hawkes
from forecast.processes.history import History
from forecast.processes.kernels import ExponentialKernel
from forecast.processes.profile import Profile
from forecast.processes.simulate import simulate_clusters

TITLE = "Hawkes processes"
PEERS = ("hawkeslib", "hawkesbook", "HawkesPyLib", "Hawkes", "tick")
TRUTH, DECAY = Exponential(0.5, 0.6, 1.0), 1.5
SIZES = (1_000, 10_000, 100_000, 1_000_000)
NATS = 0.01
ONE, FIT = "log-likelihood, {:,} events", "fit, {:,} events"
EIGHT, GIVEN = "fit of eight nodes, {:,} events", "the same, decay given"


def measure() -> dict[str, Any]:
    """Measure the likelihood, fits of one node of several sizes, and of eight nodes."""
    one, many = histories(), eight_nodes()
    eight = EIGHT.format(len(many.times))
    with tempfile.TemporaryDirectory() as folder:
        events = {f"times_{size}": history.times for size, history in one.items()}
        ends = {f"end_{size}": history.end for size, history in one.items()}
        nodes = {"times": many.times, "nodes": many.nodes, "end": many.end, "decay": DECAY}
        np.savez(Path(folder) / "events.npz", sizes=SIZES, truth=TRUTH, **events, **ends, **nodes)
        told = answers(PEERS, Path(folder))
    tasks: dict[str, Task] = {}
    cost, value = timed(lambda: loglik(one[SIZES[-1]], TRUTH))
    task = ONE.format(SIZES[-1])
    tasks[task] = beside(cost, task, told, lambda found: abs(found - value), 1e-3, "the value", symmetric=True)
    for size, history in one.items():
        tasks[FIT.format(size)] = fitted_one(FIT.format(size), history, told)
    with counted((profile.Profile, "value_and_gradient")) as calls:
        fit(many)
    cost, found = timed(lambda: fit(many))
    best = found.model.loglik(many)
    tasks[eight] = beside(cost, eight, told, lambda theirs: best - multivariate(theirs, many), NATS, "log-likelihood")
    tasks[eight]["counts"] = {"likelihoods with gradient": calls["value_and_gradient"]}
    cost, given = timed(lambda: known_decay(many))
    best_given = given.loglik(many)
    tasks[GIVEN] = beside(
        cost, GIVEN, told, lambda theirs: best_given - multivariate(theirs, many), NATS, "log-likelihood"
    )
    return {"tasks": tasks}


def fitted_one(task: str, history: History, told: dict[str, Any]) -> Task:
    """Measure the fit of one node."""
    with counted((exponential_fit, "second_order")) as calls:
        fit_exponential(history)
    cost, found = timed(lambda: fit_exponential(history))

    def short(theirs: list[float]) -> float:
        return float(found.loglik - loglik(history, Exponential(*theirs)))

    made = beside(cost, task, told, short, NATS, "log-likelihood")
    return made | {"counts": {"likelihoods with two derivatives": calls["second_order"]}}


def histories() -> dict[int, History]:
    """Return the first events of one simulated path, each history open until the event after them."""
    path = simulate_clusters(Hawkes.exponential(*TRUTH), 830_000.0, np.random.default_rng(1)).times
    return {size: History.of(path[:size], end=float(path[size])) for size in SIZES}


def eight_nodes() -> History:
    """Return about 100,000 events of eight nodes, up to the last; a third of the pairs do not excite each other."""
    rng = np.random.default_rng(7)
    branching = rng.uniform(0, 0.15, (8, 8)) * (rng.random((8, 8)) < 0.7)
    branching *= 0.7 / np.abs(np.linalg.eigvals(branching)).max()
    baseline = rng.uniform(0.05, 0.2, 8)
    rate = np.linalg.solve(np.eye(8) - branching, baseline).sum()
    found = simulate_clusters(Hawkes.exponential(baseline, branching, DECAY), 1e5 / rate, rng)
    return replace(found, end=float(found.times[-1]))


def known_decay(many: History) -> Hawkes:
    """Return the maximum given the true decay."""
    given = Profile(many, Constant(), ExponentialKernel(DECAY))
    x = given.start(given.kernel)
    given.value_and_gradient(x)
    return given.model(x)


def multivariate(found: list[Any], many: History) -> float:
    """Return the log-likelihood of what a library found: baselines, branchings, decay; none if it is no process."""
    baseline, branching, decay = found
    try:
        return float(Hawkes.exponential(baseline, np.maximum(branching, 0.0), decay).loglik(many))
    except InputError:
        return -np.inf
