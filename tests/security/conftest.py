"""A workspace whose data are malicious from end to end, forecast once for all tests."""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@dataclass(frozen=True)
class Done:
    """What a command did: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Attacked:
    """A workspace with a malicious event store, and what each command on it said."""

    folder: Path
    said: dict[str, Done]

    def run(self, *arguments: object) -> Done:
        """Return what a command does there."""
        return _call([*map(str, arguments), "--workspace", str(self.folder)])


def _call(arguments: list[str]) -> Done:
    from forecast.cli import main

    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    return Done(code, out.getvalue(), err.getvalue())


browser = _module(Path(__file__).parents[1] / "browser" / "conftest.py").browser


@pytest.fixture(scope="session")
def malicious() -> ModuleType:
    """The module that makes the malicious data."""
    return _module(Path(__file__).with_name("malicious.py"))


@pytest.fixture(scope="session")
def call() -> Callable[..., Done]:
    """The command line: a function of the arguments."""
    return lambda *arguments: _call([*map(str, arguments)])


@pytest.fixture(scope="session")
def attacked(small_workspace: Path, malicious: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    """A workspace that counts malicious events in malicious regions, ingested, run and exported; do not change it."""
    folder = tmp_path_factory.mktemp("attacked") / "workspace"
    shutil.copytree(small_workspace, folder)
    (folder / "data" / "regions.geojson").write_text(malicious.polygons(), encoding="utf-8")
    path = folder / "forecast.toml"
    text = path.read_text(encoding="utf-8")
    text = re.sub(r"^set = .*$", 'store = "table"\nregions = "data/regions.geojson"', text, flags=re.M)
    text = re.sub(r"^calibrate_on = .*$", "", text, flags=re.M)
    text = re.sub(r"\[regions\].*?(?=\[\[escalations\]\])", "", text, count=1, flags=re.S)
    places = "".join(
        f"[[places]]\nname = '''{name}'''\nlatitude = 0.5\nlongitude = {at + 0.5}\nradius_km = 50\n\n"
        for at, name in enumerate(["<script>window.hacked=7</script>", "../../planted"])
    )
    text = re.sub(r"^title = .*$", 'title = "<script>window.hacked=8</script> =1+1"', text, flags=re.M)
    path.write_text(text.replace("[[escalations]]", f"{places}[[escalations]]", 1), encoding="utf-8")
    report = folder / "reports" / "weekly.toml"
    text = re.sub(r"^(brief|pictures) = false$", r"\1 = true", report.read_text(encoding="utf-8"), flags=re.M)
    text = text.replace('languages = ["en"]', 'languages = ["en", "fr"]')
    report.write_text(text, encoding="utf-8")
    source = folder / "data" / "<img src=x onerror=window.hacked=9>.csv"
    source.write_bytes(malicious.events())
    said = {"ingest": _call(["ingest", "table", str(source), "--known-at", "2023-10-20", "--workspace", str(folder)])}
    done = Attacked(folder, said)
    said["check"] = done.run("check")
    said["run"] = done.run("run", "--workers", 1, "--now", "2023-10-21T06:00:00Z")
    for form in ("hub", "views", "hdx"):
        said[f"export {form}"] = done.run("export", "--format", form)
    said["ledger list"] = done.run("ledger", "list")
    said["ledger show"] = done.run("ledger", "show", 1)
    said["ledger verify"] = done.run("ledger", "verify")
    return done
