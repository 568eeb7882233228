from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from forecast.evaluation.issued import IssuedRecord
from forecast.reporting.changes import Changes
from forecast.reporting.content import ReportContent


def _beside(name: str) -> ModuleType:
    """Load a module of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def build_content() -> Callable[..., ReportContent]:
    """The builder of a small report; takes the name of the first region."""
    return _beside("small_content").small_content


@pytest.fixture(scope="session")
def content(build_content: Callable[..., ReportContent]) -> ReportContent:
    return build_content()


@pytest.fixture(scope="session")
def issued() -> IssuedRecord:
    return _beside("small_issued").issued_record()


@pytest.fixture(scope="session")
def changes() -> Changes:
    return _beside("small_changes").small_changes()
