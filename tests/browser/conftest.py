from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from axe_core_python.selenium import Axe
from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from forecast.evaluation.issued import IssuedRecord
from forecast.reporting.content import ReportContent

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


def _of_reporting(name: str) -> ModuleType:
    """Load a module of the tests of reporting."""
    path = Path(__file__).parents[1] / "reporting" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def content() -> ReportContent:
    return _of_reporting("small_content").small_content("<b>Mopti</b>")


@pytest.fixture(scope="session")
def issued() -> IssuedRecord:
    return _of_reporting("small_issued").issued_record()


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    chromium, driver = shutil.which("chromium") or shutil.which("google-chrome"), shutil.which("chromedriver")
    if chromium is None or driver is None:
        pytest.skip("needs chromium and chromedriver on the path")
    options = Options()
    options.binary_location = chromium
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    opened = Chrome(options=options, service=Service(driver))
    yield opened
    opened.quit()


@pytest.fixture(scope="session")
def barriers() -> Callable[[Chrome], list[tuple[str, str, list[str]]]]:
    """A function that returns what axe-core finds on the page that is open: rule, impact, and the first elements."""
    axe: Any = Axe()

    def find(opened: Chrome) -> list[tuple[str, str, list[str]]]:
        found = axe.run(opened)["violations"]
        return [(each["id"], each["impact"], [node["html"][:120] for node in each["nodes"][:3]]) for each in found]

    return find
