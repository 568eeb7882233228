"""The documentation site builds without a warning, has every page, and asks no other address for anything."""

from __future__ import annotations

import doctest
import importlib
import os
import re
import subprocess
import sys
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

import forecast
from forecast.cli.app import SUMMARIES
from forecast.events.mapping_spec import TableMapping
from forecast.families.model import ModelSpec
from forecast.families.registry import BUILT_IN, family_class
from forecast.workspace import ReportSpec, WorkspaceSpec

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(not (ROOT / "mkdocs.yml").is_file(), reason="needs the checkout")


class _Page(HTMLParser):
    """Anchors of a page, what it links to, and what a browser loads with it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.anchors |= {value for key, value in attrs if key in {"id", "name"} and value}
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag in {"script", "img", "iframe"} and given.get("src"):
            self.loaded.append(given["src"])
        elif tag == "link" and given.get("href") and given.get("rel") not in {"canonical", "next", "prev"}:
            self.loaded.append(given["href"])


def build(config: Path, site: Path) -> subprocess.CompletedProcess[str]:
    """Build a site as `make docs` does."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", str(config), "-d", str(site)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=config.parent, env=quiet)


@pytest.fixture
def building(monkeypatch):
    """The modules of docs/_building can be imported."""
    monkeypatch.syspath_prepend(ROOT / "docs" / "_building")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built once."""
    folder = tmp_path_factory.mktemp("documentation") / "site"
    done = build(ROOT / "mkdocs.yml", folder)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    return folder


@pytest.fixture(scope="module")
def pages(site):
    """Every page by its file."""
    found = {path: _Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html") if path.name != "404.html"}
    assert len(found) > 40
    return found


def test_every_link_and_anchor_leads_somewhere(site, pages):
    broken = []
    for path, page in pages.items():
        for link in [*page.links, *page.loaded]:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            inside = target.is_relative_to(site.resolve()) and target.is_file()
            anchor = unquote(parts.fragment)
            if not inside or (anchor and target in pages and anchor not in {"", "__skip"} | pages[target].anchors):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert broken == []


def test_nothing_comes_from_another_address(site, pages):
    assert [source for page in pages.values() for source in page.loaded if urlsplit(source).netloc] == []
    styles = "".join(path.read_text(encoding="utf-8") for path in site.rglob("*.css"))
    assert re.findall(r"(?:url\(|@import)\s*[\"']?(?:https?:)?//[^)]*", styles) == []


def test_every_document_has_its_page(site):
    documents = [path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")]
    pages = [path.with_name("index.html" if path.stem == "README" else f"{path.stem}.html") for path in documents]
    assert [f"{page}" for page in pages if not (site / page).is_file()] == []


def test_formulas_are_drawn(site):
    text = (site / "families" / "excited_hurdle.html").read_text(encoding="utf-8")
    assert text.count('<svg class="formula"') > 20
    assert "arithmatex" not in text


def test_what_is_wrong_stops_the_build(tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    nav, hooks = config.index("nav:"), config.index("hooks:")
    checks = config[config.index("validation:") : hooks]
    (tmp_path / "mkdocs.yml").write_text(f"{config[:nav]}nav: [index.md]\n{checks}theme: mkdocs\nplugins: []\n")
    (docs / "index.md").write_text("# A page\n")
    assert build(tmp_path / "mkdocs.yml", tmp_path / "site").returncode == 0
    (docs / "index.md").write_text("# A page\n\n[gone](gone.md) [out](../away.md) [anchor](#nowhere)\n")
    (docs / "other.md").write_text("A page that is in no menu.\n")
    done = build(tmp_path / "mkdocs.yml", tmp_path / "site")
    assert done.returncode == 1
    warned = [line for line in done.stderr.splitlines() if line.startswith("WARNING")]
    told = ('not included in the "nav"', "'gone.md'", "'../away.md'", "'#nowhere'")
    assert [sum(what in line for line in warned) for what in told] == [1, 1, 1, 1]


def test_links_out_of_docs_become_links_of_the_site(building, tmp_path):
    documents = importlib.import_module("documents")
    for path, text in {
        "docs/a/page.md": "",
        "docs/b/README.md": "",
        "NOTES.md": "[spec](models/one.toml) [b](docs/b/) [gone](gone.md)",
        "models/one.toml": "x = 1\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert documents.outside_documents(tmp_path, ["NOTES.md"]) == ["NOTES.md", "models/one.toml"]
    assert documents.outside_documents(tmp_path, []) == []
    code = "`[c](../../NOTES.md)`\n```\n[d](../../NOTES.md)\n```\n"
    text = f"[n](../../NOTES.md#x) [b](../b/) [u](https://example.org) {code}"
    expected = f"[n](../repository/NOTES.md#x) [b](../b/README.md) [u](https://example.org) {code}"
    assert documents.with_links_of_the_site(text, "docs/a/page.md", tmp_path) == expected
    notes = documents.with_links_of_the_site(documents.page_of("NOTES.md", tmp_path), "NOTES.md", tmp_path)
    assert notes == "[spec](models/one.toml.md) [b](../b/README.md) [gone](gone.md)"
    assert "````toml\nx = 1\n````" in documents.page_of("models/one.toml", tmp_path)


def test_a_formula_is_a_picture_with_its_source(building):
    formulas = importlib.import_module("formulas")
    drawn = formulas.with_formulas(r'<p>so <span class="arithmatex">\(x \le \Big(y_i\Big)\)</span>.</p>')
    assert drawn.startswith('<p>so <svg class="formula" role="img" aria-label="x \\le')
    assert (
        len(re.search(r' d="([^"]*)"', drawn)[1].split("Z")) == 9
    )  # x; two strokes of the sign; (; y; i and its dot; ); the rest
    with pytest.raises(ValueError, match="nosuchsymbol"):
        formulas.with_formulas(r'<div class="arithmatex">\[\nosuchsymbol\]</div>')


@pytest.mark.parametrize("name", ["command_line", "documents", "specs"])
def test_the_examples_of_the_building_run(building, name):
    found = doctest.testmod(importlib.import_module(name))
    assert (found.failed, found.attempted > 0) == (0, True)


@pytest.mark.parametrize("spec", [WorkspaceSpec, ReportSpec, TableMapping, ModelSpec, *map(family_class, BUILT_IN)])
def test_every_key_of_a_toml_file_is_told(building, spec):
    assert importlib.import_module("specs").untold(spec) == []


def test_every_command_is_told(site):
    text = (site / "reference" / "command-line.html").read_text(encoding="utf-8")
    assert [name for name in SUMMARIES if f'id="forecast-{name}"' not in text] == []
    assert 'id="forecast-ledger-verify"' in text
    assert "--time-budget TIME" in text
    shown = unescape(re.sub(r"<script.*?</script>|<[^>]+>", "", text, flags=re.DOTALL))
    assert "out/runs/<report>/<origin>/: index.html" in shown
    assert "--format <hub|views|hdx>" in shown


def test_every_table_and_its_keys_are_told(site):
    text = unescape(re.sub("<[^>]+>", "", (site / "reference" / "forecast-toml.html").read_text(encoding="utf-8")))
    assert [name for name in WorkspaceSpec.model_fields if name not in text] == []
    assert '[[escalations]] rule = "above_recent"' in text
    assert re.search(r"radius_km\s+whole number, 10 to 500\s+100\s+Events within it", text)
    assert re.search(r'week_start\s+"saturday", "sunday", "monday"\s+"saturday"', text)


def test_every_public_name_is_told(pages, site):
    anchors = pages[site / "reference" / "python.html"].anchors
    told = {anchor.rpartition(".")[2] for anchor in anchors if anchor.startswith("forecast.")}
    names = {name for name in forecast.__all__ if callable(getattr(forecast, name))}
    assert len(names) > 15
    assert names - told == set()


@pytest.mark.parametrize("family", BUILT_IN)
def test_the_page_of_a_family_tells_its_settings(building, family):
    page = importlib.import_module("reference").family_page(family, ROOT / "docs")
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    assert f"`{family}`" in text or f'family = "{family}"' in text
    assert [name for name in family_class(family).model_fields if f"`{name}`" not in text] == []


@pytest.mark.parametrize("family", ["zero", "last", "climatology", "window_negbin", "discount_negbin", "glm"])
def test_the_figures_of_simple_families_are_those_of_the_comparison(family):
    measured = (ROOT / "docs" / "peers.md").read_text(encoding="utf-8").splitlines()
    text = (ROOT / "docs" / "families" / f"{family}.md").read_text(encoding="utf-8")
    rows = [
        line for line in text.splitlines() if re.match(r"\| `[a-z0-9-]+` \|.*%|\| `[a-z0-9-]+` \| 0\.\d+ \|.*/", line)
    ]
    assert rows
    assert [row for row in rows if row not in measured] == []


def test_the_list_of_families_is_whole():
    text = (ROOT / "docs" / "families" / "README.md").read_text(encoding="utf-8")
    assert [name for name in BUILT_IN if name not in text] == []
