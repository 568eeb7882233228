"""statsforecast, in an environment of its own below ``out/peers/``, so that it never enters ours."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from r_peers import ONE_THREAD, NotInstalledError
from study import ROOT, Study, of_quantiles

from forecast.predictive.forecast import Forecast

VERSION = "2.1.1"
ENVIRONMENT = ROOT / "out" / "peers" / f"statsforecast-{VERSION}"
MODELS = ("AutoARIMA", "AutoETS", "CrostonSBA", "ADIDA", "IMAPA")
CHILD = Path(__file__).parent / "statsforecast_quantiles.py"


def environment() -> Path:
    """Return the interpreter of the environment, made by uv or pip if it is not there yet.

    Raises
    ------
    NotInstalledError
        If the package index cannot be reached.
    """
    python = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin") / "python"
    ready = ENVIRONMENT / ".ready"
    if ready.exists():
        return python
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    wanted = f"statsforecast=={VERSION}"
    if uv := shutil.which("uv"):
        steps = [[uv, "venv", "--quiet", "--python", sys.executable, str(ENVIRONMENT)]]
        steps += [[uv, "pip", "install", "--quiet", "--python", str(python), wanted]]
    else:
        steps = [[sys.executable, "-m", "venv", str(ENVIRONMENT)]]
        steps += [[str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wanted]]
    for step in steps:
        if subprocess.run(step, check=False, capture_output=True).returncode:
            raise NotInstalledError(f"{wanted} could not be installed")
    ready.touch()
    return python


def forecasts(model: str, study: Study) -> Iterator[Forecast]:
    """Give the forecast of each origin: 100 quantiles of each region and week, no paths.

    Raises
    ------
    NotInstalledError
    subprocess.CalledProcessError
    """
    python = environment()
    with tempfile.TemporaryDirectory() as folder:
        counts, answer = Path(folder) / "counts.csv", Path(folder) / "quantiles.npy"
        header = ",".join(f"u{at}" for at in range(study.units))
        np.savetxt(counts, study.panel.counts, fmt="%d", delimiter=",", header=header, comments="")
        call = [str(python), "-W", "ignore", str(CHILD), model, str(counts), str(len(study.known)), str(study.horizon)]
        outside = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        subprocess.run([*call, str(answer)], check=True, capture_output=True, text=True, env={**outside, **ONE_THREAD})
        quantiles = np.load(answer)
    for origin in range(len(study.known)):
        yield of_quantiles(study, origin, quantiles[origin])
