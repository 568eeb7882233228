"""Hawkes (the distribution is called hawkes): one node, a constant baseline and one exponential."""

import contextlib
import io
import sys

import numpy as np
from Hawkes import estimator, model

from benchmarks.peers._answer import Answers

answers, data = Answers("Hawkes", sys.argv[1]), np.load(f"{sys.argv[1]}/events.npz")
if not model.cython_import:
    raise SystemExit("error: its kernels were not compiled")


def fitted(times, end):
    """Return the parameters; it tells its steps on the way."""
    with contextlib.redirect_stdout(io.StringIO()):
        return estimator().set_kernel("exp", num_exp=1).set_baseline("const").fit(times, [0.0, end]).para


for size in data["sizes"]:
    answers.time(
        f"fit, {size:,} events",
        lambda at=size: fitted(data[f"times_{at}"], float(data[f"end_{at}"])),
        lambda found: [float(np.squeeze(found[name])) for name in ("mu", "alpha", "beta")],
    )
