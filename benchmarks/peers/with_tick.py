"""tick: eight nodes; its decay has to be given, so that it maximises over baselines and branchings alone."""

import sys

import numpy as np
from tick.hawkes import HawkesExpKern

from benchmarks.peers._answer import Answers

answers, data = Answers("tick", sys.argv[1]), np.load(f"{sys.argv[1]}/events.npz")
nodes = [np.ascontiguousarray(data["times"][data["nodes"] == node]) for node in range(8)]


def fitted():
    """Return baselines, branchings and the decay."""
    options = {"gofit": "likelihood", "penalty": "none", "tol": 1e-10, "random_state": 1}
    # Its default solver, and gradient descent, end with an error on these events; this step gave the shortest time.
    learner = HawkesExpKern(float(data["decay"]), solver="svrg", step=1e-3, max_iter=100, **options)
    learner.fit([nodes])  # which ends at the last event
    return [learner.baseline.tolist(), learner.adjacency.tolist(), float(data["decay"])]


answers.time("the same, decay given", fitted, list)
