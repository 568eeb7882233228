"""The tables and sentences of a comparison of models, as ready texts."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from forecast.evaluation.record_comparison import RecordComparison
from forecast.language import decimal, say
from forecast.reporting.words import UNKNOWN, listing, number, percent, percent_sign, signed_decimal

CALLED = {"crps": "CRPS", "log": say("log score"), "wis": "WIS"}
"""What the scores are called."""
JOINT = {"units": say("over units"), "weeks": say("over weeks")}
"""What joint paths are scored on: the counts of all units in the first `JOINT_WEEKS` weeks, the totals of all weeks."""
CHANCE = 0.05
"""Below this p-value two models differ by more than chance."""
_STRONG = math.log(1.25)
"""A ratio of 1.25, or of its inverse, has the full colour."""


def signed(share: float) -> str:
    """Return a skill in percent with one decimal and its sign.

    Examples
    --------
    >>> [signed(x) for x in (0.0412, -0.0003, float("nan"))]
    ['+4.1', '0.0', '—']
    """
    return UNKNOWN if math.isnan(share) else signed_decimal(100 * share, 1)


def with_interval(skill: float, low: float, high: float) -> str:
    """Return a skill with its interval as far as there is one.

    Examples
    --------
    >>> with_interval(0.04, 0.01, 0.07), with_interval(0.04, float("nan"), float("nan"))
    ('+4.0 (1.0 to 7.0)', '+4.0')
    """
    if math.isnan(low) or math.isnan(high):
        return signed(skill)
    ends = (signed(each).removeprefix("+") for each in (low, high))
    return say("{skill} ({low} to {high})", skill=signed(skill), **dict(zip(("low", "high"), ends, strict=True)))


def missing_sentence(found: RecordComparison) -> str:
    """Return what is not compared because a model lacks it."""
    lacking = [
        say("{name} lacks {count}", name=name, count=number(count)) for name, count in found.missing.items() if count
    ]
    if not lacking:
        return say("No model lacks a forecast that another one has.")
    return say("Left out are forecasts that not all models have: {lacking}.", lacking=listing(lacking))


def verdict(found: RecordComparison, called: Mapping[str, str] | None = None) -> str:
    """Return in words which models may be the best, and how the reference stands.

    Parameters
    ----------
    found : RecordComparison
    called : mapping of model to str, optional
        Titles; a model without one is called by its name.
    """
    titles = {name: (called or {}).get(name, name) for name in found.models}
    first, score = found.models[0], CALLED[found.score]
    best, inside = titles[first], set(found.confidence_set.loc[found.confidence_set["inside"], "model"])
    rest = [titles[name] for name in found.models if name in inside and name != first]
    if found.confidence_set["p"].isna().all():
        told = say(
            "{best} has the lowest {score}; the record is too short to rule out any other model as the best.",
            best=best,
            score=score,
        )
    elif len(inside) == len(found.models):
        told = say(
            "{best} has the lowest {score}, but this record can rule out none of the {models} models as the best.",
            best=best,
            score=score,
            models=len(inside),
        )
    elif rest:
        told = say(
            "{best} has the lowest {score}; this record cannot tell it from {rest}.",
            best=best,
            score=score,
            rest=listing(rest),
        )
    else:
        told = say(
            "{best} has the lowest {score}, and this record rules out every other model as the best.",
            best=best,
            score=score,
        )
    if found.reference == first:
        return " ".join([told, say("It is the reference.")])
    return f"{told} {_saved(found, first, titles[found.reference])}"


def skill_columns(found: RecordComparison) -> list[tuple[str, str]]:
    """Return the references of the skills as (what it is, model), each model once."""
    pairs = found.skill[["against", "reference"]].drop_duplicates()
    named: dict[str, str] = {}
    for row in pairs.to_dict("records"):
        named.setdefault(str(row["reference"]), str(row["against"]))
    return [(against, reference) for reference, against in named.items()]


def skill_rows(found: RecordComparison) -> list[dict[str, Any]]:
    """Return one row a model, best first: loss, skill against each reference, whether it may be the best."""
    columns = skill_columns(found)
    skills = {(row["against"], row["model"]): row for row in found.skill.to_dict("records")}
    sets = found.confidence_set.set_index("model")
    return [
        {
            "model": model,
            "loss": float(skills["reference", model]["loss"]),
            "skills": [
                "0.0"
                if model == base
                else with_interval(*(float(skills[against, model][key]) for key in ("skill", "low", "high")))
                for against, base in columns
            ],
            "best": _may_be_best(*sets.loc[[model], ["inside", "p"]].to_numpy()[0]),
        }
        for model in found.models
    ]


def horizon_columns(found: RecordComparison, most: int = 8) -> list[int]:
    """Return the horizons of a table: all, or so many spread evenly."""
    every = sorted(int(horizon) for horizon in found.horizons["horizon"].unique())
    if len(every) <= most:
        return every
    return [every[at] for at in np.unique(np.linspace(0, len(every) - 1, most).round().astype(int))]


def horizon_rows(found: RecordComparison, horizons: Sequence[int]) -> list[dict[str, Any]]:
    """Return skill against the reference by horizon, with a star where it differs by more than chance."""
    rows = found.horizons.set_index(["model", "horizon"])
    return [
        {
            "model": model,
            "cells": [
                signed(float(rows.loc[(model, at), "skill"]))  # type: ignore[arg-type]
                + ("*" if float(rows.loc[(model, at), "p_holm"]) < CHANCE else "")  # type: ignore[arg-type]
                for at in horizons
            ],
        }
        for model in found.models
        if model != found.reference
    ]


def standing_rows(found: RecordComparison) -> list[dict[str, Any]]:
    """Return for each model in how many regions and quarters it was best, and its rank without the largest weeks."""
    busy = found.where[found.where["events"] > 0]
    relative = dict(zip(found.relative["model"], found.relative["scaled_relative_skill"], strict=True))
    ranks = found.largest.pivot_table(index="model", columns="dropped", values="rank")
    return [
        {
            "model": model,
            "relative": float(relative[model]),
            "where": int((busy["best"] == model).sum()),
            "when": int((found.when["best"] == model).sum()),
            "ranks": [int(rank) for rank in ranks.loc[[model]].to_numpy()[0]],
        }
        for model in found.models
    ]


def joint_columns(found: RecordComparison) -> list[tuple[str, str]]:
    """Return the joint scores of a comparison as (what is joint, score)."""
    pairs = found.joint[["joint", "score"]].drop_duplicates()
    return [(str(row["joint"]), str(row["score"])) for row in pairs.to_dict("records")]


def joint_rows(found: RecordComparison) -> list[dict[str, Any]]:
    """Return skill on joint paths against the reference, one row a model."""
    rows = {(row["joint"], row["score"], row["model"]): row for row in found.joint.to_dict("records")}
    return [
        {
            "model": model,
            "cells": [
                with_interval(*(float(rows[joint, score, model][key]) for key in ("skill", "low", "high")))
                for joint, score in joint_columns(found)
            ],
        }
        for model in found.models
        if model != found.reference
    ]


def pair_rows(found: RecordComparison) -> list[dict[str, Any]]:
    """Return relative skill and the ratios of the mean losses of each two models, with how strong their colour is."""
    relative = dict(zip(found.relative["model"], found.relative["scaled_relative_skill"], strict=True))
    pairs = {(row["model"], row["against"]): row for row in found.pairs.to_dict("records")}
    return [
        {
            "model": model,
            "relative": f"{relative[model]:.3f}",
            "cells": [_pair(pairs.get((model, other))) for other in found.models],
        }
        for model in found.models
    ]


def winner_rows(table: pd.DataFrame) -> list[dict[str, str]]:
    """Return regions or quarters with their best models, as texts."""
    return [
        {
            "label": str(row["label"]),
            "events": number(row["events"]),
            "best": str(row["best"]) if row["events"] else UNKNOWN,
            "second": str(row["second"]) if row["events"] else UNKNOWN,
            "margin": percent(float(row["margin"])) if row["events"] else UNKNOWN,
            "p": p_value(float(row["p"])) if row["events"] and "p" in row else UNKNOWN,
        }
        for row in table.to_dict("records")
    ]


def p_value(p: float) -> str:
    """Return a p-value with two decimals.

    Examples
    --------
    >>> p_value(0.004), p_value(0.266), p_value(float("nan"))
    ('<0.01', '0.27', '—')
    """
    if math.isnan(p):
        return UNKNOWN
    return say("<0.01") if p < 0.01 else decimal(p, 2)


def _saved(found: RecordComparison, best: str, reference: str) -> str:
    """Return the sentence on the best model against the reference."""
    rows = found.skill[(found.skill["against"] == "reference") & (found.skill["model"] == best)]
    skill, low, high = (float(rows[name].iloc[0]) for name in ("skill", "low", "high"))
    saved = percent_sign(signed(skill).removeprefix("+"))
    if math.isnan(low) or math.isnan(high):
        return say("It saves {saved} against the reference, {reference}.", saved=saved, reference=reference)
    values = {"saved": saved, "reference": reference, "low": signed(low), "high": signed(high)}
    if low > 0:
        return say(
            "It saves {saved} against the reference, {reference} (interval {low} to {high}): more "
            "than chance explains.",
            **values,
        )
    return say(
        "It saves {saved} against the reference, {reference} (interval {low} to {high}): chance may explain it.",
        **values,
    )


def _may_be_best(inside: bool, p: float) -> str:
    return (
        UNKNOWN
        if math.isnan(p)
        else (say("yes ({p})", p=decimal(p, 2)) if inside else say("no ({p})", p=decimal(p, 2)))
    )


def _pair(row: Any) -> dict[str, Any]:
    if row is None or math.isnan(row["ratio"]):
        return {"text": UNKNOWN, "heat": 0.0, "side": "", "firm": False}
    strength = 1.0 if row["ratio"] in {0.0, math.inf} else min(abs(math.log(row["ratio"])) / _STRONG, 1.0)
    return {
        "text": f"{row['ratio']:.3f}",
        "heat": round(100 * strength),
        "side": "better" if row["ratio"] < 1 else "worse",
        "firm": row["p"] < CHANCE,
    }
