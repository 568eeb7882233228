"""The brief: two pages of A4, the same bytes every time, nothing cut off or on top of something else."""

from __future__ import annotations

import dataclasses
import itertools
import re
import zlib

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

from forecast.jobs.publish import publish
from forecast.language import speaking
from forecast.reporting.headline import lead
from forecast.reporting.printed.back import back
from forecast.reporting.printed.brief import brief_bytes
from forecast.reporting.printed.charts import charts_of
from forecast.reporting.printed.front import front
from forecast.reporting.printed.sheet import press
from forecast.reporting.summarise import summary_of
from forecast.reporting.summary import read_summary

LONG = "Mali/" + "Région au nom interminable " * 6


def brief(content) -> bytes:
    return brief_bytes(content, summary_of(content), charts_of(content))


def sheets(content):
    """Return both pages as they are before they become a file."""
    summary, charts = summary_of(content), charts_of(content)
    with press():
        return [front(content, summary, charts.map), back(content, summary, charts)]


def lines(sheet) -> list[str]:
    return [text.get_text() for text in sheet.figure.texts]


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b", pdf))


def variants(content):
    """Return reports in which something is missing or too much of it is there."""
    unknown = content.risk.assign(probability=np.nan, base_rate=np.nan, level=np.nan, previous=np.nan)
    return {
        "whole": content,
        "no record": dataclasses.replace(content, backtests=()),
        "no map": dataclasses.replace(content, polygons={}),
        "no places": dataclasses.replace(content, panels={"region": content.panels["region"]}),
        "nothing is known": dataclasses.replace(content, risk=unknown),
        "many notes": dataclasses.replace(content, warnings=tuple(f"{at}. {'A long note. ' * 40}" for at in range(30))),
        "much of all": dataclasses.replace(
            content,
            title="Title " * 60,
            data=dataclasses.replace(content.data, attribution="Nobody, " * 300, limits=("They mean nothing. " * 300,)),
        ),
    }


NAMES = ("whole", "no record", "no map", "no places", "nothing is known", "many notes", "much of all")


@pytest.fixture(scope="module")
def reports(content, build_content):
    return {**variants(content), "long names": build_content(LONG)}


@pytest.mark.parametrize("name", [*NAMES, "long names"])
def test_it_has_two_pages_of_a4_in_which_no_line_is_cut_off_or_covered(reports, name):
    assert pages(brief(reports[name])) == 2
    for sheet in sheets(reports[name]):
        canvas = FigureCanvasAgg(sheet.figure)
        assert tuple(np.round(72 * sheet.figure.get_size_inches(), 1)) == (595.3, 841.9)
        canvas.draw()
        paper = sheet.figure.bbox
        boxes = [(text.get_text(), text.get_window_extent()) for text in sheet.figure.texts if text.get_text().strip()]
        for text, box in boxes:
            assert paper.x0 + 20 < box.x0, text
            assert box.x1 < paper.x1 - 20, text
            assert paper.y0 + 15 < box.y0, text
        for (one, box), (other, against) in itertools.combinations(boxes, 2):
            wide = min(box.x1, against.x1) - max(box.x0, against.x0)
            high = min(box.y1, against.y1) - max(box.y0, against.y0)
            # Descenders may touch the line below.
            assert min(wide, high) < 2.0, (one, other)


def test_it_is_the_same_bytes_whatever_the_clock_and_the_settings_of_matplotlib(content, monkeypatch):
    first = brief(content)
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    with mpl.rc_context({"font.size": 30, "pdf.fonttype": 3, "axes.facecolor": "red", "lines.linewidth": 9}):
        assert brief(content) == first
    assert b"/CreationDate (D:20260801000000Z)" in first


def test_it_says_what_the_page_says(content):
    first, second = sheets(content)
    summary = summary_of(content)
    told = " ".join(lines(first))
    for unit in summary.units:
        risk = unit.risk(summary.headline_escalation)
        if unit.kind == "place" or unit.name in {"Mali/Mopti", "Mali/Gao"}:
            assert unit.title in told
            assert f"{100 * risk.probability:.0f}\N{NO-BREAK SPACE}%" in told
    assert "Preliminary data: events of the latest weeks are still being found and corrected." in told
    assert "One week is missing." in told
    assert "At 60 past origins" in " ".join(lines(second))
    assert "Nobody. CC0." in lines(second)


