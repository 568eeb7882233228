from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

from forecast.reporting.content import ReportContent


@pytest.fixture(scope="session")
def build_content() -> Callable[..., ReportContent]:
    """The builder of a small report; takes the name of the first region."""
    path = Path(__file__).with_name("small_content.py")
    spec = importlib.util.spec_from_file_location("small_content", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.small_content


@pytest.fixture(scope="session")
def content(build_content: Callable[..., ReportContent]) -> ReportContent:
    return build_content()
