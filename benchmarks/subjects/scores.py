"""CRPS of whole-numbered samples beside properscoring and scoringrules: 200,000 forecasts of 200 samples, one thread.

properscoring is no dependency: it is installed for the time of the comparison into an environment of its own, unless
``--without-properscoring`` is given. Prints medians in seconds of the processor, and the largest difference from the
closed form over all pairs of samples.

    python benchmarks/integer_crps.py
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from collections.abc import Callable
from pathlib import Path

THREADS = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
for _name in THREADS:
    os.environ.setdefault(_name, "1")

import numpy as np  # noqa: E402 - after the threads are set
import scoringrules as sr  # noqa: E402

from forecast.evaluation.sample_scores import crps_samples  # noqa: E402

FORECASTS, SAMPLES, TIMES = 200_000, 200, 7

PROPERSCORING = """
import statistics, sys, time
import numpy as np
import properscoring
samples, observed = np.load(sys.argv[1]), np.load(sys.argv[2])
taken = []
for _ in range(int(sys.argv[3]) + 1):
    begun = time.process_time()
    found = properscoring.crps_ensemble(observed, samples)
    taken.append(time.process_time() - begun)
np.save(sys.argv[4], found)
print(statistics.median(taken[1:]), properscoring.crps_ensemble.__module__)
"""


def simulated() -> tuple[np.ndarray, np.ndarray]:
    """Return samples (m, forecasts), counts of mostly quiet and some violent regions, and observations."""
    rng = np.random.default_rng(1)
    rate = rng.gamma(0.4, 8.0, FORECASTS)
    return rng.poisson(rng.gamma(1.5, rate / 1.5, (SAMPLES, FORECASTS))).astype(np.int32), rng.poisson(rate)


def seconds(work: Callable[[], object]) -> float:
    """Return the median time of a call, after one that compiles."""
    work()
    taken = []
    for _ in range(TIMES):
        begun = time.process_time()
        work()
        taken.append(time.process_time() - begun)
    return statistics.median(taken)


def properscoring(samples: np.ndarray, observed: np.ndarray) -> tuple[float, np.ndarray] | None:
    """Return the time and the scores of properscoring with numba, in an environment of its own; None without it."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        venv.create(place / "venv", with_pip=True)
        python = str(place / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python")
        wanted = ["properscoring", "numpy", "numba", "scipy"]
        done = subprocess.run([python, "-m", "pip", "install", "--quiet", *wanted], check=False)
        if done.returncode:
            return None
        files = [str(place / name) for name in ("samples.npy", "observed.npy", "found.npy")]
        np.save(files[0], np.ascontiguousarray(samples.T, np.float64))
        np.save(files[1], observed.astype(np.float64))
        command = [python, "-c", PROPERSCORING, files[0], files[1], str(TIMES), files[2]]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            print(done.stderr.strip().splitlines()[-1], file=sys.stderr)
            return None
        return float(done.stdout.split()[0]), np.load(files[2])


def main() -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--without-properscoring", action="store_true")
    options = parser.parse_args()
    samples, observed = simulated()
    found = crps_samples(samples, observed)
    own = seconds(lambda: crps_samples(samples, observed))
    rows = np.ascontiguousarray(samples.T)
    turned = seconds(lambda: crps_samples(rows.T, observed))
    floats = rows.astype(np.float64)
    other = seconds(lambda: sr.crps_ensemble(observed, floats, estimator="qd", sorted_ensemble=False))
    some = slice(0, 2000)
    x = samples[:, some].astype(np.float64)
    pairs = np.abs(x - observed[some]).mean(axis=0) - np.abs(x[:, None] - x[None]).mean(axis=(0, 1)) / 2
    print(f"{FORECASTS:,} forecasts of {SAMPLES} samples; largest difference {np.abs(found[some] - pairs).max():.1e}")
    print(f"forecast, samples first {own:9.3f} s")
    print(f"forecast, samples last  {turned:9.3f} s")
    print(f"scoringrules            {other:9.3f} s  {other / own:5.1f} times as long")
    beside = None if options.without_properscoring else properscoring(samples, observed)
    if beside is None:
        print("properscoring: not installed")
    else:
        print(f"properscoring           {beside[0]:9.3f} s  {beside[0] / own:5.1f} times as long")
        print(f"largest difference from properscoring {np.abs(beside[1] - found).max():.1e}")


if __name__ == "__main__":
    main()
