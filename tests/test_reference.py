from __future__ import annotations

from pathlib import Path

import pytest

import forecast
from forecast.errors import ForecastError
from forecast.reference import PACKAGED, _workspace_of, reference_workspace
from forecast.workspace import CONFIG_NAME


def lay(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CONFIG_NAME).touch()
    return folder


def test_in_a_checkout_it_is_the_checkout():
    assert reference_workspace() == Path(forecast.__file__).parent.parent


def test_in_an_installed_wheel_it_is_within_the_package(tmp_path):
    packaged = lay(tmp_path / "site-packages" / "forecast" / PACKAGED)
    assert _workspace_of(tmp_path / "site-packages" / "forecast") == packaged


def test_what_the_wheel_carries_goes_before_a_file_that_happens_to_lie_beside_it(tmp_path):
    packaged = lay(tmp_path / "forecast" / PACKAGED)
    lay(tmp_path)
    assert _workspace_of(tmp_path / "forecast") == packaged


def test_an_installation_without_one_says_what_to_do(tmp_path):
    with pytest.raises(ForecastError, match=r"(?s)no reference workspace.*forecast init DIR"):
        _workspace_of(tmp_path / "forecast")
