"""The words of the command line, as they were when somebody last looked at them."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "command",
    [
        "",
        "run",
        "backtest",
        "compare",
        "score",
        "place",
        "check",
        "models",
        "init",
        "simulate",
        "schedule",
        "deliver",
        "site",
        "ledger",
    ],
)
def test_help(forecast, snapshot, command):
    shown = forecast(*filter(None, [command]), "--help")
    assert (shown.code, shown.err) == (0, "")
    assert shown.out == snapshot


@pytest.mark.parametrize(
    "arguments",
    [
        ["models"],
        ["models", "zero"],
        ["models", "combined"],
        ["models", "climatolgy-26"],
        ["check"],
        ["run", "--as-of", "2031-01-01"],
        ["run", "--as-of", "soon"],
        ["run", "--report", "monthly"],
        ["backtest", "--horizon", "0"],
        ["compare"],
        ["compare", "--name", "weekly"],
        ["score", "forecasts.csv"],
        ["place", "Timbuktu", "--radius-km", "100"],
        ["place", "Town 1", "--radius-km", "1"],
        ["forecast"],
        [],
    ],
    ids=" ".join,
)
def test_output(forecast, snapshot, workspace, monkeypatch, arguments):
    monkeypatch.chdir(workspace)
    shown = forecast(*arguments)
    text = f"exit {shown.code}\n--- stdout\n{shown.out}--- stderr\n{shown.err}"
    assert "\n".join(line.rstrip() for line in text.replace(str(workspace), "WORKSPACE").splitlines()) == snapshot
