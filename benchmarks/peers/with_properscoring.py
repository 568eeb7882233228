"""properscoring, with numba."""

import sys

import numpy as np
import properscoring

from benchmarks.peers._answer import Answers

folder = sys.argv[1]
answers, data = Answers("properscoring", folder), dict(np.load(f"{folder}/scores.npz"))
if properscoring._crps._crps_ensemble_core.__module__ != "properscoring._gufuncs":
    raise SystemExit("error: it does not use numba")


def kept(name):
    """Write an array and return where; tasks are told apart by their file."""

    def keep(found):
        file = f"{folder}/properscoring-{name}.npy"
        np.save(file, found)
        return file

    return keep


samples, observed = np.ascontiguousarray(data["samples"].T, np.float64), data["observed"].astype(np.float64)
answers.time("CRPS of samples", lambda: properscoring.crps_ensemble(observed, samples), kept("samples"))
pmf, within = data["pmf"], data["within"].astype(np.float64)
support = np.ascontiguousarray(np.broadcast_to(np.arange(pmf.shape[1], dtype=np.float64), pmf.shape))
answers.time(
    "CRPS of distributions",
    lambda: properscoring.crps_ensemble(within, support, weights=pmf, issorted=True),
    kept("pmf"),
)
