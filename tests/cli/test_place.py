"""``forecast place``: its page, its past and its figures in JSON; bad input is in test_bad_input."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import json
import shutil
from pathlib import Path

import pytest

from forecast.cli import main
from forecast.jobs import place_models
from forecast.jobs.place import place_outlook
from forecast.panel.dataset import Dataset
from forecast.workspace import open_workspace


@pytest.fixture(scope="module")
def told(small_workspace, tmp_path_factory):
    """What the command says of one place with its past, and the page it wrote."""
    folder = tmp_path_factory.mktemp("place") / "workspace"
    shutil.copytree(small_workspace, folder)
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["place", "Town 1", "--radius-km", "100", "--workspace", str(folder), "--workers", "1", "--json"])
    assert code == 0, err.getvalue()
    return folder, json.loads(out.getvalue()), err.getvalue()


def test_the_page_is_written_whole_and_alone(told):
    folder, content, _ = told
    page = folder / "out" / "places" / "Town-1-100" / "index.html"
    assert Path(content["page"]) == page
    assert [path.name for path in page.parent.parent.iterdir()] == ["Town-1-100"]
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>")
    assert text.rstrip().endswith("</html>")
    assert "Simulated events" in text


def test_json_has_all_figures(told):
    _, content, _ = told
    assert [one["name"] for one in content["models"]] == ["space-time", "regions", "towns"]
    assert content["missing"] == {}
    assert sum(content["contributions"].values()) == pytest.approx(1)
    assert content["probability_low"] < content["probability"] < content["probability_high"]
    assert content["probability"] <= content["mean"]
    keys = {"origin", "probability", "calibrated", "low", "high", "models", "usual", "events"}
    assert content["history"][0].keys() == keys
    assert content["history"][0]["calibrated"] is None  # nothing was known of past probabilities
    assert 0 < content["history"][-1]["calibrated"] < 1
    assert content["recalibrated"]
    assert 0 < content["probability"] < 1
    assert content["ratio_all"] == pytest.approx(content["probability"] / content["base_rate_all"])
    assert content["history"][-1]["events"] is None  # its weeks are not over
    known = [view["events"] > 0 for view in content["history"] if view["events"] is not None]
    assert content["scores"]["origins"] == len(known)
    assert content["scores"]["came"] == pytest.approx(sum(known) / len(known))


def test_progress_goes_to_stderr(told):
    *_, err = told
    assert "asking the models: done" in err


def test_without_the_past(workspace, forecast):
    done = forecast("place", "Town 1", "--workspace", workspace, "--workers", 1, "--no-history")
    assert done.code == 0
    for label in ("at least one event", "space-time", "regions", "towns", "background", "recent events", "usual"):
        assert label in done.out
    assert "said at" not in done.out
    assert "not recalibrated      the history, from which that is learned, was left out (--no-history)" in done.out


def test_other_questions_leave_the_page_with_the_past_as_it_is(told, forecast):
    folder, content, _ = told
    page, pages = Path(content["page"]), {}
    before = page.read_bytes()
    asked = ["place", "Town 1", "--workspace", folder, "--workers", 1, "--no-history", "--json"]
    for name, more in (
        ("Town-1-100-no-history", []),
        ("Town-1-100-8w-no-history", ["--weeks", 8]),
        (None, ["--as-of", content["history"][-2]["origin"]]),
    ):
        found = json.loads(forecast(*asked, *more).out)
        assert found["recalibrated"] is False
        assert "--no-history" in found["uncalibrated"]
        pages[found["page"]] = Path(found["page"]).parent.name
        assert name in {None, pages[found["page"]]}
    assert f"Town-1-100-as-of-{content['history'][-2]['origin']}-no-history" in pages.values()
    assert len(pages) == 3
    assert page.read_bytes() == before


def test_a_point_has_a_folder_of_its_own(workspace, forecast):
    town = Dataset.open(workspace / "data" / "simulated-poisson").places().iloc[0]
    point = f"{town['latitude']}, {town['longitude']}"
    done = forecast("place", "--latlon", point, "--workspace", workspace, "--workers", 1, "--no-history", "--json")
    assert json.loads(done.out)["page"].endswith(f"out/places/{point.replace(' ', '')}-100-no-history/index.html")


def test_a_fit_that_explodes_is_told_and_a_scheduler_sees_it(workspace, forecast, monkeypatch):
    fit = place_models.fit

    def explosive(*arguments, **options):
        return dataclasses.replace(fit(*arguments, **options), remarks=("explosive: spectral radius 1.05",))

    monkeypatch.setattr(place_models, "fit", explosive)
    asked = ["place", "Town 1", "--workspace", workspace, "--workers", 1, "--no-history"]
    done, machine = forecast(*asked), forecast(*asked, "--json")
    assert (done.code, machine.code) == (3, 3)
    assert "Warning: space-time: explosive: spectral radius 1.05" in done.err
    found = json.loads(machine.out)
    assert found["warnings"] == ["space-time: explosive: spectral radius 1.05"]
    assert "Space-time: explosive: spectral radius 1.05." in Path(found["page"]).read_text(encoding="utf-8")


def test_rare_risks_have_digits(workspace, forecast, monkeypatch):
    """A whole percent and one decimal would say nothing of the rare places that the command is meant for."""
    outlook = place_outlook(open_workspace(workspace), "Town 1", 100, history=False, workers=1)
    rare = dataclasses.replace(
        outlook, probability=0.0034, probability_low=0.00002, probability_high=0.0123, mean=0.0047,
        base_rate_all=0.0, ratio_all=float("nan"),
    )  # fmt: skip
    monkeypatch.setattr("forecast.jobs.place.place_outlook", lambda *_, **__: rare)
    out = forecast("place", "Town 1", "--workspace", workspace).out
    assert "0.3 % (the models leave open < 0.01 % to 1 %)" in out
    assert "events expected         0.0047" in out
    assert "usual, 40 weeks known   never" in out


def test_spelling_does_not_matter(workspace, forecast):
    done = forecast("place", "town-1", "--workspace", workspace, "--workers", 1, "--no-history", "--json")
    found = json.loads(done.out)
    assert found["place"] == "Town 1 100 km"
    assert found["page"].endswith("out/places/Town-1-100-no-history/index.html")


def test_a_place_that_is_refused_leaves_no_page(workspace, forecast):
    done = forecast("place", "Twon 1", "--workspace", workspace)
    assert done.code == 2
    assert not (workspace / "out" / "places").exists()
