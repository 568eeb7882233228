"""A long run of the No-U-Turn sampler on the plain model of each Bayesian family: what the posterior is.

A plain model has one latent variable for each region and block of weeks, and nothing of the package's own filter or
grid. Run until R-hat is below 1.01 and the bulk effective sample size far above 400 for each parameter. Writes
``tests/reference/bayes_<family>_<panel>.csv``, with which `tests/reference/test_bayes_posterior.py` compares the
package's posteriors, and the simulated counts beside it. Needs the extra ``bayes``.

    python benchmarks/studies/_bayes_reference.py
    python benchmarks/studies/_bayes_reference.py bayes_hawkes --panels simulated --draws 2000
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import arviz
import numpy as np
import nutpie
import pandas as pd
from _bayes_plain import ROOT, counts, plain_model

from forecast.families.bayes.endemic_epidemic import BayesEndemicEpidemic
from forecast.families.bayes.family import BayesFamily
from forecast.families.bayes.hawkes import BayesHawkes
from forecast.families.bayes.negbin import BayesNegbin
from forecast.panel.panel import Panel

FAMILIES: dict[str, type[BayesFamily]] = {
    family.family: family for family in (BayesNegbin, BayesEndemicEpidemic, BayesHawkes)
}
PANELS = {"simulated": (104, 12), "embedded": (260, 30)}
"""Weeks and regions."""
CHAINS = 4


def reference(family: BayesFamily, panel: Panel, *, draws: int, tune: int, seed: int) -> pd.DataFrame:
    """Return posterior moments of the parameters and of each region's level in the last block of weeks.

    Columns ``mean``, ``sd``, ``q5``, ``q95``; Monte Carlo standard errors ``mcse_mean``, ``mcse_sd``, ``mcse_q5`` and
    ``mcse_q95``; ``bulk_ess`` and ``r_hat``.
    """
    compiled = nutpie.compile_pymc_model(plain_model(family, panel, "innovations"))
    trace = nutpie.sample(
        compiled, draws=draws, tune=tune, chains=CHAINS, cores=1, seed=seed, target_accept=0.95, progress_bar=False,
        save_warmup=False,
    )  # fmt: skip
    print(f"{int(trace.sample_stats['diverging'].sum())} divergences", flush=True)
    names = {"theta": family.layout(panel).names, "last": [f"last[{name}]" for name in panel.units.names]}
    drawn = {
        name: np.asarray(trace.posterior[variable])[..., at]
        for variable, entries in names.items()
        for at, name in enumerate(entries)
    }
    data = arviz.convert_to_dataset(drawn)
    columns = {
        "mean": data.mean(),
        "sd": data.std(),
        "q5": data.quantile(0.05),
        "q95": data.quantile(0.95),
        "mcse_mean": arviz.mcse(data, method="mean"),
        "mcse_sd": arviz.mcse((data - data.mean()) ** 2, method="mean") / (2 * data.std()),
        "mcse_q5": arviz.mcse(data, method="quantile", prob=0.05),
        "mcse_q95": arviz.mcse(data, method="quantile", prob=0.95),
        "bulk_ess": arviz.ess(data),
        "r_hat": arviz.rhat(data),
    }
    table = {column: {name: float(values[name]) for name in drawn} for column, values in columns.items()}
    return pd.DataFrame(table).rename_axis("parameter")


def main() -> None:
    """Run the sampler on each panel."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("families", nargs="*", default=list(FAMILIES), choices=list(FAMILIES))
    parser.add_argument("--panels", nargs="*", default=list(PANELS), choices=list(PANELS))
    parser.add_argument("--draws", type=int, default=10_000, help=f"of each of {CHAINS} chains")
    parser.add_argument("--tune", type=int, default=1_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=ROOT / "tests" / "reference")
    chosen = parser.parse_args()
    for name in chosen.panels:
        weeks, regions = PANELS[name]
        panel = counts(weeks, regions, simulated=name == "simulated")
        if name == "simulated":
            made = pd.DataFrame(panel.counts, panel.weeks.rename("week"), pd.Index(panel.units.names))
            made.to_csv(chosen.folder / "bayes_counts_simulated.csv", lineterminator="\n", date_format="%Y-%m-%d")
        for family in chosen.families:
            begun = time.process_time()
            table = reference(FAMILIES[family](), panel, draws=chosen.draws, tune=chosen.tune, seed=chosen.seed)
            ess, r_hat = table["bulk_ess"].min(), table["r_hat"].max()
            seconds = time.process_time() - begun
            print(f"{family}, {name}: {seconds:.0f} s of one core, bulk ESS {ess:.0f}, R-hat {r_hat:.4f}", flush=True)
            table["bulk_ess"] = table["bulk_ess"].round()
            table.round(5).to_csv(chosen.folder / f"{family}_{name}.csv", lineterminator="\n")


if __name__ == "__main__":
    main()
