"""``forecast compare``: the models of a record against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecast.cli.options import JsonOption, WorkspaceOption, names, open_chosen
from forecast.cli.output import number, result, result_json, say, show_table, significant

if TYPE_CHECKING:
    import pandas as pd

    from forecast.evaluation.record_comparison import RecordComparison
    from forecast.jobs.compare import ComparedRecord


def compare(
    reference: Annotated[
        str | None,
        typer.Option(metavar="MODEL", help="Held against the others.  [default: the headline model of forecast.toml]"),
    ] = None,
    models: Annotated[str | None, typer.Option(metavar="A,B", help="[default: all of the record]")] = None,
    score: Annotated[str, typer.Option(metavar="SCORE", help="crps, log or wis.")] = "crps",
    units: Annotated[str, typer.Option(metavar="KIND", help="region or place.")] = "region",
    data: Annotated[str | None, typer.Option(metavar="SET", help="The record on another dataset.")] = None,
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="A record of out/backtests/.  [default: that of the dataset]")
    ] = None,
    workspace: WorkspaceOption = None,
    json: JsonOption = False,
) -> None:
    """Tell which model forecasts best, how sure that is, where and when, from a record of `forecast backtest`.

    Only forecasts that all models have are compared. Skill is in percent of the reference's score, with 90 % intervals
    where the record is long enough. Writes a page, out/comparisons/<name>/index.html; --json has all figures, and what
    each model's escalation probabilities are worth for decisions.

    \b
    Examples:
      forecast compare
      forecast compare --data west-africa-weekly --reference climatology-52
      forecast compare --score log --models discount-negbin,glm-negbin --json
    """
    from forecast.jobs.compare import compare_workspace

    found = compare_workspace(
        open_chosen(workspace),
        data=data,
        name=name,
        models=names(models),
        reference=reference,
        score=score,
        units=units,
    )
    if json:
        result_json(_content(found))
        return
    if found.simulated:
        say("SIMULATED counts: nothing of this describes a real place.")
    _show(found.comparison)
    say(str(found.page))


def _show(found: RecordComparison) -> None:
    from forecast.evaluation.joint import JOINT_WEEKS
    from forecast.reporting.comparison_tables import (
        CALLED,
        JOINT,
        horizon_columns,
        horizon_rows,
        joint_columns,
        joint_rows,
        missing_sentence,
        skill_columns,
        skill_rows,
        standing_rows,
        verdict,
    )

    result(_plain(verdict(found)))
    result(_plain(missing_sentence(found)))
    result("")
    score = CALLED[found.score]
    columns = skill_columns(found)
    show_table(
        ("model", score, *(f"against {model}" for _, model in columns), "may be best (p)"),
        [
            (
                row["model"],
                significant(row["loss"]),
                *(_plain(told).removeprefix("+") for told in row["skills"]),
                _plain(row["best"]),
            )
            for row in skill_rows(found)
        ],
        title=f"{found.record}: {found.n} forecasts of {found.units} {found.unit_kind}s that all models have, "
        f"{found.origins} origins from {found.first:%Y-%m-%d} to {found.last:%Y-%m-%d}; skill in %",
    )
    ahead = horizon_columns(found)
    show_table(
        ("model", *(str(weeks) for weeks in ahead)),
        [(row["model"], *map(_plain, row["cells"])) for row in horizon_rows(found, ahead)],
        title=f"Skill in % against {found.reference} by weeks ahead; * beyond chance (Diebold-Mariano)",
    )
    if not found.joint.empty:
        show_table(
            ("model", *(f"{score} {JOINT[view]}" for view, score in joint_columns(found))),
            [(row["model"], *(_plain(told).removeprefix("+") for told in row["cells"])) for row in joint_rows(found)],
            title=f"Skill in % against {found.reference} of joint paths: over the counts of all units in {JOINT_WEEKS} "
            "weeks; over the totals of all weeks",
        )
    busy = int((found.where["events"] > 0).sum())
    dropped = sorted(int(count) for count in found.largest["dropped"].unique())
    show_table(
        (
            "model",
            "relative",
            f"{found.unit_kind}s",
            "quarters",
            *(f"w/o {count}" if count else "rank" for count in dropped),
        ),
        [
            (row["model"], number(row["relative"], 3), str(row["where"]), str(row["when"]), *map(str, row["ranks"]))
            for row in standing_rows(found)
        ],
        title=f"Relative skill; in how many of {busy} {found.unit_kind}s with any event and of {len(found.when)} "
        "quarters each is best; rank with and without the largest weeks",
    )


def _content(found: ComparedRecord) -> dict[str, Any]:
    """Return everything as plain tables."""
    comparison, decisions = found.comparison, found.decisions()
    course = comparison.course.assign(week=comparison.course["week"].dt.strftime("%Y-%m-%d"))
    tables = {
        "skill": comparison.skill,
        "horizons": comparison.horizons,
        "confidence_set": comparison.confidence_set,
        "relative": comparison.relative,
        "pairs": comparison.pairs,
        "where": comparison.where,
        "when": comparison.when,
        "joint": comparison.joint,
        "largest": comparison.largest,
        "course": course,
        "murphy": found.murphy(),
        "alarms": decisions.alarms,
        "values": decisions.values,
    }
    return {
        "record": comparison.record,
        "score": comparison.score,
        "units": comparison.unit_kind,
        "reference": comparison.reference,
        "models": comparison.models,
        "n": comparison.n,
        "missing": comparison.missing,
        "origins": comparison.origins,
        "first": f"{comparison.first:%Y-%m-%d}",
        "last": f"{comparison.last:%Y-%m-%d}",
        "simulated": found.simulated,
        "page": str(found.page),
        **{label: _records(table) for label, table in tables.items()},
    }


def _records(table: pd.DataFrame) -> list[dict[Any, Any]]:
    return table.to_dict("records")


def _plain(text: str) -> str:
    """Return a text of the page as a terminal shows it: any of them has these signs."""
    for sign, plain in (("\N{MINUS SIGN}", "-"), ("\N{EM DASH}", "-"), ("\N{NO-BREAK SPACE}", " ")):
        text = text.replace(sign, plain)
    return text
