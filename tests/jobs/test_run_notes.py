"""What a run says beside the numbers: borrowed base rates, and a headline model that its own record refutes."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.evaluation.comparison import log_note
from forecast.evaluation.record import BacktestRecord
from forecast.jobs.inputs import open_inputs, related_panels
from forecast.jobs.issue_notes import again
from forecast.jobs.run_notes import left_out, notes, other_sources, refuted, with_borrowed_base_rates
from forecast.jobs.time_budget import TimeBudget
from forecast.language import Text, said, speaking
from forecast.predictive.escalation import base_rate
from forecast.reference import reference_workspace
from forecast.workspace import open_workspace


def test_a_base_rate_that_the_data_is_too_short_for_is_that_of_the_long_set() -> None:
    workspace = open_workspace(reference_workspace())
    inputs = open_inputs(workspace)
    panel = inputs.panels["region"]
    rules = {rule.name: rule for rule in workspace.spec.escalations}
    rows = [
        {"unit": unit, "unit_kind": "region", "escalation": name, "base_rate": rate, "base_origins": 20}
        for name, rule in rules.items()
        for unit, rate in zip(panel.units.names, base_rate(rule, panel), strict=True)
    ]
    before = pd.DataFrame(rows)
    assert before.loc[before["escalation"] == "above_recent_4w", "base_rate"].isna().all()
    assert before.loc[before["escalation"] == "any_event_4w", "base_rate"].notna().all()
    after, said = with_borrowed_base_rates(workspace, inputs, before)
    kept = before["base_rate"].notna()
    pd.testing.assert_series_equal(after["base_rate"][kept], before["base_rate"][kept])
    long = related_panels(workspace, "west-africa-weekly", inputs.panels)["region"]
    expected = base_rate(rules["above_recent_4w"], long)[long.units.index("Mali/Mopti")]
    chosen = after.query("unit == 'Mali/Mopti' and escalation == 'above_recent_4w'")["base_rate"]
    assert chosen.tolist() == [expected]
    assert after.loc[chosen.index, "base_origins"].tolist() == [104]
    assert (after.loc[kept, "base_origins"] == 20).all()
    (note,) = said
    assert "Where too few weeks before this forecast are known for a base rate" in note
    assert "west-africa-weekly in the two years up to 27 December 2019" in note


@pytest.mark.parametrize(
    ("skill", "high", "warned"),
    [(-0.2, -0.1, True), (-0.2, 0.1, False), (-0.2, np.nan, True), (-0.01, np.nan, False), (0.1, 0.2, False)],
)
def test_a_headline_model_that_its_record_refutes_is_named(skill: float, high: float, warned: bool) -> None:
    workspace = open_workspace(reference_workspace())
    headline = workspace.spec.models.headline
    board = pd.DataFrame({"model": [headline, "climatology-52"], "skill": [skill, 0.0], "skill_high": [high, 0.0]})
    record = BacktestRecord("own", "", *[pd.DataFrame()] * 3, board)
    found = refuted(workspace, workspace.models(), record)
    assert [("worse than climatology-52" in text) for text in found] == [True] * warned
    assert refuted(workspace, [], record) == []


def test_a_rule_that_looks_back_further_than_is_known_is_named() -> None:
    workspace = open_workspace(reference_workspace())
    inputs = open_inputs(workspace)
    (said,) = notes(workspace, inputs, [], {})
    assert said.startswith(
        "Only 30 of the last 52 weeks are known of 30 of 30 regions: what is usual rests on these in"
    )
    assert "“above its recent past in 4 weeks”" in said


@pytest.mark.parametrize(("store", "warned"), [("acled", True), ("ucdp", False), (None, False)])
def test_parameters_of_another_source_are_a_warning(store: str | None, warned: bool) -> None:
    workspace = open_workspace(reference_workspace())
    data = workspace.spec.data.model_copy(update={"store": store, "calibrate_on": ("west-africa-weekly",)})
    of_store = replace(workspace, spec=workspace.spec.model_copy(update={"data": data}))
    assert [("west-africa-weekly, not of ACLED" in text) for text in other_sources(of_store, {})] == [True] * warned


def test_what_was_said_in_english_is_said_again_in_french() -> None:
    workspace = open_workspace(reference_workspace())
    headline = workspace.spec.models.headline
    board = pd.DataFrame({"model": [headline, "climatology-52"], "skill": [-0.2, 0.0], "skill_high": [-0.1, 0.0]})
    told = [
        *refuted(workspace, workspace.models(), BacktestRecord("own", "", *[pd.DataFrame()] * 3, board)),
        *notes(workspace, open_inputs(workspace), [], {}),
        *left_out({"pool": TimeBudget(90, lambda: 0.0, 0.0).refusal("pool")}),
        *again(2),
    ]
    narrow, space = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"
    assert all(isinstance(text, Text) for text in told)
    assert told[2] == "left out: model 'pool' did not fit into the time budget of 1.5 minutes"
    with speaking("fr"):
        worse, short, late, revised = (str(said(text)).replace(narrow, " ").replace(space, " ") for text in told)
        capped = log_note(pd.DataFrame({"model": ["zero"], "log_capped": [0.6]})).replace(narrow, " ")
    assert worse.startswith(
        f"dans les prévisions rétrospectives sur own, {headline} a prévu moins bien que climatology-52"
    )
    assert "(gain de -20,0 %)" in worse
    assert short.startswith("Sur les 52 dernières semaines, seules 30 sont connues dans 30 des 30 régions")
    assert "« niveau supérieur au passé récent en 4 semaines »" in short
    assert late.startswith("laissé de côté : le modèle « pool » ")
    assert late.endswith("dans le temps imparti de 1,5 minutes")
    assert revised.endswith("la version 2 pour les mêmes semaines.")
    assert capped == "le score logarithmique est à son plafond de 13,8 dans 60 % des cas de zero : fiez-vous là au CRPS"
