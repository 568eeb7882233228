"""tick: eight nodes; its decay has to be given, so that it maximises over baselines and branchings alone."""

import sys

import numpy as np
from tick.hawkes import HawkesExpKern

from benchmarks.peers._answer import Answers

answers, data = Answers("tick", sys.argv[1]), np.load(f"{sys.argv[1]}/events.npz")
nodes = [np.ascontiguousarray(data["times"][data["nodes"] == node]) for node in range(8)]


def fitted():
    """Return baselines, branchings and the decay."""
    learner = HawkesExpKern(float(data["decay"]), gofit="likelihood", penalty="none", tol=1e-9, max_iter=3000)
    learner.fit([nodes], end_times=float(data["end"]))
    return [learner.baseline.tolist(), learner.adjacency.tolist(), float(data["decay"])]


answers.time("the same, decay given", fitted, list)
