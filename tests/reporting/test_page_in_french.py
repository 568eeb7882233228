"""The whole report and the track record in French: no English sentence is left, and the English page is as it was."""

from __future__ import annotations

import dataclasses
import json
import re

import pytest

from forecast.cli import main
from forecast.config import parse
from forecast.errors import InputError
from forecast.language import say, speaking
from forecast.reporting.html import render_report
from forecast.reporting.issued_page import IssuedContent, render_issued
from forecast.reporting.page import language_links, page_name
from forecast.reporting.track import record_titles
from forecast.reporting.words import titles
from forecast.workspace import ReportSpec


@pytest.fixture(scope="module")
def bilingual(content, issued, changes):
    told = say("model {name!r} on the regions: {remark}", name="pool", remark=say("left out: {reason}", reason=3))
    return dataclasses.replace(content, languages=("en", "fr"), issued=issued, changes=changes, warnings=(told,))


@pytest.fixture(scope="module")
def page(bilingual):
    return render_report(bilingual, "fr")


NAMES = {
    *("Calibration", "Provenance", "Verdict", "Verdict.", "Attribution", "CRPS", "Log", "WIS", "Brier", "PIT", "Score"),
    *("Licence", "JavaScript"),
}
"""Words that are the same in both languages."""


@pytest.fixture(scope="module")
def names(bilingual):
    """What is called the same in every language."""
    units = {name for panel in bilingual.panels.values() for name in titles(panel.units).values()}
    parts = {part.rstrip(")") for unit in units for part in re.split(r" \(| and |/", unit) if part}
    units |= parts | {part.upper() for part in parts} | set(record_titles(bilingual).values())
    found = {model.title for model in bilingual.models} | units | {bilingual.title, bilingual.audience}
    found |= {"US Intelligence Community Directive 203, Analytic Standards (2015)"}
    return found | {"continuous ranked probability score", "probability integral transform", "weighted interval score"}


def test_no_english_is_left_in_the_report(french, page, names):
    assert french.english_left(page, names) == set()


def test_english_that_is_left_would_be_found(french, bilingual, page, names):
    assert french.english_left(page.replace("Là où les prochaines", "Where the next"), names)
    assert french.english_left(render_report(bilingual), names)


def test_what_is_the_same_in_both_languages_is_a_name(french, bilingual, page, names):
    same = set(french.texts_of(page)) & set(french.texts_of(render_report(bilingual)))
    assert {text for text in same if re.search("[A-Za-zÀ-ÿ]{3}", french.without(names | NAMES, text))} == set()


def test_the_whole_page_is_set_as_french_is(french, page, names):
    assert french.misset(page, names) == set()


def test_one_takes_the_singular(page):
    assert re.findall(r"(?<![\d,\u202f])1[ \u00a0](?:semaines|événements|régions|lieux|lignes|énoncés)", page) == []


def test_the_page_says_in_which_language_it_is_and_leads_to_the_other(bilingual, page):
    assert '<html lang="fr">' in page
    assert '<a href="index.html" lang="en" hreflang="en">English</a>' in page
    english = render_report(bilingual)
    assert '<html lang="en">' in english
    assert '<a href="index.fr.html" lang="fr" hreflang="fr">Français</a>' in english


def test_only_the_links_are_new_on_the_english_page(content):
    alone, both = (
        render_report(dataclasses.replace(content, languages=languages)) for languages in (("en",), ("en", "fr"))
    )
    assert re.sub(r'  <nav class="crumbs languages" aria-label="Languages">.*?</nav>\n', "", both, flags=re.S) == alone


def test_what_was_written_in_english_is_marked(content):
    shown = dataclasses.replace(
        content, languages=("fr", "en"), warnings=("The data are old.", say("{count} event", count=3))
    )
    page = render_report(shown)
    assert '<span lang="en">The data are old.</span>' in page
    assert '<span lang="en">3' not in page


def test_the_same_content_gives_the_same_bytes_in_either_order(bilingual, page):
    render_report(bilingual, "en")
    assert render_report(bilingual, "fr") == page


def test_no_english_is_left_in_the_track_record(french, content, issued):
    shown = IssuedContent(
        workspace="Mopti",
        record=issued,
        known_until=content.panels["region"].known_until,
        escalations=content.escalations,
        headline_escalation=content.headline_escalation,
        called={},
        simulated=True,
        link="ab" * 32,
        languages=("en", "fr"),
    )
    page = render_issued(shown, language="fr")
    assert french.english_left(page, set()) == set()
    assert french.misset(page, set()) == set()
    assert '<html lang="fr">' in page


def test_files_and_links_of_the_pages():
    assert [page_name(each, ("fr", "en")) for each in ("fr", "en")] == ["index.html", "index.en.html"]
    with speaking("fr"):
        assert language_links(("fr", "en")) == [("en", "English", "index.en.html")]


def test_a_language_that_is_not_there_is_refused():
    spec = {"name": "weekly", "title": "Weekly", "headline_escalation": "any"}
    assert parse(ReportSpec, spec, where="weekly.toml").languages == ("en",)
    for languages, told in ((["de"], "'en' or 'fr'"), ([], "fewer than 1"), (["fr", "fr"], "twice")):
        with pytest.raises(InputError, match=told):
            parse(ReportSpec, {**spec, "languages": languages}, where="weekly.toml")


def test_a_run_writes_the_page_in_each_language(workspace):
    report = workspace / "reports" / "weekly.toml"
    text = report.read_text(encoding="utf-8")
    assert 'languages = ["en"]' in text
    report.write_text(text.replace('languages = ["en"]', 'languages = ["fr", "en"]'), encoding="utf-8")
    assert main(["run", "--workspace", str(workspace), "--workers", "1", "--now", "2000-10-09T06:00:00Z"]) in {0, 3}
    (folder,) = (workspace / "out" / "runs" / "weekly").iterdir()
    pages = {name: (folder / name).read_text(encoding="utf-8") for name in ("index.html", "index.en.html")}
    assert '<html lang="fr">' in pages["index.html"]
    assert '<html lang="en">' in pages["index.en.html"]
    assert set(pages) <= set(json.loads((folder / "manifest.json").read_bytes())["files"])
    assert main(["site", "--workspace", str(workspace)]) == 0
    (published,) = (workspace / "out" / "site" / "issues").rglob("report.html")
    assert '<html lang="fr">' in published.read_text(encoding="utf-8")
    assert "index.en.html" not in published.read_text(encoding="utf-8")
    assert main(["score", "--workspace", str(workspace)]) in {0, 3}
    record = workspace / "out" / "track-record" / "weekly"
    assert '<html lang="fr">' in (record / "index.html").read_text(encoding="utf-8")
    assert (record / "index.en.html").is_file()
