"""The wheel by itself: the command runs and the reference workspace is inside, away from the checkout."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CARRIED = "forecast/reference_workspace/"


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command that must succeed, without what this process was told about paths; return its output."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV", "PIP_"))}
    result = subprocess.run(
        list(map(str, command)), cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """Build the wheel with the pinned backend, without an index."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    run(*pip, "--wheel-dir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def members(wheel) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory) -> Path:
    """Install the wheel into an empty environment; return the folder of its commands.

    Its dependencies come from the environment of the tests, whose own editable install it does not see: a path
    that stands in a ``.pth`` file is searched, but the ``.pth`` files in it are not read.
    """
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    scheme = {"base": str(folder), "platbase": str(folder), "installed_base": str(folder)}
    commands, packages = (Path(sysconfig.get_path(kind, "venv", scheme)) for kind in ("scripts", "purelib"))
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        commands / "python",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
    ]
    run(*pip, wheel, cwd=folder)
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    return commands


def files_below(folder: str) -> set[str]:
    """Return the files of a folder of the checkout as paths below its root, without caches."""
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()}
    return {name for name in found if "__pycache__" not in name}


def test_the_wheel_carries_the_reference_workspace_whole(members):
    carried = {name.removeprefix(CARRIED) for name in members if name.startswith(CARRIED)}
    data = {name for name in files_below("data") if not name.endswith(".py")}
    assert data
    assert carried == {"forecast.toml"} | data | files_below("models") | files_below("reports")


def test_the_wheel_holds_the_package_whole_and_nothing_else(members):
    beside = {name for name in members if ".dist-info/" not in name and not name.startswith(CARRIED)}
    assert beside == files_below("forecast")
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in members)


def test_the_installed_package_is_not_the_checkout(installed, tmp_path):
    code = "import forecast.reference as r; print(r.reference_workspace())"
    found = Path(run(installed / "python", "-c", code, cwd=tmp_path).strip())
    assert not found.is_relative_to(ROOT)
    assert (found / "forecast.toml").is_file()
    assert list(found.glob("data/*/datapackage.json"))


def test_the_installed_command_lists_its_commands(installed, tmp_path):
    shown = run(installed / "forecast", "--help", cwd=tmp_path)
    assert [command for command in ("run", "backtest", "models", "init") if command not in shown.split()] == []


@pytest.mark.slow
def test_the_installed_command_forecasts_in_an_empty_folder(installed, tmp_path):
    shown = run(installed / "forecast", "run", "--now", "2026-08-03T06:00:00Z", cwd=tmp_path)
    page = Path(shown.splitlines()[-1])
    assert page.is_relative_to(tmp_path)
    assert page.stat().st_size > 1_000_000
    assert {path.name for path in page.parent.iterdir()} == {
        "index.html",
        "forecast.parquet",
        "paths.parquet",
        "risk.csv",
        "summary.json",
        "brief.pdf",
        "map.png",
        *(f"fan-{region}.png" for region in range(1, 6)),
        "reliability.png",
        "manifest.json",
    }
