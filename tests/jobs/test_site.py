"""The archive of all issues: what stands in the ledger, all links there, the same bytes again, whole or not at all."""

from __future__ import annotations

import contextlib
import html.parser
import json
import re
import shutil
import sqlite3
from collections import Counter
from dataclasses import replace
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree as ET

import pytest

from forecast.jobs import site as site_module
from forecast.jobs.ledger_state import existing_ledger
from forecast.jobs.published import PublishedReports
from forecast.jobs.site import build_site
from forecast.jobs.site_content import site_content
from forecast.ledger import read
from forecast.reporting.site.feed import ATOM
from forecast.reporting.site.for_programs import IssueData, SiteIndex, schema
from forecast.reporting.site.unit_page import render_unit, said_of_units
from forecast.workspace import open_workspace

ORIGINS = ["2000-10-07", "2000-09-02", "2000-08-26"]


def build(folder, **choices):
    return build_site(open_workspace(folder), **choices)


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


@pytest.fixture(scope="module")
def built(archive):
    return build(archive)


@pytest.fixture
def copy(archive, built, tmp_path):
    """A copy of the workspace, with its site, to change at will."""
    folder = tmp_path / "copy"
    shutil.copytree(archive, folder)
    return folder


def said(folder):
    """Return the probabilities that the model in front stated, by issue, unit and escalation, from the ledger."""
    with existing_ledger(open_workspace(folder)) as ledger, ledger.reading() as connection:
        entries = {entry.number: entry for entry in read.issues(connection)}
        chances = read.chances(connection, list(entries))
    rows = chances[chances["model"] == "combined"].to_dict("records")
    return {
        (f"{entries[row['issue']].head.origin}", row["unit_kind"], row["unit"], row["escalation"]): row["probability"]
        for row in rows
    }


def test_everything_is_there(built):
    found = set(files(built.folder))
    issues = {
        f"issues/weekly/{origin}/{name}"
        for origin in ORIGINS
        for name in ("index.html", "forecast.json", "report.html")
    }
    assert issues <= found
    assert len([path for path in found if path.startswith(("regions/", "places/"))]) == built.units == 7
    top = {
        "index.html",
        "index.json",
        "index.schema.json",
        "forecast.schema.json",
        "feed.xml",
        "track-record/index.html",
    }
    assert top <= found
    assert (built.issues, built.reports, built.files) == (3, 3, len(found))
    assert built.size == sum(len(content) for content in files(built.folder).values())
    assert built.warnings == ()


def test_plotly_is_there_once_for_all_pages(built):
    found = files(built.folder)
    bundles = [path for path in found if "plotly" in path]
    assert len(bundles) == 1
    assert len(found[bundles[0]]) > 500_000
    for path, page in found.items():
        if path.endswith(".html"):
            assert len(page) < 400_000, path
    drawn = [path for path, page in found.items() if path.endswith(".html") and b"plotly-" in page]
    assert {"track-record/index.html", "issues/weekly/2000-10-07/report.html"} <= set(drawn)


def test_what_only_another_report_spoke_of_has_a_page(archive):
    workspace = open_workspace(archive)
    with existing_ledger(workspace) as ledger, ledger.reading() as connection:
        content = site_content(connection, workspace, PublishedReports(workspace.out / "runs"), entries=1)
    key, unit = next(iter(content.units.items()))
    *ours, oldest = content.issues
    silent = [replace(issue, statements=issue.statements[issue.statements["unit"] != unit.name]) for issue in ours]
    other = replace(oldest, report="monthly", counts=False)
    content = replace(content, issues=(*silent, other))
    said = said_of_units(content)
    assert set(said) == set(content.units)
    assert {content.issues[at].report for at in said[key]["at"]} == {"monthly"}
    assert all(content.issues[at].report == "weekly" for name, rows in said.items() if name != key for at in rows["at"])
    page = render_unit(content, unit, said[key])
    assert "Later issues say nothing about it." in page
    assert "No issue of the track record speaks of" in page
    assert f"../../{oldest.path}/index.html" in page


class Links(html.parser.HTMLParser):
    """The addresses and the anchors of a page."""

    def __init__(self, page):
        super().__init__()
        self.links, self.anchors = [], []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name in {"href", "src", "action", "poster", "data"} and value is not None:
                self.links.append(value)
            if name == "id":
                self.anchors.append(value)


