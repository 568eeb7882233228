"""``forecast place``: its page, its past and its figures in JSON; bad input is in test_bad_input."""

from __future__ import annotations

import contextlib
import io
import json
import shutil
from pathlib import Path

import pytest

from forecast.cli import main
from forecast.panel.dataset import Dataset


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


def test_spelling_does_not_matter(workspace, forecast):
    done = forecast("place", "town-1", "--workspace", workspace, "--workers", 1, "--no-history", "--json")
    found = json.loads(done.out)
    assert found["place"] == "Town 1 100 km"
    assert found["page"].endswith("out/places/Town-1-100-no-history/index.html")


def test_a_place_that_is_refused_leaves_no_page(workspace, forecast):
    done = forecast("place", "Twon 1", "--workspace", workspace)
    assert done.code == 2
    assert not (workspace / "out" / "places").exists()
