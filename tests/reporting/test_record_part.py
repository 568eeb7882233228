"""What the report says of its records, made in another process or in this one."""

from __future__ import annotations

import dataclasses
import time

import pytest

from forecast.evaluation.stopwatch import Stopwatch
from forecast.jobs.publish import parts_ahead, publish
from forecast.reporting.content import RecordsContent, ReportContent
from forecast.reporting.html import render_report
from forecast.reporting.record_part import record_parts


@pytest.fixture(scope="module")
def bilingual(content: ReportContent) -> ReportContent:
    return dataclasses.replace(content, languages=("en", "fr"), brief=False, pictures=False)


@pytest.fixture(scope="module")
def told(bilingual: ReportContent) -> RecordsContent:
    """What is known before the risks are."""
    return RecordsContent(
        **{field.name: getattr(bilingual, field.name) for field in dataclasses.fields(RecordsContent)}
    )


def test_every_language_has_a_part_on_each_record(told: RecordsContent) -> None:
    parts = record_parts(told)
    assert list(parts) == ["en", "fr"]
    assert {len(of) for of in parts.values()} == {len(told.backtests)}
    english, french = parts["en"][0], parts["fr"][0]
    assert (english.title, english.period) != (french.title, french.period)
    assert [figure.anchor for figure in english.figures] == [figure.anchor for figure in french.figures]


@pytest.mark.parametrize("workers", [1, 2])
def test_pages_are_the_same_bytes_whoever_made_the_parts(
    bilingual: ReportContent, told: RecordsContent, workers: int
) -> None:
    watch = Stopwatch(lambda: 0.0)
    with parts_ahead(told, workers, watch) as parts:
        for language in bilingual.languages:
            assert render_report(bilingual, language, parts) == render_report(bilingual, language)
    assert ("report" in watch.rounded()) == (workers > 1)


def test_what_is_published_is_the_same(bilingual: ReportContent, told: RecordsContent, tmp_path) -> None:
    publish(bilingual, tmp_path / "alone")
    with parts_ahead(told, 2) as parts:
        publish(bilingual, tmp_path / "ahead", workers=2, parts=parts)
    alone, ahead = (
        {path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in ("alone", "ahead")
    )
    assert alone == ahead
    assert {"index.html", "index.fr.html"} <= set(alone)


def fail_later() -> None:
    time.sleep(0.5)  # the work is handed over: loky itself may stumble over an end in that moment
    raise ZeroDivisionError


def test_work_that_nobody_asked_for_is_dropped(told: RecordsContent) -> None:
    with pytest.raises(ZeroDivisionError), parts_ahead(told, 2):
        fail_later()
    with parts_ahead(told, 2) as parts:
        assert set(parts()) == {"en", "fr"}
