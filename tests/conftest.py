"""A small simulated workspace, and the command line as a user sees it."""

from __future__ import annotations

import importlib.util
import itertools
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import settings

# The same examples on every run, so that a change is judged by its own merits; `make check` looks at new ones.
settings.register_profile("repeatable", derandomize=True, deadline=None, print_blob=True)
settings.register_profile("explore", deadline=None, print_blob=True)
settings.load_profile("repeatable")

MODELS = ("zero", "climatology-26", "discount-negbin")
MEMBERS = ("discount-negbin", "climatology-26")
"""Of the combined forecast, which the report speaks for as in the reference workspace; these two take no time."""


@dataclass(frozen=True)
class Outcome:
    """What a command did: exit code, stdout, stderr."""

    code: int
    out: str
    err: str


@pytest.fixture(scope="session")
def small_workspace(tmp_path_factory):
    """A simulated workspace of 4 regions, 3 places, 40 weeks, without brief and pictures: seconds; do not change it."""
    from forecast.jobs.new_workspace import simulate_workspace
    from forecast.reference import reference_workspace
    from forecast.workspace import open_workspace

    folder = tmp_path_factory.mktemp("small") / "workspace"
    simulate_workspace(folder, open_workspace(reference_workspace()), "poisson", weeks=40, regions=4, seed=3)
    for path in (folder / "models").glob("*.toml"):
        if path.stem not in MODELS:
            path.unlink()
    config = folder / "forecast.toml"
    text = config.read_text(encoding="utf-8")
    for key, names in {"use": MODELS, "members": MEMBERS}.items():
        start, end = text.index(f"{key} = ["), text.index("]", text.index(f"{key} = ["))
        text = text[:start] + f"{key} = [" + ", ".join(f'"{name}"' for name in names) + text[end:]
    for key, value in {"origins": 22, "refit_every": 8, "draws": 200}.items():
        old = next(line for line in text.splitlines() if line.startswith(f"{key} = "))
        text = text.replace(old, f"{key} = {value}")
    config.write_text(text, encoding="utf-8")
    report = folder / "reports" / "weekly.toml"
    plain = re.sub(r"^(brief|pictures) = true$", r"\1 = false", report.read_text(encoding="utf-8"), flags=re.MULTILINE)
    report.write_text(plain, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def archive(small_workspace, tmp_path_factory):
    """A copy of it whose forecasts of three weeks were issued; do not change it."""
    from forecast.cli import main

    folder = tmp_path_factory.mktemp("archive") / "workspace"
    shutil.copytree(small_workspace, folder)
    for day, now in (("08-26", "08-28"), ("09-02", "09-04"), ("10-07", "10-09")):
        options = ["--as-of", f"2000-{day}", "--now", f"2000-{now}T06:00:00Z", "--workers", "1"]
        assert main(["run", "--workspace", str(folder), *options]) in {0, 3}
    return folder


@pytest.fixture(scope="session")
def french():
    """What finds English in French pages: `tests/french.py`, which is in no package."""
    spec = importlib.util.spec_from_file_location("french", Path(__file__).with_name("french.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def bilingual_archive(archive, tmp_path_factory):
    """A copy of the archive whose report speaks French, and English too; do not change it."""
    folder = tmp_path_factory.mktemp("bilingual") / "workspace"
    shutil.copytree(archive, folder)
    definition = folder / "reports" / "weekly.toml"
    text = definition.read_text(encoding="utf-8")
    assert 'languages = ["en"]' in text
    definition.write_text(text.replace('languages = ["en"]', 'languages = ["fr", "en"]'), encoding="utf-8")
    return folder


@pytest.fixture
def workspace(small_workspace, tmp_path):
    """A copy of the small workspace to change at will."""
    folder = tmp_path / "workspace"
    shutil.copytree(small_workspace, folder)
    return folder


@pytest.fixture
def edit(workspace):
    """A function that replaces a text in forecast.toml."""

    def replace(old: str, new: str) -> None:
        path = workspace / "forecast.toml"
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return replace


@pytest.fixture
def forecast(capsys, monkeypatch):
    """The command line, run in this process: a function of the arguments."""
    from forecast.cli import main

    monkeypatch.setenv("COLUMNS", "100")

    def call(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


def visible(out: Path) -> dict[str, bytes]:
    """Return path and bytes of every file of a result folder that is somebody's output; logs are of every run."""
    if not out.is_dir():
        return {}
    files = [path for path in sorted(out.rglob("*")) if path.is_file() and path.relative_to(out).parts[0] != "log"]
    shown = [path for path in files if not any(part.startswith(".") for part in path.relative_to(out).parts)]
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in shown}


@pytest.fixture
def outputs(workspace):
    """A function that returns path and bytes of all visible files in out/."""
    return lambda: visible(workspace / "out")


@pytest.fixture(scope="session")
def postgres_server():
    """A PostgreSQL server on loopback; the tests that need one are skipped where there are no binaries."""
    spec = importlib.util.spec_from_file_location("postgres", Path(__file__).with_name("postgres.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.binaries() if hasattr(os, "geteuid") else None
    if found is None:
        pytest.skip("no PostgreSQL here (Debian: apt-get install postgresql)")
    server = module.PostgresServer(found)
    try:
        server.create()
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture
def running_server(postgres_server):
    """The server, started again where a test before has ended it."""
    if postgres_server.process is None:
        postgres_server.start()
    return postgres_server


_numbers = itertools.count(1)


@pytest.fixture
def new_database(running_server):
    """A function that makes a database, empty or like another one, and returns its URL."""
    return lambda template="template1": running_server.database(f"database_{next(_numbers)}", template)


@pytest.fixture
def database_url(new_database):
    """The URL of an empty database."""
    return new_database()