def test_every_link_leads_to_something_on_the_site(built):
    pages = {path: Links(page.decode()) for path, page in files(built.folder).items() if path.endswith(".html")}
    followed = 0
    for path, page in pages.items():
        assert [name for name, times in Counter(page.anchors).items() if times > 1] == [], path
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme == "data":
                continue
            assert (parts.scheme, parts.netloc, parts.query) == ("", "", ""), (path, link)
            target = built.folder / path
            if parts.path:
                target = (target.parent / unquote(parts.path)).resolve()
            assert target.is_file(), (path, link)
            if parts.fragment:
                name = target.relative_to(built.folder.resolve()).as_posix()
                assert unquote(parts.fragment) in pages[name].anchors, (path, link)
            followed += 1
    assert followed > 100


def test_programs_read_what_the_ledger_says(archive, built):
    index = SiteIndex.model_validate_json((built.folder / "index.json").read_bytes())
    assert [f"{issue.origin}" for issue in index.issues] == ORIGINS
    assert index.link == built.link
    expected = said(archive)
    found = {}
    for entry in index.issues:
        data = IssueData.model_validate_json((built.folder / entry.data).read_bytes())
        assert data.issue == entry
        for each in data.statements:
            found[f"{entry.origin}", each.unit_kind, each.unit, each.escalation] = each.probability
        assert {each.week for each in data.weeks} == {
            entry.origin + k * (data.weeks[1].week - entry.origin) for k in range(8)
        } or len({each.week for each in data.weeks}) == entry.horizon
        assert all((built.folder / path).is_file() for path in (entry.page, entry.data, entry.published_report))
    assert found == {key: pytest.approx(value, abs=1e-6) for key, value in expected.items()}
    assert all((built.folder / unit.page).is_file() for unit in index.units)
    for name, model in (("index", SiteIndex), ("forecast", IssueData)):
        assert (built.folder / f"{name}.schema.json").read_bytes() == schema(model)


def test_what_came_is_told_of_issues_whose_weeks_are_over(archive, built):
    with existing_ledger(open_workspace(archive)) as ledger, ledger.reading() as connection:
        origins = {entry.number: f"{entry.head.origin}" for entry in read.issues(connection)}
        answers = read.answers(connection)
    rule = json.loads((built.folder / "index.json").read_bytes())["issues"][0]["escalation"]
    chosen = answers[(answers["escalation"] == rule) & (answers["unit_kind"] == "region")]
    came = chosen.groupby(chosen["issue"].map(origins))["met"].agg(["size", "sum"]).to_dict("index")
    assert set(came) == set(ORIGINS[1:])
    stated = said(archive)
    for issue in json.loads((built.folder / "index.json").read_bytes())["issues"]:
        told = issue["outcome"]
        if issue["origin"] not in came:
            assert told["decided"] == 0
            continue
        mine = [
            value
            for (origin, kind, _, each), value in stated.items()
            if (origin, kind, each) == (issue["origin"], "region", rule)
        ]
        assert (told["decided"], told["came"]) == (came[issue["origin"]]["size"], came[issue["origin"]]["sum"])
        assert told["stated"] == pytest.approx(sum(mine), abs=1e-5)
        data = json.loads((built.folder / issue["data"]).read_bytes())
        decided = [row for row in data["statements"] if row["escalation"] == rule and row["unit_kind"] == "region"]
        assert sum(row["met"] for row in decided) == told["came"]


