"""Tutorials and how-to pages: what they tell a reader to type and to write down works, in the order of the page."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.cli import main

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(
    path.relative_to(DOCS).as_posix()
    for folder in ("tutorials", "how-to")
    for path in (DOCS / folder).glob("*.md")
    if "```" in path.read_text(encoding="utf-8")
)
SLOW = {"tutorials/first-forecast.md", "tutorials/own-country.md"}
BLOCK = re.compile(r"^(?P<indent> *)```(?P<language>\w+)\n(?P<text>.*?)^(?P=indent)```", re.MULTILINE | re.DOTALL)


def shrink(workspace: Path) -> None:
    """Let a new workspace run few quick models over few weeks."""
    config = workspace / "forecast.toml"
    text = config.read_text(encoding="utf-8")
    text = re.sub(
        r"^use = \[.*?\]", 'use = ["window-negbin-52", "discount-negbin"]', text, flags=re.MULTILINE | re.DOTALL
    )
    text = re.sub(r"^members = \[.*?\]", 'members = ["discount-negbin", "window-negbin-52"]', text, flags=re.MULTILINE)
    text = re.sub(r"^calibrate_on = .*", "", text, flags=re.MULTILINE)
    text = re.sub(r"^origins = \d+", "origins = 16", text, flags=re.MULTILINE)
    text = re.sub(r"^draws = \d+", "draws = 100", text, flags=re.MULTILINE)
    config.write_text(text, encoding="utf-8")
    for path in (workspace / "reports").glob("*.toml"):
        plain = re.sub(r"^(brief|pictures) = true", r"\1 = false", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        path.write_text(plain, encoding="utf-8")


def export_of_ucdp(path: Path) -> None:
    """Write a release of UCDP with an invented country."""
    rng = np.random.default_rng(7)
    days = pd.date_range("2024-01-01", "2025-12-31")
    rows = [(region, day) for region in ("North", "South") for day in days for _ in range(rng.poisson(0.1))]
    table = pd.DataFrame(rows, columns=["adm_1", "date_start"])
    point = {"latitude": 14.0, "longitude": 2.0, "country": "Simulated land", "where_prec": 1, "date_prec": 1}
    rest = {
        "type_of_violence": 1,
        "best": 1,
        "low": 1,
        "high": 1,
        "where_coordinates": "",
        "event_clarity": 1,
        "adm_2": "",
    }
    table = table.assign(id=range(1, len(table) + 1), date_end=table["date_start"], **point, **rest)
    table.to_csv(path, index=False, date_format="%Y-%m-%d")


def boundaries(path: Path) -> None:
    """Write the polygon of the invented country, of four cells of the PRIO-GRID."""
    ring = [[1.5, 13.5], [2.5, 13.5], [2.5, 14.5], [1.5, 14.5], [1.5, 13.5]]
    land = {"type": "Polygon", "coordinates": [ring]}
    feature = {"type": "Feature", "properties": {"country": "Simulated land"}, "geometry": land}
    path.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}), encoding="utf-8")


def follow(page: str, names: dict[str, object], monkeypatch) -> int:
    """Do what a page says in the current folder, and return how much that was."""
    done = 0
    for block in BLOCK.finditer((DOCS / page).read_text(encoding="utf-8")):
        text = re.sub(f"^{block['indent']}", "", block["text"], flags=re.MULTILINE)
        done += 1
        match block["language"]:
            case "console":
                for line in text.splitlines():
                    command(line.removeprefix("$ "), monkeypatch)
            case "toml":
                path = Path(text.splitlines()[0].removeprefix("# "))
                before = path.read_text(encoding="utf-8") if path.exists() else ""
                path.write_text(f"{before}\n{text}", encoding="utf-8")
            case "python":
                exec(compile(text, page, "exec"), names)
    return done


def command(line: str, monkeypatch) -> None:
    """Run a line of a console: `forecast ...` or `cd ...`."""
    program, *arguments = shlex.split(line)
    if program == "cd":
        monkeypatch.chdir(arguments[0])
        return
    assert program == "forecast", line
    if arguments[0] in {"run", "backtest", "place"}:
        arguments += ["--workers", "1"]
    assert main(arguments) in {0, 3}, line  # 3: done, and the counts are old, as the page says
    if arguments[0] == "init":
        shrink(Path(arguments[1]))


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=[pytest.mark.slow] if page in SLOW else []) for page in PAGES]
)
def test_what_a_page_says_works(page, request, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    if page == "how-to/weekly-report.md":  # begins in a workspace
        monkeypatch.chdir(request.getfixturevalue("workspace"))
    export_of_ucdp(tmp_path / "GEDEvent_v26_1.csv")
    boundaries(tmp_path / "countries.geojson")
    assert follow(page, {}, monkeypatch) > 1
    capsys.readouterr()


def test_the_pages_are_found():
    assert {"how-to/add-place-escalation-model.md", "how-to/weekly-report.md", *SLOW} <= set(PAGES)
