"""HawkesPyLib: one node."""

import sys

import numpy as np
from HawkesPyLib.inference import ExpHawkesProcessInference

from benchmarks.peers._answer import Answers

answers, data = Answers("HawkesPyLib", sys.argv[1]), np.load(f"{sys.argv[1]}/events.npz")


def fitted(times, end):
    """Return baseline, branching and mean delay."""
    process = ExpHawkesProcessInference()
    process.estimate(times, end)
    return process.get_params()


for size in data["sizes"]:
    answers.time(
        f"fit, {size:,} events",
        lambda at=size: fitted(data[f"times_{at}"], float(data[f"end_{at}"])),
        lambda found: [float(found[0]), float(found[1]), 1.0 / float(found[2])],
    )