def test_without_a_record_it_claims_nothing(reports):
    _, second = sheets(reports["no record"])
    told = " ".join(lines(second))
    assert "There is no record yet" in told
    assert "closer to what came" not in told
    assert "Came true" not in told


def test_what_is_not_known_has_no_number(reports):
    first, _ = sheets(reports["nothing is known"])
    told = lines(first)
    at = next(place for place, text in enumerate(told) if text.startswith("Bamako"))
    assert told[at + 1 : at + 5] == ["\N{EM DASH}"] * 4
    assert not any("%" in text for text in told[at + 1 : at + 5])


def test_notes_that_find_no_room_are_counted(reports):
    first, _ = sheets(reports["many notes"])
    assert any(re.fullmatch(r"\d+ more notes stand in the report\.", text) for text in lines(first))


def test_it_can_do_nothing_but_be_read(build_content):
    planted = "<script>(\\)/JS /Launch /URI endobj\x1b\u202e$\\frac{1}{0}$ \N{PILE OF POO}"
    pdf = brief(dataclasses.replace(build_content(planted), title=f"{planted})/OpenAction(", warnings=(planted,)))
    assert pages(pdf) == 2
    # Strings of the document's facts are escaped; all the rest that is text stands in compressed streams.
    outside = re.sub(rb"stream\r?\n.*?\r?\nendstream", b"", pdf, flags=re.DOTALL)
    outside = re.sub(rb"/(Title|Subject|Author|Keywords) \((?:[^\\()]|\\.)*\)", b"", outside, flags=re.DOTALL)
    for action in (b"/JS", b"/JavaScript", b"/Launch", b"/URI", b"/OpenAction", b"/AA", b"/EmbeddedFile", b"/Annots ["):
        assert action not in outside, action
    assert b"\x1b" not in outside
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, flags=re.DOTALL):
        text = zlib.decompress(stream) if stream.startswith(b"x") else stream
        assert b"script" not in text or b"Tf" not in text  # letters are glyph numbers, never operators


def test_names_keep_their_accents_and_signs(build_content):
    first, _ = sheets(build_content("Ségou, Tillabéri & Zoundwéogo"))
    assert any(text.startswith("Ségou, Tillabéri & Zoundwéogo") for text in lines(first))


def test_a_reissue_and_a_simulation_are_said_on_top(content):
    panels = {kind: dataclasses.replace(panel, simulated=True) for kind, panel in content.panels.items()}
    first, _ = sheets(dataclasses.replace(content, panels=panels, notices=("Issued again.",)))
    told = lines(first)
    assert told.index("Issued again.") < told.index("Simulated counts: nothing on this page describes a real place.")
    assert told.index("Issued again.") < next(at for at, text in enumerate(told) if text.startswith("Here "))


def test_the_date_of_the_document_is_the_origin(content):
    later = dataclasses.replace(content, origin=content.origin + pd.Timedelta(days=7))
    assert b"/ModDate (D:20260808000000Z)" in brief(later)


def test_the_brief_speaks_the_language_around_it(content, french):
    told = []
    with speaking("fr"):
        for sheet in sheets(dataclasses.replace(content, warnings=())):
            told += lines(sheet)
    # Titles and descriptions of data and models stay as they were written.
    written = {content.title, *(model.title for model in content.models), content.data.title, content.data.vintage}
    written |= {text for model in content.models for text in re.split(r"\s+", model.method)}
    written |= {content.data.attribution, content.data.licence, *content.data.limits, "US Intelligence Community"}
    at = told.index("Données et méthodes")
    left = {text for text in told[:at] if french.ENGLISH.search(french.without(written, text).lower())}
    assert left == set()
    assert told[0] == "PRÉVISION DE LA VIOLENCE POLITIQUE"
    assert "Ce que sont devenus de tels énoncés" in told


def test_the_run_prints_in_the_first_language(content, tmp_path):
    publish(dataclasses.replace(content, languages=("fr", "en"), pictures=False), tmp_path / "run")
    summary = read_summary(tmp_path / "run")
    assert summary.language == "fr"
    with speaking("fr"):
        assert summary.lead == lead(content)
    assert (tmp_path / "run" / "brief.pdf").read_bytes() != brief(content)
