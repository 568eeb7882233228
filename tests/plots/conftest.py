"""Every chart in turn."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest


def _beside(name: str) -> ModuleType:
    """Load a module of this folder, which is no package."""
    spec = importlib.util.spec_from_file_location(f"plots_{name}", Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


FRAMES = _beside("small_frames")


@pytest.fixture(scope="session")
def frames() -> ModuleType:
    """The small frames."""
    return FRAMES


@pytest.fixture(params=FRAMES.CASES, ids=[case.name for case in FRAMES.CASES])
def case(request: pytest.FixtureRequest) -> Any:
    """One chart, how it is drawn, and what its frame must hold."""
    return request.param
