"""Every model of `models/` beside R's hhh4 and tscount, scikit-learn's boosting and statsforecast, in one table.

The protocol is that of `embedded_protocol`: Mali, Burkina Faso and Niger, targets 2017 to 2019, 1 to 8 weeks ahead,
fits every 13 weeks. A peer that is not installed gets a row that says so; statsforecast is put into an environment of
its own below ``out/peers/``. Writes ``results/peers.csv`` and ``docs/peers.md``; with models named it only
prints. Takes some 15 minutes with two workers.

    python benchmarks/studies/peers.py
    python benchmarks/studies/peers.py --models direct-endemic,hhh4-156,ADIDA
    python benchmarks/studies/peers.py --page    # only the page, from the results that are there
"""

from __future__ import annotations

import argparse
import io
import resource
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import joblib
import pandas as pd
import sklearn

from forecast.errors import ForecastError
from forecast.evaluation.comparison import missing_cells
from forecast.evaluation.record import BacktestRecord
from forecast.storage import write_file
from forecast.workspace import open_workspace

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parent / "peers"))
import boosted_counts
import general_toolkit
import peers_page
import r_peers
from embedded_protocol import REFERENCE, ROOT, TRIALS, protocol, summary, target_scores
from study import DRAWS, Study, scores_of

RESULTS = Path(__file__).parent / "results" / "peers.csv"
PAGE = ROOT / "docs" / "peers.md"
HHH4 = {
    "hhh4": {"draws": DRAWS, "span": 0, "kind": "simulated"},
    "hhh4-156": {"draws": DRAWS, "span": 156, "kind": "simulated"},
    "hhh4-direct": {"draws": 1, "span": 520, "kind": "direct"},
}
BOOSTED = {"boosting-poisson": False, "boosting-negbin": True}
PEERS = (*HHH4, "tscount", *BOOSTED, *general_toolkit.MODELS)
COLUMNS = ["crps", "log", "active50", "active80", "active95", "skill", "skill_low", "skill_high"]
DIGITS = 5


class Outcome(NamedTuple):
    """What came of one model: scores, or None with the reason in the remark."""

    model: str
    software: str
    scores: pd.DataFrame | None
    risk: pd.DataFrame | None
    seconds: float
    remark: str


def ours(name: str) -> tuple[str, pd.DataFrame, pd.DataFrame | None, str]:
    spec = open_workspace(ROOT).catalogue[name]
    with tempfile.TemporaryDirectory() as place:
        record = protocol([spec], Path(place) / "protocol", workers=1)
    return "ours", record.scores, record.risk, ""


def peer(name: str) -> tuple[str, pd.DataFrame, pd.DataFrame | None, str]:
    study = Study.of()
    if name in BOOSTED:
        found = boosted_counts.forecasts(study, negative_binomial=BOOSTED[name])
        return f"scikit-learn {sklearn.__version__}", scores_of(study, name, found), None, ""
    if name in general_toolkit.MODELS:
        found = general_toolkit.forecasts(name, study)
        scores = scores_of(study, name, found, has_pmf=False)
        return f"statsforecast {general_toolkit.VERSION}", scores, None, ""
    package = "surveillance" if name in HHH4 else name
    script, settings = ("hhh4", HHH4[name]) if name in HHH4 else (name, {"draws": 200})
    forecasts, answer = r_peers.forecasts(script, study, **settings)
    remark = ""
    if answer["fallbacks"]:
        remark = f"{answer['fallbacks']} of {answer['fits']} fits failed and were replaced by simpler ones"
    return f"{package} {answer['package']}, R {answer['R']}", scores_of(study, name, forecasts), None, remark


def used() -> float:
    """Processor seconds of this process and of the children that have ended."""
    whole = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in whole)


def outcome(name: str) -> Outcome:
    """Forecast and score with one model; what cannot be had says why."""
    begun = used()
    try:
        software, scores, risk, remark = peer(name) if name in PEERS else ours(name)
    except r_peers.NotInstalledError as error:
        return Outcome(name, name, None, None, float("nan"), f"not compared: {error}")
    except (ForecastError, subprocess.CalledProcessError) as error:
        said = str(getattr(error, "stderr", "") or error).strip().splitlines()
        return Outcome(name, "ours" if name not in PEERS else name, None, None, float("nan"), f"failed: {said[-1]}")
    return Outcome(name, software, scores, risk, used() - begun, remark)


def compare(outcomes: list[Outcome]) -> pd.DataFrame:
    """Return the table: one row a model, best CRPS first, then those without scores."""
    there = [each for each in outcomes if each.scores is not None]
    words = {"model": "str", "unit": "str", "unit_kind": "str", "activity": "str", "score": "str"}
    scores = pd.concat([each.scores.astype(words) for each in there], ignore_index=True)
    risk = pd.concat([each.risk for each in there if each.risk is not None], ignore_index=True)
    record = BacktestRecord("peers", "", pd.DataFrame(), scores, risk, pd.DataFrame())
    if any(missing_cells(target_scores(record, TRIALS)).values()):
        raise ValueError("the models have not forecast the same cells")
    board = summary(record)[COLUMNS]
    cells = target_scores(record, TRIALS).query("score == 'crps'")
    names = pd.Index([each.model for each in outcomes], name="model")
    facts = pd.DataFrame([(each.software, each.seconds, each.remark) for each in outcomes], index=names)
    facts.columns = pd.Index(["software", "seconds", "remark"])
    table = facts[["software"]].join(board).join(facts[["seconds", "remark"]])
    table.insert(1, "n", len(cells) // len(there))
    table.insert(2, "regions", cells["unit"].nunique())
    return table.sort_values("crps", kind="stable").round({**dict.fromkeys(COLUMNS, DIGITS), "seconds": 1})


def written_page(table: pd.DataFrame) -> str:
    """Return the page of a table as it stands in `peers.csv`."""
    settings = ", ".join(f"`{name}={value:g}`" for name, value in boosted_counts.SETTINGS.items())
    return peers_page.page(table, DRAWS, settings)


def named(text: str) -> list[str]:
    return text.split(",")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=named, help="names with commas between them; a peer's or of models/")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--page", action="store_true", help="only write the page, from the results that are there")
    chosen = parser.parse_args()
    if not chosen.page:
        catalogue = open_workspace(ROOT).catalogue
        names = chosen.models or [*PEERS, *catalogue]
        if unknown := [name for name in names if name not in PEERS and name not in catalogue]:
            parser.error(f"no model {', '.join(unknown)}; there are {', '.join([*PEERS, *catalogue])}")
        names = list(dict.fromkeys([*names, REFERENCE]))
        if not set(names).isdisjoint(general_toolkit.MODELS):
            with suppress(r_peers.NotInstalledError):  # their rows will say so
                general_toolkit.environment()
        work = joblib.Parallel(n_jobs=chosen.workers, batch_size=1, return_as="generator_unordered")
        outcomes = []
        for found in work(joblib.delayed(outcome)(name) for name in names):
            outcomes.append(found)
            print(f"{found.model}: {found.seconds:.0f} s {found.remark}", file=sys.stderr, flush=True)
        table = compare(outcomes)
        print(table.to_string())
        if chosen.models:
            return
        write_file(RESULTS, table.to_csv(lineterminator="\n").encode())
    table = pd.read_csv(io.BytesIO(RESULTS.read_bytes()))
    write_file(PAGE, written_page(table).encode())


if __name__ == "__main__":
    main()
