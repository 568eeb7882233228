"""The report in a real browser: offline, complete, usable by keyboard, no wider than the screen."""

from __future__ import annotations

import dataclasses
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from forecast.reporting.content import ReportContent
from forecast.reporting.html import render_report
from forecast.reporting.page import page_name

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def pages(content: ReportContent, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder, shown = tmp_path_factory.mktemp("report"), dataclasses.replace(content, languages=("en", "fr"))
    found = {language: folder / page_name(language, shown.languages) for language in shown.languages}
    for language in shown.languages:
        found[language].write_text(render_report(shown, language), encoding="utf-8")
    return found


@pytest.fixture(scope="module")
def page(pages: dict[str, Path]) -> Path:
    return pages["en"]


def show(browser: Chrome, page: Path, *, width: int = 1440, scheme: str = "light") -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    browser.get_log("performance")
    browser.get_log("browser")
    browser.get(page.as_uri())
    WebDriverWait(browser, 60).until(lambda b: b.execute_script("return document.documentElement.dataset.drawn"))


def requests(browser: Chrome) -> list[str]:
    found = []
    for entry in browser.get_log("performance"):
        message: dict[str, Any] = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            found.append(message["params"]["request"]["url"])
    return found


@pytest.mark.parametrize("width", [375, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_draws_everything_offline_without_overflow(
    browser: Chrome, page: Path, width: int, scheme: str, barriers: Any
) -> None:
    show(browser, page, width=width, scheme=scheme)
    assert [entry for entry in browser.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}] == []
    assert {url for url in requests(browser) if not url.startswith("data:")} == {page.as_uri()}
    figures = browser.execute_script(
        "return Object.keys(JSON.parse(document.getElementById('figures').textContent).figures).length"
    )
    drawn = browser.execute_script(
        "return [...document.querySelectorAll('.js-plotly-plot')]"
        ".filter((box) => box.querySelector('svg.main-svg')).length"
    )
    assert drawn == figures > 10
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert barriers(browser) == []


@pytest.mark.parametrize(("width", "scheme"), [(375, "dark"), (1440, "light")])
def test_the_french_page_is_french(
    browser: Chrome, pages: dict[str, Path], width: int, scheme: str, barriers: Any
) -> None:
    show(browser, pages["fr"], width=width, scheme=scheme)
    assert [entry for entry in browser.get_log("browser") if entry["level"] in {"SEVERE", "WARNING"}] == []
    assert {url for url in requests(browser) if not url.startswith("data:")} == {pages["fr"].as_uri()}
    assert browser.execute_script("return document.documentElement.lang") == "fr"
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert barriers(browser) == []
    axis = browser.execute_script("return document.querySelector('#fan-1 .xaxislayer-above').textContent")
    assert re.search(r"avr|mai|juin|juil|août|sept", axis), axis
    assert re.search(r"^\d+ lignes affichées sur \d+$", browser.find_element(By.ID, "risk-shown").text)
    link = browser.find_element(By.CSS_SELECTOR, "nav.languages a[lang='en']")
    browser.execute_script("arguments[0].click()", link)
    assert browser.current_url == pages["en"].as_uri()


def test_figures_take_the_colours_of_the_page(browser: Chrome, page: Path) -> None:
    script = "return document.getElementById('fan-1').layout.font.color"
    show(browser, page, scheme="light")
    light = browser.execute_script(script)
    show(browser, page, scheme="dark")
    assert browser.execute_script(script) != light


def test_table_sorts_and_filters_by_keyboard(browser: Chrome, page: Path) -> None:
    show(browser, page)

    def shown(column: int) -> list[str]:
        return browser.execute_script(
            "return [...document.querySelectorAll('#risk-table tbody tr')].filter((row) => !row.hidden)"
            ".map((row) => row.cells[arguments[0]].dataset.key)",
            column,
        )

    heads = browser.find_elements(By.CSS_SELECTOR, "#risk-table thead th")
    assert all(head.find_element(By.TAG_NAME, "button") for head in heads)
    before = shown(2)
    assert len(before) == 5
    head = heads[2]
    head.find_element(By.TAG_NAME, "button").send_keys(Keys.ENTER)
    assert head.get_attribute("aria-sort") == "descending"
    head.find_element(By.TAG_NAME, "button").send_keys(Keys.SPACE)
    assert head.get_attribute("aria-sort") == "ascending"
    assert shown(2) == [*sorted(before[:-1], key=float), before[-1]]  # the unknown one stays last

    browser.find_element(By.ID, "risk-filter").send_keys("tillaberi")
    assert shown(0) == ["Tillabéri (Niger)"]
    assert browser.find_element(By.ID, "risk-shown").text == "1 of 10 rows shown"


def test_all_of_a_row_is_in_sight_on_a_phone(browser: Chrome, page: Path) -> None:
    show(browser, page, width=375)
    cut = browser.execute_script(
        "return ['risk-table', 'track-table'].flatMap((name) => [...document.querySelectorAll(`#${name}, .${name}`)])"
        ".map((table) => table.closest('.scroll')).filter((box) => box.scrollWidth > box.clientWidth).length"
    )
    assert cut == 0
    row = browser.find_element(By.CSS_SELECTOR, "#risk-table tbody tr:not([hidden])").text
    assert "%" in row
    assert any(word in row for word in ("chance", "likely"))
    assert "Above its recent past" not in row
    browser.find_element(By.CSS_SELECTOR, "#risk-rule option[value='']").click()
    assert "Above its recent past" in browser.find_element(By.CSS_SELECTOR, "#risk-table tbody tr").text


def test_map_names_change_with_the_width(browser: Chrome, page: Path) -> None:
    script = "return document.getElementById('map-figure').data.map((trace) => trace.meta).filter(Boolean)"
    show(browser, page, width=375)
    assert set(browser.execute_script(script)) == {"narrow"}
    show(browser, page)
    assert set(browser.execute_script(script)) == {"wide"}


def test_skip_link_is_the_first_stop(browser: Chrome, page: Path) -> None:
    show(browser, page)
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    stop = browser.switch_to.active_element
    assert stop.get_attribute("class") == "skip"
    stop.send_keys(Keys.ENTER)
    assert browser.switch_to.active_element.get_attribute("id") == "main"


def test_names_stay_text(browser: Chrome, page: Path) -> None:
    show(browser, page)
    assert browser.execute_script("return document.querySelectorAll('.told h4 b').length") == 0
    titles = [item.text for item in browser.find_elements(By.CSS_SELECTOR, ".told h4")]
    assert "<b>Mopti</b> (Mali)" in titles
    labels = browser.execute_script(
        "return [...document.querySelectorAll('#map-figure .textpoint')].map((t) => t.textContent)"
    )
    assert "<b>Mopti</b>" in labels


def test_prints_light_and_within_the_sheet(browser: Chrome, page: Path) -> None:
    show(browser, page, scheme="dark")
    browser.execute_script(
        "window.addEventListener('beforeprint', () => { window.printed = [...document.querySelectorAll('.plot')]"
        ".map((box) => [box.layout.width, box.layout.font.color]); })"
    )
    browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": True, "paperWidth": 8.27, "paperHeight": 11.69})
    for _ in range(50):
        printed = browser.execute_script("return window.printed")
        if printed:
            break
        time.sleep(0.1)
    assert {colour for _, colour in printed} == {"#1d232a"}
    assert {width for width, _ in printed} == {318, 660}
