"""hawkesbook: one node, by SLSQP from the start of its documentation's examples."""

import sys

import numpy as np
from hawkesbook import hawkes

from benchmarks.peers._answer import Answers

answers, data = Answers("hawkesbook", sys.argv[1]), np.load(f"{sys.argv[1]}/events.npz")
baseline, branching, decay = (float(each) for each in data["truth"])
truth = np.array([baseline, branching * decay, decay])
largest = int(data["sizes"][-1])
events, until = data[f"times_{largest}"], float(data[f"end_{largest}"])
answers.time(f"log-likelihood, {largest:,} events", lambda: hawkes.exp_log_likelihood(events, until, truth), float)
for size in data["sizes"]:
    times, end = data[f"times_{size}"], float(data[f"end_{size}"])
    answers.time(
        f"fit, {size:,} events",
        lambda t=times, T=end: hawkes.exp_mle(t, T, np.array([1.0, 1.0, 2.0])),
        lambda found: [float(found[0]), float(found[1] / found[2]), float(found[2])],
    )
