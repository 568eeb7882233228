"""How often the tests reject right and wrong forecasters: the table of docs/calibration.md."""

import importlib.util
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location(
    "calibration_power", ROOT / "benchmarks" / "studies" / "calibration_power.py"
)
calibration_power = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(calibration_power)

POWER = {
    "too narrow": ["Wei-Held z*, rps, blocks", "PIT dispersion", "PIT band (10 %)", "coverage of 80 % (10 %)"],
    "too wide": ["Wei-Held z*, dss", "PIT band (10 %)", "coverage of 80 % (10 %)"],
    "too low": ["Wei-Held z*, rps, blocks", "PIT bias", "PIT band (10 %)"],
    "too high": ["Wei-Held z*, rps, blocks", "PIT bias", "PIT band (10 %)"],
    "ignoring zeros": ["Wei-Held z*, log, blocks", "PIT bias", "zeros", "PIT band (10 %)"],
    "dependent in time": ["serial dependence"],
}
"""The tests that find each fault in at least 95 % of simulations."""

FOR_INDEPENDENT_REGIONS = [
    "Wei-Held z*, rps",
    "Wei-Held z*, log",
    "Wei-Held z*, dss",
    "Wei-Held z, rps",
    "Wei-Held regression, rps",
    "Wei-Held regression, log",
]


def nominal(table):
    return pd.Series([0.10 if "10 %" in name else 0.05 for name in table.index], index=table.index)


@pytest.mark.slow
def test_wrong_forecasters_are_found_and_right_ones_pass_at_the_nominal_rate():
    table = calibration_power.calibration_table(1000)
    level = nominal(table)
    # Two standard errors of 1,000 simulations are 1.4 points at 5 % and 1.9 at 10 %.
    assert ((table["right"] - level).abs() <= 0.025).all(), table["right"]
    dependent = table["right, regions dependent"].drop(FOR_INDEPENDENT_REGIONS)
    assert ((dependent - level[dependent.index]).abs() <= 0.03).all(), dependent
    for fault, tests in POWER.items():
        assert (table.loc[tests, fault] >= 0.95).all(), table[fault]


@pytest.mark.slow
def test_comparisons_keep_their_level():
    found = calibration_power.comparison_table(1000)["rejected"]
    equal = found[found.index.str.contains("equal") & found.index.str.startswith("Diebold")]
    assert (equal <= 0.095).all(), found
    best = found[found.index.str.startswith("Confidence")]
    assert (best <= 0.12).all(), found
    assert found["Diebold-Mariano, horizon 1, better by 0.4 sd"] >= 0.9


def test_a_few_simulations_tell_the_forecasters_apart():
    table = calibration_power.calibration_table(5)
    for fault, tests in POWER.items():
        assert (table.loc[tests, fault] >= 0.6).all(), table[fault]
    assert table["right"].mean() < 0.3
