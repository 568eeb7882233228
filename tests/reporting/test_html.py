from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pandas as pd
import pytest

from forecast.reporting.content import ReportContent
from forecast.reporting.html import render_report

HOSTILE = "</script><script>alert('x')</script>&<img src=x onerror=alert(1)>"
ORDER = ["headline", "map", "probabilities", "weeks", "calibration", "models"]
ORDER += ["data", "methods", "definitions", "words", "provenance"]


class Outline(HTMLParser):
    """Tags, ids, headings and scripts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.levels: list[int] = []
        self.scripts: list[str] = []
        self.sources: list[str] = []
        self.handlers: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(value or "")
            if name == "href" and tag == "a":
                self.links.append(value or "")
            if name in {"src", "href"} and tag != "a":
                self.sources.append(value or "")
            if name.startswith("on"):
                self.handlers.append(name)
        if re.fullmatch(r"h[1-6]", tag):
            self.levels.append(int(tag[1]))

    def handle_data(self, data: str) -> None:
        if self.tags and self.lasttag == "script" and data.strip():
            self.scripts.append(data)


@pytest.fixture(scope="module")
def page(content: ReportContent) -> str:
    return render_report(content)


def visible(page: str) -> str:
    """The page without its scripts and style, no-break spaces made plain."""
    return re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.S).replace("\xa0", " ")


def test_same_content_gives_same_bytes(
    content: ReportContent, build_content: Callable[..., ReportContent], page: str
) -> None:
    assert render_report(content) == page
    assert render_report(build_content()) == page


def test_sections_stand_in_order_and_links_lead_somewhere(page: str) -> None:
    outline = Outline(page)
    assert [anchor for anchor in outline.ids if anchor in ORDER] == ORDER
    assert len(set(outline.ids)) == len(outline.ids)
    assert {link.removeprefix("#") for link in outline.links} <= set(outline.ids)
    assert outline.links[0] == "#main"


def test_headings_never_skip_a_level(page: str) -> None:
    levels = Outline(page).levels
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_nothing_is_fetched(page: str) -> None:
    outline = Outline(page)
    assert all(source.startswith("data:") for source in outline.sources)
    assert "default-src 'none'" in page
    assert not re.search(r"url\(|@import", re.search(r"<style>(.*?)</style>", page, re.S)[1])  # type: ignore[index]


def test_library_is_inlined_once(page: str) -> None:
    assert page.count("* plotly.js v") == 1


def test_every_figure_has_its_box_and_label(page: str) -> None:
    figures = json.loads(re.search(r'<script type="application/json" id="figures">(.*?)</script>', page, re.S)[1])  # type: ignore[index]
    boxes = re.findall(r'<div class="plot" id="([^"]+)" role="img" aria-label="([^"]+)"', page)
    assert {anchor for anchor, _ in boxes} == set(figures["figures"])
    assert all(len(label) > 30 for _, label in boxes)


def test_every_table_has_a_caption_and_scoped_heads(page: str) -> None:
    for table in re.findall(r"<table.*?</table>", page, re.S):
        assert "<caption" in table
        assert "<th>" not in table
        assert len(re.findall(r"<th [^>]*scope=", table)) == table.count("<th ")


def test_names_cannot_become_markup(build_content: Callable[..., ReportContent]) -> None:
    made = build_content(HOSTILE)
    page = render_report(replace(made, title=HOSTILE, warnings=(HOSTILE,), provenance={HOSTILE: HOSTILE}))
    outline = Outline(page)
    assert outline.tags.count("script") == 3
    assert "img" not in outline.tags
    assert outline.handlers == []
    assert len(outline.scripts) == 3
    figures = json.loads(outline.scripts[0])["figures"]
    assert any("&lt;/script&gt;" in str(trace.get("text")) for trace in figures["map-figure"]["data"])


def test_banner_tells_simulated_preliminary_and_warnings(content: ReportContent, page: str) -> None:
    banner = re.search(r'<aside class="banner".*?</aside>', page, re.S)[0]  # type: ignore[index]
    assert "Preliminary data" in banner
    assert "One week is missing." in banner
    assert "Simulated" not in banner
    simulated = {kind: replace(panel, simulated=True) for kind, panel in content.panels.items()}
    assert "Simulated counts" in render_report(replace(content, panels=simulated))


def test_no_banner_where_nothing_is_to_be_said(content: ReportContent) -> None:
    calm = replace(content, warnings=(), data=replace(content.data, preliminary=False))
    assert '<aside class="banner"' not in render_report(calm)


def test_says_when_and_until_when(page: str) -> None:
    text = visible(page)
    assert "Friday 31 July 2026" in text
    assert "Saturday 1 August 2026" in text
    assert "11 September 2026 (6 weeks)" in text


def test_report_without_places_outlines_records_or_provenance(content: ReportContent) -> None:
    bare = replace(
        content,
        panels={"region": content.panels["region"]},
        forecasts={"region": content.forecasts["region"]},
        risk=content.risk[content.risk["unit_kind"] == "region"],
        polygons={},
        backtests=(),
        provenance={},
    )
    text = visible(render_report(bare))
    assert "no map can be drawn" in text
    assert "There is no backtest record yet" in text
    assert "No statement like this one is in the backtest record yet." in text


def test_unknown_probabilities_are_dashes(content: ReportContent) -> None:
    unknown = content.risk.assign(probability=float("nan"), base_rate=float("nan"), level=float("nan"))
    page = render_report(replace(content, risk=unknown))
    assert not re.search(r"\bnan\b", visible(page), re.IGNORECASE)
    assert "Too little is known of it for a probability." in page


def test_record_of_other_models_only(content: ReportContent) -> None:
    first = content.backtests[0]
    tables = {name: getattr(first, name) for name in ("forecasts", "scores", "risk", "leaderboard")}
    others = {name: table[table["model"] != content.headline_model] for name, table in tables.items()}
    page = render_report(replace(content, backtests=(replace(first, **others),)))
    assert "no forecast of the model that could be checked" in page


def test_all_rows_are_in_the_table(content: ReportContent, page: str) -> None:
    mine = content.risk[content.risk["model"] == content.headline_model]
    assert isinstance(mine, pd.DataFrame)
    assert page.count("<tr data-rule=") == len(mine)


def test_findings_in_the_data_are_told_under_data(content: ReportContent, page: str) -> None:
    assert "What was found in the data" not in page
    told = "No event in Mali in the last 4 weeks; the longest silence before was 2 weeks."
    shown = render_report(replace(content, findings=(told, HOSTILE)))
    data = re.search(r'<section id="data".*?</section>', shown, re.S)
    assert data is not None
    assert "<h3>What was found in the data</h3>" in data[0]
    assert f"<li>{told}</li>" in data[0]
    assert HOSTILE not in shown
    levels = Outline(shown).levels
    assert all(deeper - level <= 1 for level, deeper in pairwise(levels))


def test_standing_limits_and_what_is_counted_are_told(content: ReportContent) -> None:
    text = visible(render_report(replace(content, data=replace(content.data, limits=()))))
    data = text[text.index('id="data"') : text.index('id="methods"')]
    assert "What is not reported is not counted" in data
    assert "cannot foresee the first attack" in data
    assert "nothing here may be used to target anybody" in data
    assert "<dt>event</dt><dd>One incident" in text
    assert "<dt>unit</dt><dd>A region or a place" in text


def test_rules_and_records_go_by_titles(content: ReportContent, page: str) -> None:
    text = html.unescape(re.sub(r"<[^>]+>", " ", visible(page)))
    headline = content.escalations[0]
    assert text.count(headline.sentence()) == 1  # in the definition of the headline
    assert headline.sentence()[1:] in text[text.index("Definitions of") :]
    assert "above recent" not in text
    assert "Record: Live 2025" in text


def test_what_a_models_priors_say_is_shown_with_its_method(content: ReportContent, page: str) -> None:
    table = pd.DataFrame([[0.9, 0.2, 0.8, 1.0]], ["zeros"], ["observed", "q5", "median", "q95"])
    with_priors = render_report(replace(content, prior_checks={"discount": table}))
    assert "prior-discount" not in page
    assert "prior-discount" in Outline(with_priors).ids
    assert "prior-climatology" not in with_priors
    assert "What Discounted believes before it sees a count" in visible(with_priors)
    assert len(with_priors) - len(page) < 1500


def test_how_parameters_were_found_is_said_where_there_is_a_choice(content: ReportContent, page: str) -> None:
    forecasts = {kind: dict(by_model) for kind, by_model in content.forecasts.items()}
    forecasts["region"]["discount"] = replace(forecasts["region"]["discount"], fitted_by="some method (laplace): k 0.3")
    assert "Fitted to the regions by some method (laplace): k 0.3." in render_report(
        replace(content, forecasts=forecasts)
    )
    assert "Fitted to the regions by" not in page
