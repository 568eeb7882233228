"""scoringrules, with numba; samples last, as its fastest functions want them."""

import sys

import numpy as np
import scoringrules as sr

from benchmarks.peers._answer import Answers

folder = sys.argv[1]
answers, data = Answers("scoringrules", folder), dict(np.load(f"{folder}/scores.npz"))
sr.backends.set_active("numba")


def kept(name):
    """Write an array and return where."""

    def keep(found):
        file = f"{folder}/scoringrules-{name}.npy"
        np.save(file, found)
        return file

    return keep


samples, observed = np.ascontiguousarray(data["samples"].T, np.float64), data["observed"].astype(np.float64)
answers.time("CRPS of samples", lambda: sr.crps_ensemble(observed, samples), kept("samples"))
pmf, within = data["pmf"], data["within"].astype(np.float64)
support = np.ascontiguousarray(np.broadcast_to(np.arange(pmf.shape[1], dtype=np.float64), pmf.shape))
answers.time(
    "CRPS of distributions",
    lambda: sr.crps_ensemble(within, support, ens_w=pmf, sorted_ensemble=True),
    kept("pmf"),
)
quantiles, levels = np.ascontiguousarray(data["quantiles"].T), data["levels"]
half = len(levels) // 2
lower, upper = np.ascontiguousarray(quantiles[:, :half]), np.ascontiguousarray(quantiles[:, :half:-1])
answers.time(
    "weighted interval score",
    lambda: sr.weighted_interval_score(observed[: len(pmf)], quantiles[:, half], lower, upper, 2 * levels[:half]),
    kept("quantiles"),
)
paths, outcomes = (
    np.ascontiguousarray(np.moveaxis(data["paths"], 0, 1), np.float64),
    data["outcomes"].astype(np.float64),
)
answers.time("energy score of paths", lambda: sr.es_ensemble(outcomes, paths), kept("energy"))
answers.time("variogram score of paths", lambda: sr.vs_ensemble(outcomes, paths, p=0.5), kept("variogram"))
