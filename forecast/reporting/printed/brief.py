"""The brief: a run on two pages of A4, to be printed or mailed."""

from __future__ import annotations

from forecast.language import say
from forecast.reporting.content import ReportContent
from forecast.reporting.printed.back import back
from forecast.reporting.printed.charts import Charts
from forecast.reporting.printed.front import front
from forecast.reporting.printed.sheet import pdf_bytes, press
from forecast.reporting.summary import Summary


def brief_bytes(content: ReportContent, summary: Summary, charts: Charts) -> bytes:
    """Return the brief as a PDF: two pages, fonts embedded, text that can be copied, the same bytes every time.

    Parameters
    ----------
    content : ReportContent
    summary : Summary
    charts : Charts
        Both of the same content.
    """
    facts = {
        "Title": summary.title,
        "Subject": summary.lead,
        "Author": summary.data.attribution,
        "Keywords": say("forecast, political violence, early warning"),
    }
    with press():
        sheets = [front(content, summary, charts.map), back(content, summary, charts)]
        return pdf_bytes(sheets, content.origin, facts)
