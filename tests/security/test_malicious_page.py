"""The pages of malicious data in a real browser: no script of theirs runs, nothing is asked of any host."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from selenium.common.exceptions import NoAlertPresentException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = pytest.mark.browser

HOVER = """
for (const box of document.querySelectorAll(".js-plotly-plot")) {
  box.data.forEach((trace, curveNumber) => {
    try { Plotly.Fx.hover(box, [{ curveNumber, pointNumber: 0 }]); } catch (error) { /* nothing to hover over there */ }
  });
}
for (const element of document.querySelectorAll("main *")) element.dispatchEvent(new MouseEvent("mouseover"));
"""
PLANTED = "img, iframe, object, embed, form, base, a[href^='javascript'], [onload], [onerror], [onmouseover], [srcdoc]"


def open_page(browser: Chrome, page: Path) -> None:
    browser.get_log("performance")
    browser.get_log("browser")
    browser.get(page.as_uri())
    WebDriverWait(browser, 60).until(lambda b: b.execute_script("return document.documentElement.dataset.drawn"))
    browser.execute_script(HOVER)


def requests(browser: Chrome) -> set[str]:
    found = set()
    for entry in browser.get_log("performance"):
        message: dict[str, Any] = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            found.add(message["params"]["request"]["url"])
    return {url for url in found if not url.startswith(("data:", "blob:", "chrome:"))}


def check(browser: Chrome, page: Path, malicious: Any) -> str:
    """Check that nothing planted has had an effect, and return the text of the page."""
    open_page(browser, page)
    assert browser.execute_script("return window.hacked") is None
    with pytest.raises(NoAlertPresentException):
        browser.switch_to.alert.accept()
    assert requests(browser) == {page.as_uri()}
    assert [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    assert browser.find_elements(By.CSS_SELECTOR, PLANTED) == []
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 3
    assert {link.get_attribute("href")[:4] for link in browser.find_elements(By.CSS_SELECTOR, "a[href]")} == {"file"}
    text: str = browser.execute_script("return document.documentElement.textContent")
    assert malicious.acting_in(text) == []
    shown: str = browser.execute_script("return document.body.innerText")
    return shown


@pytest.mark.parametrize(("name", "language"), [("index.html", "en"), ("index.fr.html", "fr")])
def test_the_report(browser: Chrome, attacked: Any, malicious: Any, name: str, language: str) -> None:
    (page,) = (attacked.folder / "out" / "runs").rglob(name)
    text = check(browser, page, malicious)
    assert browser.execute_script("return document.documentElement.lang") == language
    for honest in malicious.HONEST:
        assert honest in text


def test_the_page_of_a_place(browser: Chrome, attacked: Any, malicious: Any) -> None:
    done = attacked.run("place", "<script>window.hacked=7</script>", "--radius-km", 50, "--no-history", "--workers", 1)
    assert done.code in {0, 3}, done.err
    (page,) = (attacked.folder / "out" / "places").rglob("index.html")
    assert page.parent.parent == attacked.folder / "out" / "places"
    assert "<script>window.hacked=7</script>" in check(browser, page, malicious)
    done = attacked.run("place", "../../planted", "--radius-km", 50, "--no-history", "--workers", 1)
    assert done.code in {0, 3}, done.err
    assert len(list((attacked.folder / "out" / "places").glob("*/index.html"))) == 2
    assert not [path for path in attacked.folder.rglob("*") if path.name == "planted"]


def test_the_comparison(browser: Chrome, attacked: Any, malicious: Any) -> None:
    done = attacked.run("compare")
    assert done.code in {0, 3}, done.err
    (page,) = (attacked.folder / "out" / "comparisons").rglob("index.html")
    check(browser, page, malicious)


def test_the_track_record(browser: Chrome, attacked: Any, malicious: Any) -> None:
    done = attacked.run("score")
    assert done.code in {0, 3}, done.err
    for name in ("index.html", "index.fr.html"):
        (page,) = (attacked.folder / "out" / "track-record").rglob(name)
        check(browser, page, malicious)


def test_the_archive(browser: Chrome, attacked: Any, malicious: Any) -> None:
    done = attacked.run("site", "--output", attacked.folder / "out" / "archive")
    assert done.code == 0, done.err
    site = attacked.folder / "out" / "archive"
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 5
    assert all(path.resolve().is_relative_to(site.resolve()) for path in site.rglob("*"))
    for page in [site / "index.html", *sorted(site.glob("*/*/index.html")), *sorted(site.glob("issues/*/*/*.html"))]:
        browser.get_log("browser")
        browser.get_log("performance")
        browser.get(page.as_uri())
        assert browser.execute_script("return window.hacked") is None
        with pytest.raises(NoAlertPresentException):
            browser.switch_to.alert.accept()
        assert {url for url in requests(browser) if not url.startswith(site.as_uri())} == set()
        assert [entry["message"] for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
        assert browser.find_elements(By.CSS_SELECTOR, PLANTED) == []
        assert malicious.acting_in(browser.execute_script("return document.documentElement.textContent")) == []
    feed = (site / "feed.xml").read_text(encoding="utf-8")
    assert malicious.acting_in("".join(ET.fromstring(feed).itertext())) == []
    assert malicious.acting_in((site / "index.json").read_text(encoding="utf-8")) == []
