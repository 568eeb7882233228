"""The archive in the languages of its report: every page in each, all links within a language, no English left."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree as ET

import pytest

from forecast.jobs.site import build_site
from forecast.reporting.site.feed import ATOM
from forecast.workspace import open_workspace


@pytest.fixture(scope="module")
def site(bilingual_archive, tmp_path_factory) -> Path:
    return build_site(open_workspace(bilingual_archive), tmp_path_factory.mktemp("site") / "site").folder


@pytest.fixture(scope="module")
def names(bilingual_archive):
    """What is called the same in every language."""
    workspace = open_workspace(bilingual_archive)
    units = {"Mali", "Mopti", "Gao", "Kidal", "Bamako", "Tombouctou", "Ségou", "Sikasso", "Kayes", "Koulikoro"}
    return {workspace.spec.title, *(model.title for model in workspace.catalogue.values()), "Combined forecast", *units}


def pages(site, pattern="**/*.html"):
    return [path for path in sorted(site.glob(pattern)) if path.name != "report.html"]


def test_every_page_is_there_in_both_languages(site):
    found = {path.relative_to(site).as_posix() for path in pages(site)}
    first = {path for path in found if path.endswith("index.html")}
    assert {path.replace("index.html", "index.en.html") for path in first} == found - first
    assert {"index.html", "track-record/index.html"} <= first
    for path in pages(site):
        language = "en" if path.name == "index.en.html" else "fr"
        assert f'<html lang="{language}">' in path.read_text(encoding="utf-8")


def test_no_english_is_left(site, french, names):
    left = {
        path.relative_to(site).as_posix(): texts
        for path in pages(site, "**/index.html")
        if (texts := french.english_left(path.read_text(encoding="utf-8"), names))
    }
    assert left == {}


def test_pages_are_set_as_french_is(site, french, names):
    wrong = {
        path.relative_to(site).as_posix(): texts
        for path in pages(site, "**/index.html")
        if (texts := french.misset(path.read_text(encoding="utf-8"), names))
    }
    assert wrong == {}


def test_links_stay_within_a_language_and_lead_somewhere(site):
    for path in pages(site):
        text = path.read_text(encoding="utf-8")
        languages = set(re.findall(r'<link rel="alternate" hreflang="\w+" href="([^"]+)">', text))
        assert languages == {"index.html" if path.name == "index.en.html" else "index.en.html"}
        for target in re.findall(r'href="([^"#]+)"', text):
            if target.startswith("data:"):
                continue
            found = (path.parent / unquote(target)).resolve()
            assert found.is_file(), (path, target)
            if found.suffix == ".html" and found.name != "report.html" and target not in languages:
                assert found.name == path.name, (path, target)


def test_the_feed_speaks_the_first_language(site):
    feed = ET.parse(site / "feed.xml").getroot()
    titles = [entry.findtext(f"{{{ATOM}}}title") for entry in feed.iter(f"{{{ATOM}}}entry")]
    assert all("prévision à partir du" in title for title in titles)


def test_the_report_that_was_published_has_links_in_the_first_language(site):
    report = next(site.glob("issues/*/*/report.html")).read_text(encoding="utf-8")
    assert '<nav lang="fr" aria-label=' in report
    assert ">Cette publication</a>" in report


def test_the_english_pages_are_those_of_an_english_site(site, archive, tmp_path):
    english = build_site(open_workspace(archive), tmp_path / "site").folder
    for path in pages(site, "**/index.en.html"):
        alone = english / path.relative_to(site).parent / "index.html"
        both = path.read_text(encoding="utf-8")
        both = re.sub(
            r'  <nav class="crumbs languages".*?</nav>\n|<link rel="alternate" hreflang=[^\n]*\n', "", both, flags=re.S
        )
        assert both.replace("index.en.html", "index.html") == alone.read_text(encoding="utf-8"), path


def test_an_older_bilingual_site_is_replaced(site, bilingual_archive):
    before = {path.relative_to(site): path.read_bytes() for path in site.rglob("*") if path.is_file()}
    build_site(open_workspace(bilingual_archive), site)
    assert {path.relative_to(site): path.read_bytes() for path in site.rglob("*") if path.is_file()} == before
