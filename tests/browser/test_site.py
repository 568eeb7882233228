"""The archive in a real browser, from the disk: nothing is loaded from elsewhere, nothing is wider than the screen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from forecast.jobs.site import build_site
from forecast.workspace import open_workspace

pytestmark = pytest.mark.browser

PAGES = (
    "index.html",
    "issues/weekly/2000-08-26/index.html",
    "issues/weekly/2000-08-26/report.html",
    "track-record/index.html",
    "places/*/index.html",
    "regions/*/index.html",
)


@pytest.fixture(scope="module", params=["en", "fr"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The archive in English, and in French with English beside it."""
    workspace = request.getfixturevalue("archive" if request.param == "en" else "bilingual_archive")
    return build_site(open_workspace(workspace), tmp_path_factory.mktemp("site") / "site").folder


def open_page(browser: Chrome, page: Path, width: int, scheme: str = "light") -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get_log("performance")
    browser.get_log("browser")
    browser.get(page.as_uri())
    if browser.find_elements(By.CSS_SELECTOR, ".plot"):
        WebDriverWait(browser, 60).until(lambda b: b.execute_script("return document.documentElement.dataset.drawn"))


def follow(browser: Chrome, by: str, what: str) -> None:
    """Follow a link wherever on the page it stands."""
    browser.execute_script("arguments[0].click()", browser.find_element(by, what))


def loaded(browser: Chrome) -> set[str]:
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [item["params"]["request"]["url"] for item in messages if item["method"] == "Network.requestWillBeSent"]
    return {url for url in urls if not url.startswith("data:")}


@pytest.mark.parametrize("width", [375, 1440])
@pytest.mark.parametrize("pattern", PAGES)
def test_each_page_is_whole_offline_and_no_wider_than_the_screen(
    browser: Chrome, site: Path, pattern: str, width: int
) -> None:
    page = sorted(site.glob(pattern))[0]
    open_page(browser, page, width)
    assert [entry for entry in browser.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}] == []
    assert all(url.startswith(site.as_uri()) for url in loaded(browser))
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    drawn = (
        "return [...document.querySelectorAll('.plot')].filter((each) => !each.querySelector('svg.main-svg')).length"
    )
    assert browser.execute_script(drawn) == 0
    assert len(browser.find_elements(By.TAG_NAME, "h1")) == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("pattern", [page for page in PAGES if not page.endswith("report.html")])
def test_nobody_is_shut_out(browser: Chrome, site: Path, pattern: str, scheme: str, barriers: Any) -> None:
    open_page(browser, sorted(site.glob(pattern))[0], 1440, scheme)
    assert barriers(browser) == []


def test_from_the_index_to_the_history_of_a_place_and_back(browser: Chrome, site: Path) -> None:
    open_page(browser, site / "index.html", 1440)
    follow(browser, By.CSS_SELECTOR, "a[href^='places/']")
    assert "/places/" in browser.current_url
    assert browser.find_elements(By.CSS_SELECTOR, "[id^='history-']")
    follow(browser, By.CSS_SELECTOR, "nav.crumbs:not(.languages) a")
    assert browser.current_url == (site / "index.html").as_uri()
