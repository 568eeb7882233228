"""INGARCH models: one series and a panel, beside tscount where R has it.

The series is that of `campy.csv` in the folder that ESCALATION_FORECAST_REFERENCE names, else a simulated one of its
length; the panel is Mali, Burkina Faso and Niger of the embedded counts. Prints medians of the time per fit.
"""

from __future__ import annotations

import csv
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from forecast.families.ingarch.family import Ingarch
from forecast.families.ingarch.interventions import search_intervention
from forecast.families.ingarch.likelihood import POISSON
from forecast.families.ingarch.order import Order
from forecast.families.ingarch.series import Series, fit_series
from forecast.panel.dataset import Dataset

ROOT = Path(__file__).parent.parent
COUNTRIES = ("Mali", "Burkina Faso", "Niger")
ORDER = Order((1,), (13,))

TSCOUNT = """
library(tscount)
y <- scan("{file}", quiet = TRUE)
model <- list(past_obs = 1, past_mean = 13)
fit <- tsglm(y, model = model, distr = "nbinom")
quasi <- tsglm(y, model = model)$final$value
seconds <- median(replicate(5, system.time(tsglm(y, model = model, distr = "nbinom"))["elapsed"]))
search <- system.time(interv_detect(fit, delta = 1, est_interv = FALSE))["elapsed"]
cat(sprintf("%-34s %9.1f ms   quasi %.5f   log-likelihood %.5f\\n", "tscount", 1000 * seconds, quasi, logLik(fit)))
cat(sprintf("%-34s %9.1f ms\\n", "tscount, search for a level shift", 1000 * search))
"""


def campy() -> tuple[np.ndarray, str]:
    """Return the counts and what they are."""
    file = Path(os.environ.get("ESCALATION_FORECAST_REFERENCE", "")) / "campy.csv"
    if file.is_file():
        with file.open() as rows:
            return np.array([int(row[1]) for row in list(csv.reader(rows))[1:]]), "campy, 140 counts"
    return np.random.default_rng(1).poisson(np.random.default_rng(2).gamma(8, 1.4, 140)), "140 simulated counts"


def median_ms(work: Callable[[], object], times: int) -> float:
    """Return the median time of a call in milliseconds, after one that compiles."""
    work()
    taken = []
    for _ in range(times):
        begun = time.perf_counter()
        work()
        taken.append(1000 * (time.perf_counter() - begun))
    return statistics.median(taken)


def tscount(counts: np.ndarray) -> str:
    """Return what tscount says of the same series, or that it is not installed."""
    script = shutil.which("Rscript")
    missing = "tscount: not installed"
    if script is None:
        return missing
    with tempfile.TemporaryDirectory() as folder:
        file, program = Path(folder) / "counts.txt", Path(folder) / "fit.R"
        file.write_text("\n".join(str(count) for count in counts))
        program.write_text(TSCOUNT.format(file=file.as_posix()))
        done = subprocess.run([script, str(program)], capture_output=True, text=True, check=False)
    return done.stdout.rstrip() if done.returncode == 0 else missing


def main() -> None:
    """Print times and likelihoods."""
    counts, what = campy()
    series = Series.of(counts, ORDER)
    print(what)
    for estimator in ("quasi", "likelihood"):
        fit = fit_series(series, distribution="negbin", estimator=estimator)
        taken = median_ms(lambda kind=estimator: fit_series(series, distribution="negbin", estimator=kind), 20)
        quasi = series.score(fit.theta, POISSON)[0] + float(sum(np.log(np.arange(1, y + 1)).sum() for y in counts))
        label = f"series, {estimator}"
        print(f"{label:34} {taken:9.1f} ms   quasi {quasi:.5f}   log-likelihood {fit.log_likelihood:.5f}")
    fit = fit_series(series, distribution="negbin")
    print(f"{'series, search for a level shift':34} {median_ms(lambda: search_intervention(fit, 1.0), 20):9.1f} ms")
    print(tscount(counts))

    rng = np.random.default_rng(1)
    panel = Dataset.open(ROOT / "data" / "west-africa-weekly").region_panel(countries=COUNTRIES)
    weeks, units = panel.counts.shape
    print(f"panel, {units} regions, {weeks} weeks")
    before = panel.weeks_between(0, weeks - 13)
    for link in ("identity", "log"):
        model = Ingarch(link=link)
        start = model.fit(before, rng)
        print(f"{f'fit, {link} link':34} {median_ms(lambda m=model: m.fit(panel, rng), 5):9.1f} ms")
        print(f"{'refit after 13 weeks':34} {median_ms(lambda m=model, s=start: m.refit(panel, rng, s), 5):9.1f} ms")
        print(f"{'forecast, 8 weeks, 1,000 paths':34} {median_ms(lambda s=start: s.predict(8, 1000, rng), 10):9.1f} ms")


if __name__ == "__main__":
    main()
