"""The files of a run: the report, its tables and the manifest, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forecast.csv_text import csv_bytes
from forecast.evaluation.record import HEAD, QUANTILE_LEVELS
from forecast.evaluation.stopwatch import Stopwatch, timed
from forecast.language import Language, speaking
from forecast.predictive.forecast_file import write_forecasts
from forecast.predictive.risk import RISK_COLUMNS
from forecast.provenance import hash_file
from forecast.reporting.content import RecordsContent, ReportContent
from forecast.reporting.html import render_report
from forecast.reporting.page import page_name
from forecast.reporting.record_part import Parts, RecordPart, record_parts
from forecast.reporting.summarise import summary_of
from forecast.reporting.summary import FILE as SUMMARY
from forecast.reporting.summary import summary_bytes
from forecast.storage import folder_in_progress
from forecast.workers import beside, woken
from forecast.workspace import ReportSpec

PATHS = "paths.parquet"
"""The forecast of the headline model, whole: as `forecast.predictive.forecast_file`."""
BRIEF = "brief.pdf"

Record = Callable[[ReportContent, Mapping[str, str]], Mapping[str, Any]]


def publish(
    content: ReportContent,
    folder: Path,
    record: Record | None = None,
    workers: int = 1,
    watch: Stopwatch | None = None,
    parts: Parts | None = None,
) -> None:
    """Write the results of a run, so that all of them appear or none.

    Parameters
    ----------
    content : ReportContent
    folder : Path
        Takes the place of one that is there.
    record : callable of (ReportContent, file hashes), optional
        Called when all is written and before it appears; what it returns goes into the manifest. If it fails, nothing
        appears.
    workers : int
        With 2 or more the brief and the pictures are drawn in another process beside the pages.
    watch : Stopwatch, optional
        Told what that process spent.
    parts : callable, optional
        From `parts_ahead`, of the same content; they are made here if not given.
    """
    processor = watch.processor if watch is not None else None
    apart = workers if content.brief or content.pictures else 1
    with beside(apart, timed, processor, _summary_and_print, content) as drawn, folder_in_progress(folder) as work:
        for language in content.languages:
            name, page = page_name(language, content.languages), render_report(content, language, parts)
            (work / name).write_text(page, encoding="utf-8", newline="\n")
        table = pa.Table.from_pandas(_forecast_frame(content), preserve_index=False).replace_schema_metadata(None)
        pq.write_table(table, work / "forecast.parquet", compression="zstd")
        stated = [*RISK_COLUMNS, *(["uncalibrated"] if "combination" in content.provenance else [])]
        write_forecasts(work / PATHS, [by_model[content.headline_model] for by_model in content.forecasts.values()])
        (work / "risk.csv").write_bytes(csv_bytes(content.risk[stated], float_format="%.6f"))
        if content.changes is not None:
            (work / "changes.csv").write_bytes(csv_bytes(content.changes.table, float_format="%.6f"))
        printed, seconds = drawn()
        if watch is not None and apart > 1:
            watch.add("report", seconds)
        for name, written in printed.items():
            (work / name).write_bytes(written)
        files = {path.name: hash_file(path) for path in sorted(work.iterdir())}
        recorded = {} if record is None else record(content, files)
        text = json.dumps({**content.provenance, **recorded, "files": files}, indent=2, ensure_ascii=False)
        (work / "manifest.json").write_text(f"{text}\n", encoding="utf-8", newline="\n")


@contextmanager
def parts_ahead(content: RecordsContent, workers: int = 1, watch: Stopwatch | None = None) -> Iterator[Parts]:
    """Begin in another process with what the report says of its backtest records.

    Parameters
    ----------
    content : RecordsContent
    workers : int
        With 1 it is done when it is asked for, in this process.
    watch : Stopwatch, optional
        Told what that process spent.
    """
    processor = watch.processor if watch is not None else None
    with beside(workers, timed, processor, record_parts, content) as found:

        @cache
        def parts() -> Mapping[Language, Sequence[RecordPart]]:
            made: Mapping[Language, Sequence[RecordPart]]
            made, seconds = found()
            if watch is not None and workers > 1:
                watch.add("report", seconds)
            return made

        yield parts


def printers_woken(definition: ReportSpec, workers: int) -> AbstractContextManager[None]:
    """Let workers load what they print with while this process is at other work.

    Parameters
    ----------
    definition : ReportSpec
        Nothing is loaded for a report without brief and pictures.
    workers : int
        As for `publish`.
    """
    apart = workers if definition.brief or definition.pictures else 1
    return woken(apart, __name__, *(f"forecast.reporting.printed.{name}" for name in ("brief", "charts", "pictures")))


def _summary_and_print(content: ReportContent) -> dict[str, bytes]:
    """Return the summary for programs and, as far as the report has them, the brief and the pictures.

    They are in the report's first language.
    """
    with speaking(content.languages[0]):
        return _in_this_language(content)


def _in_this_language(content: ReportContent) -> dict[str, bytes]:
    summary = summary_of(content)
    found = {SUMMARY: summary_bytes(summary)}
    if not (content.brief or content.pictures):
        return found
    # matplotlib takes a second to load.
    from forecast.reporting.printed.brief import brief_bytes  # noqa: PLC0415
    from forecast.reporting.printed.charts import charts_of  # noqa: PLC0415
    from forecast.reporting.printed.pictures import picture_bytes  # noqa: PLC0415

    charts = charts_of(content)
    if content.brief:
        found[BRIEF] = brief_bytes(content, summary, charts)
    return found | (picture_bytes(content, summary, charts) if content.pictures else {})


def _forecast_frame(content: ReportContent) -> pd.DataFrame:
    """Return one row a model, unit and week: mean, quantiles, and the probabilities of 0 to 9 events."""
    tables = []
    for by_model in content.forecasts.values():
        for model, forecast in by_model.items():
            frame = forecast.to_frame(QUANTILE_LEVELS)
            head = np.zeros((len(frame), HEAD))
            known = forecast.pmf.reshape(len(frame), -1)[:, :HEAD]
            head[:, : known.shape[1]] = known
            frame[[f"p{count}" for count in range(HEAD)]] = head
            frame.insert(0, "model", model)
            frame.insert(1, "origin", content.origin)
            tables.append(frame)
    return pd.concat(tables, ignore_index=True)
