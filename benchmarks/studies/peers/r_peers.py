"""The peers in R: `hhh4.R` and `tscount.R`, which share their files."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from scipy import sparse
from study import SEED, Study, mixed

from forecast.families.endemic_epidemic.weights import Pairs
from forecast.predictive.forecast import Forecast

HERE = Path(__file__).parent
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"), "1")


class NotInstalledError(Exception):
    """A peer is not on this machine."""


def require(package: str) -> None:
    """Raise `NotInstalledError` unless R and the package are here."""
    if not shutil.which("Rscript"):
        raise NotInstalledError("R is not installed")
    code = f'quit(status = !requireNamespace("{package}", quietly = TRUE))'
    if subprocess.run(["Rscript", "-e", code], check=False, capture_output=True).returncode:
        raise NotInstalledError(f"the R package {package} is not installed")


def write_inputs(study: Study, folder: Path) -> None:
    """Write what the scripts read: counts, orders of neighbourhood, origins."""
    units = study.units
    pairs = Pairs.by_order(study.panel.neighbours, units)
    orders = sparse.coo_array((pairs.apart, (pairs.giver, pairs.receiver)), shape=(units, units)).toarray()
    header = ",".join(f"u{at}" for at in range(units))
    table = {"fmt": "%d", "delimiter": ",", "comments": ""}
    np.savetxt(folder / "counts.csv", study.panel.counts, header=header, **table)
    np.savetxt(folder / "order.csv", orders, **table)
    np.savetxt(folder / "origins.csv", np.column_stack([study.known, study.fitted]), header="known,fitted", **table)


def read_forecasts(study: Study, folder: Path) -> Iterator[Forecast]:
    """Give the forecast of each origin from what a script wrote."""
    rng = np.random.default_rng(SEED)
    sizes = np.loadtxt(folder / "sizes.csv", delimiter=",", ndmin=2)
    shape = (len(study.known), -1, study.units, study.horizon)  # R's order, turned round
    means = np.fromfile(folder / "means.bin", dtype=np.float32).reshape(shape)
    for origin, size in enumerate(sizes.reshape(len(study.known), study.units, study.horizon)):
        yield mixed(study, origin, means[origin].transpose(0, 2, 1), size.T, rng)


def forecasts(
    script: str, study: Study, *, draws: int, span: int = 0, kind: str = ""
) -> tuple[list[Forecast], dict[str, object]]:
    """Return the forecasts of all origins by a script, and what it says of its fits and versions.

    Raises
    ------
    NotInstalledError
    subprocess.CalledProcessError
        With R's own words in `stderr`.
    """
    require({"hhh4": "surveillance"}.get(script, script))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_inputs(study, folder)
        call = ["Rscript", str(HERE / f"{script}.R"), name, str(study.horizon), str(draws), str(span), kind]
        subprocess.run(call, check=True, capture_output=True, text=True, env={**os.environ, **ONE_THREAD})
        answer = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
        return list(read_forecasts(study, folder)), answer
