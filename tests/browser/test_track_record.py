"""The page of the track record in a real browser: offline, complete, no wider than the screen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.support.ui import WebDriverWait

from forecast.evaluation.issued import IssuedRecord
from forecast.reporting.content import ReportContent
from forecast.reporting.issued_page import IssuedContent, render_issued

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module", params=["en", "fr"])
def page(
    content: ReportContent,
    issued: IssuedRecord,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Path:
    shown = IssuedContent(
        workspace="<b>Mopti</b>",
        record=issued,
        known_until=content.panels["region"].known_until,
        escalations=content.escalations,
        headline_escalation=content.headline_escalation,
        called={},
        simulated=True,
        link="ab" * 32,
        languages=("en", "fr"),
    )
    path = tmp_path_factory.mktemp("record") / "index.html"
    path.write_text(render_issued(shown, language=request.param), encoding="utf-8")
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
    assert drawn == 5
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert barriers(browser) == []
    assert browser.execute_script("return document.querySelectorAll('h1 b, th b').length") == 0
    # Every link of the contents leads somewhere.
    assert browser.execute_script(
        "return [...document.querySelectorAll('nav.contents a')]"
        ".every((a) => document.querySelector(a.getAttribute('href')))"
    )
