"""The page of a comparison in a real browser: offline, complete, no wider than the screen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.support.ui import WebDriverWait

from forecast.evaluation.record_comparison import compare_record
from forecast.evaluation.record_murphy import record_murphy
from forecast.reporting.comparison_page import ComparisonContent, render_comparison
from forecast.reporting.content import ReportContent

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(content: ReportContent, tmp_path_factory: pytest.TempPathFactory) -> Path:
    record, rules = content.backtests[1], content.escalations
    shown = ComparisonContent(
        workspace="<b>Mopti</b>",
        source="Counts of a test",
        comparison=compare_record(record, "climatology"),
        murphy=record_murphy(record, ["discount", "climatology"], [rule.name for rule in rules]),
        model_titles={model.name: model.title for model in content.models},
        escalations=rules,
        polygons=content.polygons,
        units=content.panels["region"].units,
        simulated=False,
        provenance={"seed": 1},
    )
    path = tmp_path_factory.mktemp("comparison") / "index.html"
    path.write_text(render_comparison(shown), encoding="utf-8")
    return path


@pytest.mark.parametrize("width", [375, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_draws_everything_offline_without_overflow(
    browser: Chrome, page: Path, width: int, scheme: str, barriers: Any
) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get_log("performance")
    browser.get_log("browser")
    browser.get(page.as_uri())
    WebDriverWait(browser, 60).until(lambda b: b.execute_script("return document.documentElement.dataset.drawn"))
    assert [entry for entry in browser.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}] == []
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [item["params"]["request"]["url"] for item in messages if item["method"] == "Network.requestWillBeSent"]
    assert {url for url in urls if not url.startswith("data:")} == {page.as_uri()}
    drawn = browser.execute_script(
        "return [...document.querySelectorAll('.js-plotly-plot')].filter((b) => b.querySelector('svg.main-svg')).length"
    )
    assert drawn == 6
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert barriers(browser) == []
    assert browser.execute_script("return document.querySelectorAll('h1 b').length") == 0
