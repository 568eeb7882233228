"""hawkeslib: one node, and several nodes with one common decay."""

import sys

import numpy as np
from hawkeslib import MultivariateExpHawkesProcess, UnivariateExpHawkesProcess

from benchmarks.peers._answer import Answers

answers, data = Answers("hawkeslib", sys.argv[1]), np.load(f"{sys.argv[1]}/events.npz")
process = UnivariateExpHawkesProcess()
process.set_params(*(float(each) for each in data["truth"]))
largest = int(data["sizes"][-1])
events, until = data[f"times_{largest}"], float(data[f"end_{largest}"])
answers.time(f"log-likelihood, {largest:,} events", lambda: process.log_likelihood(events, until), float)


def fitted(times, end):
    """Return baseline, branching and decay."""
    made = UnivariateExpHawkesProcess()
    made.fit(times, T=end)
    return [float(each) for each in made.get_params()]


def fitted_nodes():
    """Return baselines, branchings (from, to turned into to, from) and the decay."""
    made = MultivariateExpHawkesProcess()
    made.fit(data["times"], data["nodes"], float(data["end"]))
    baseline, branching, decay = made.get_params()
    return [baseline.tolist(), branching.T.tolist(), float(decay)]


for size in data["sizes"]:
    answers.time(f"fit, {size:,} events", lambda at=size: fitted(data[f"times_{at}"], float(data[f"end_{at}"])), list)
answers.time(f"fit of eight nodes, {len(data['times']):,} events", fitted_nodes, list)
