import importlib
import os
import socket
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from joblib.externals.loky import get_reusable_executor
from scipy import stats

from forecast.evaluation.comparison import leaderboard
from forecast.evaluation.record import BacktestRecord
from forecast.evaluation.scores import crps_pmf, log_score
from forecast.families.registry import family_locations
from forecast.provenance import hash_file

PLUGIN = Path(__file__).parent / "plugin"
RECORD = ("forecasts.parquet", "scores.parquet", "leaderboard.csv", "risk.parquet", "joint.parquet", "manifest.json")


@pytest.fixture(scope="session")
def plugin(tmp_path_factory):
    """Install the family `recent_poisson` as a plug-in is: by an entry point, seen by every process started from here.

    A name patched into the registry would be unknown to workers.
    """
    place = tmp_path_factory.mktemp("installed")
    facts = place / "recent_poisson-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: recent-poisson\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text("[forecast.families]\nrecent_poisson = recent_poisson:RecentPoisson\n")
    root = Path(__file__).parents[2]
    added = [str(place), str(PLUGIN), str(root)]
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([*added, *([before] if before else [])])
    sys.path[:0] = added
    _forget()
    yield importlib.import_module("recent_poisson")
    for path in added:
        sys.path.remove(path)
    os.environ.pop("PYTHONPATH")
    if before:
        os.environ["PYTHONPATH"] = before
    _forget()


def _forget():
    """Workers and this process know the plug-ins of the moment they first looked."""
    get_reusable_executor().shutdown(wait=True)
    family_locations.cache_clear()


@pytest.fixture(scope="session")
def record_hashes():
    """A function that gives the hash of every file of a published record."""
    return lambda folder: {name: hash_file(folder / name) for name in RECORD}


@pytest.fixture(scope="session")
def free_port():
    """A function that gives a port of loopback at which nobody listens."""
    return _free_port


def _free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="session")
def made_record():
    """A function that makes a record of Poisson counts, and of forecasts whose means are off by a factor."""
    return _made_record


def _made_record(factors, *, origins=65, horizons=3, seed=1, name="made", start="2024-01-06"):
    """Regions A (busy), B, C (silent); the probability of the escalation `any` is 1 - p0 of the first horizon."""
    rng = np.random.default_rng(seed)
    first, units, rates = pd.Timestamp(start), ["A", "B", "C"], np.array([4.0, 1.0, 0.0])
    counts = rng.poisson(rates, (origins + horizons, len(units)))
    index = pd.MultiIndex.from_product([range(origins), range(1, horizons + 1), range(len(units))]).to_frame()
    at, ahead, unit = (column.to_numpy() for _, column in index.items())
    observed = counts[at + ahead - 1, unit]
    keys = pd.DataFrame(
        {
            "origin": first + at * pd.Timedelta(days=7),
            "horizon": ahead,
            "unit": np.array(units)[unit],
            "unit_kind": "region",
            "activity": np.array(["active", "active", "silent"])[unit],
        }
    )
    k = np.arange(40)
    forecasts, scores, risk = [], [], []
    for model, factor in factors.items():
        pmf = stats.poisson(np.maximum(rates[unit] * factor, 1e-9)[:, None]).pmf(k)
        cdf = np.cumsum(pmf, axis=1)
        case = np.arange(len(keys))
        head = pd.DataFrame(pmf[:, :10], columns=[f"p{count}" for count in range(10)])
        week = keys["origin"] + (keys["horizon"] - 1) * pd.Timedelta(days=7)
        forecasts.append(
            pd.concat([keys.assign(model=model, week=week, observed=observed, mean=pmf @ k), head], axis=1)
        )
        values = {
            "crps": crps_pmf(pmf, observed),
            "log": log_score(pmf[case, observed]),
            "dss": observed * 0.0,
            "wis": crps_pmf(pmf, observed),
            "pit_below": cdf[case, observed] - pmf[case, observed],
            "pit_upto": cdf[case, observed],
        }
        scores += [keys.assign(model=model, score=score, value=value) for score, value in values.items()]
        one = ahead == 1
        said, came = 1 - pmf[one, 0], (observed[one] > 0).astype(int)
        risk.append(
            keys[one].assign(model=model, escalation="any", probability=said, outcome=came, brier=(said - came) ** 2)
        )
    tables = [pd.concat(parts, ignore_index=True) for parts in (forecasts, scores, risk)]
    board = leaderboard(tables[1], tables[2], references=[], rng=np.random.default_rng(1))
    return BacktestRecord(name, "made counts", *tables, board)
