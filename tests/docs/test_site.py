"""The documentation site builds without a warning, has every page, and asks no other address for anything."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

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
    documents = [path.relative_to(ROOT / "docs").with_suffix("") for path in (ROOT / "docs").rglob("*.md")]
    folders = [path.parent if path.name in {"README", "index"} else path for path in documents]
    assert [f"{folder}" for folder in folders if not (site / folder / "index.html").is_file()] == []


def test_formulas_are_drawn(site):
    text = (site / "families" / "excited_hurdle" / "index.html").read_text(encoding="utf-8")
    assert text.count('<svg class="formula"') > 20
    assert "arithmatex" not in text


@pytest.mark.parametrize("planted", ["[gone](gone.md)", "[out](../gone.md)", "[anchor](#gone)", "page of its own"])
def test_what_is_wrong_stops_the_build(planted, tmp_path):
    docs = tmp_path / "docs"
    docs.mkdir()
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    nav, hooks = config.index("nav:"), config.index("hooks:")
    checks = config[config.index("validation:") : hooks]
    (tmp_path / "mkdocs.yml").write_text(f"{config[:nav]}nav: [index.md]\n{checks}theme: mkdocs\nplugins: []\n")
    (docs / "index.md").write_text("# A page\n")
    assert build(tmp_path / "mkdocs.yml", tmp_path / "site").returncode == 0
    if planted.startswith("["):
        (docs / "index.md").write_text(f"# A page\n\n{planted}\n")
    else:
        (docs / "other.md").write_text(planted)
    assert build(tmp_path / "mkdocs.yml", tmp_path / "site").returncode == 1


def module(name: str):
    """Return a module of docs/_building."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / "_building" / f"{name}.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_links_out_of_docs_become_links_of_the_site(tmp_path):
    documents = module("documents")
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


def test_a_formula_is_a_picture_with_its_source():
    formulas = module("formulas")
    drawn = formulas.with_formulas(r'<p>so <span class="arithmatex">\(x \le \Big(y_i\Big)\)</span>.</p>')
    assert drawn.startswith('<p>so <svg class="formula" role="img" aria-label="x \\le')
    assert (
        len(re.search(r' d="([^"]*)"', drawn)[1].split("Z")) == 9
    )  # x; two strokes of the sign; (; y; i and its dot; ); the rest
    with pytest.raises(ValueError, match="nosuchsymbol"):
        formulas.with_formulas(r'<div class="arithmatex">\[\nosuchsymbol\]</div>')