def test_the_feed_is_atom(archive, built):
    feed = ET.fromstring((built.folder / "feed.xml").read_bytes())
    assert feed.tag == f"{{{ATOM}}}feed"
    space = {"a": ATOM}
    entries = feed.findall("a:entry", space)
    assert [entry.findtext("a:title", "", space).partition("forecast from ")[2] for entry in entries] == [
        *("7 October 2000", "2 September 2000", "26 August 2000")
    ]
    ids = [feed.findtext("a:id", "", space), *(entry.findtext("a:id", "", space) for entry in entries)]
    assert len(set(ids)) == 4
    assert all(re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", each) for each in ids)
    for entry in entries:
        assert entry.findtext("a:updated", "", space).endswith("T06:00:00Z")
        link = entry.find("a:link", space).get("href")
        assert (built.folder / link).is_file()


def test_with_an_address_the_feed_is_absolute_and_its_ids_stay(archive, built, tmp_path):
    other = build(archive, output=tmp_path / "site", url="https://example.org/archive")
    mine, its = (ET.fromstring((each.folder / "feed.xml").read_bytes()) for each in (built, other))
    assert [each.text for each in mine.iter(f"{{{ATOM}}}id")] == [each.text for each in its.iter(f"{{{ATOM}}}id")]
    links = [each.get("href") for each in its.iter(f"{{{ATOM}}}link")]
    assert all(link.startswith("https://example.org/archive/") for link in links)


def test_the_same_ledger_gives_the_same_bytes(archive, built, tmp_path):
    assert files(build(archive, output=tmp_path / "site").folder) == files(built.folder)


def test_a_site_that_is_there_is_replaced_and_has_what_is_new(copy, forecast):
    before = files(copy / "out" / "site")
    done = forecast(
        "run", "--workspace", copy, "--as-of", "2000-09-09", "--now", "2000-10-10T06:00:00Z", "--workers", 1
    )
    assert done.code in {0, 3}, done.err
    build(copy)
    after = files(copy / "out" / "site")
    assert {path for path in after if "2000-09-09" in path}
    assert set(before) <= set(after)


def test_a_build_that_is_stopped_leaves_the_site_as_it_was(copy, monkeypatch):
    before = files(copy / "out" / "site")

    def stops(*given):
        for at, each in enumerate(original(*given)):
            if at == 5:
                raise KeyboardInterrupt
            yield each

    original = site_module.site_files
    monkeypatch.setattr(site_module, "site_files", stops)
    with pytest.raises(KeyboardInterrupt):
        build(copy)
    assert files(copy / "out" / "site") == before
    assert not list((copy / "out").glob(".part-*"))


def test_what_was_changed_in_the_ledger_is_not_published(copy, forecast):
    before = files(copy / "out" / "site")
    with contextlib.closing(sqlite3.connect(copy / "ledger.sqlite")) as connection, connection:
        connection.execute("DROP TRIGGER chance_keeps_update")
        connection.execute("UPDATE chance SET probability = probability / 2")
    done = forecast("site", "--workspace", copy)
    assert done.code == 1
    assert "the ledger is not as it was written, and nothing was published" in done.err
    assert "ledger verify" in done.err
    assert files(copy / "out" / "site") == before


def test_a_page_that_was_changed_is_left_out_and_told(copy, forecast):
    page = copy / "out" / "runs" / "weekly" / "2000-09-02" / "index.html"
    page.write_text(page.read_text(encoding="utf-8").replace("</main>", "<p>All is well.</p></main>"), encoding="utf-8")
    done = forecast("site", "--workspace", copy)
    assert done.code == 3
    assert "is not the page that was recorded" in done.err
    site = copy / "out" / "site" / "issues" / "weekly"
    assert not (site / "2000-09-02" / "report.html").exists()
    assert (site / "2000-09-02" / "index.html").is_file()
    assert (site / "2000-08-26" / "report.html").is_file()


def test_reports_that_are_gone_are_no_error(copy, forecast):
    shutil.rmtree(copy / "out" / "runs")
    done = forecast("site", "--workspace", copy, "--json")
    assert done.code == 0
    told = json.loads(done.out)
    assert (told["issues"], told["reports"]) == (3, 0)


@pytest.mark.parametrize(
    ("arguments", "texts"),
    [
        (["--url", "ftp://example.org"], ["'ftp://example.org' is no address of a site", "https://HOST/PATH"]),
        (["--url", "https://ada:secret@example.org"], ["is no address of a site"]),
        (["--report", "weakly"], ["unknown report 'weakly'", "'weekly'"]),
    ],
)
def test_what_it_refuses(copy, forecast, arguments, texts):
    before = files(copy / "out" / "site")
    done = forecast("site", "--workspace", copy, *arguments)
    assert done.code == 2
    assert all(text in done.err for text in texts), done.err
    assert "Traceback" not in done.err
    assert files(copy / "out" / "site") == before


def test_a_folder_with_anything_else_is_refused(copy, tmp_path, forecast):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    done = forecast("site", "--workspace", copy, "--output", tmp_path / "mine")
    assert done.code == 2
    assert "something else is there: thesis.txt" in done.err
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "years of work"
    (copy / "out" / "site" / "notes.txt").write_text("mine too")
    assert forecast("site", "--workspace", copy).code == 2
    assert (copy / "out" / "site" / "notes.txt").exists()


def test_without_issues_there_is_no_site(workspace, forecast):
    done = forecast("site", "--workspace", workspace)
    assert done.code == 2
    assert "there is no ledger yet" in done.err
    assert not (workspace / "out" / "site").exists()


def test_two_lines_tell_what_was_built(copy, forecast):
    done = forecast("site", "--workspace", copy)
    first, last = done.out.splitlines()
    assert re.fullmatch(r"3 issues, 3 with their report; 7 regions and places; \d+ files, \d+\.\d MB", first)
    assert last == str(copy / "out" / "site" / "index.html")
