"""What every chart keeps: its data are golden, and both libraries and both themes show the same."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import matplotlib.colors as mcolors
import numpy as np
import plotly.graph_objects as go
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import FillBetweenPolyCollection, PolyCollection
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension

from forecast.language import LANGUAGES, speaking
from forecast.plots.chart import IN_THE_DARK, SERIES
from forecast.plots.faces import width
from forecast.plots.plotted import CLEAR, numbers
from forecast.plots.theme import INK, PAPER


@pytest.fixture
def golden(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(JSONSnapshotExtension)


def content(plot: go.Figure) -> dict[str, Any]:
    found = plot.to_plotly_json()
    found["layout"].pop("template", None)
    return json.loads(json.dumps(found, allow_nan=False))


def on_axes(plot: go.Figure, drawn: Figure) -> list[tuple[dict[str, Any], Axes, bool]]:
    """Return each trace with the axes of matplotlib that stand for its own, and whether these are of dates."""
    layout = plot.to_plotly_json()["layout"]
    names = [name.replace("axis", "") for name in layout if name.startswith("yaxis")]
    places = dict(zip(names, drawn.axes, strict=True))
    x_axis = {name: layout[f"yaxis{name[1:]}"].get("anchor", "x") for name in names}
    dates = {name: layout[x_axis[name].replace("x", "xaxis")].get("type") == "date" for name in names}
    return [
        (trace.to_plotly_json(), places[trace.yaxis or "y"], dates[trace.yaxis or "y"])
        for trace in plot.data
        if trace.x is not None and any(value is not None for value in trace.x)
    ]


def test_the_data_are_golden(case, golden) -> None:
    assert content(case.draw(case.frame())) == golden


def test_matplotlib_shows_each_trace_of_plotly(case) -> None:
    plot, drawn = case.draw(case.frame()), case.draw(case.frame(), backend="matplotlib")
    checked = 0
    for trace, axes, dates in on_axes(plot, drawn):
        lines = [np.asarray(line.get_xydata(), dtype=float) for line in axes.lines]
        fills = [item for item in axes.collections if isinstance(item, FillBetweenPolyCollection)]
        marker, line, mode = trace.get("marker") or {}, trace.get("line") or {}, trace.get("mode", "")
        x = numbers(trace["x"], dates=dates)
        if trace["type"] == "bar":
            heights = [bar.get_height() for bar in axes.patches]
            assert all(np.isclose(heights, value).any() for value in trace["y"])
            assert {mcolors.to_hex(bar.get_facecolor()) for bar in axes.patches} == {marker["color"]}
        elif trace["type"] == "heatmap":
            (cells,) = [item for item in axes.collections if type(item) is PolyCollection]
            kinds = [kind for row in trace["z"] for kind in row if kind is not None]
            colours = [colour for at, (_, colour) in enumerate(trace["colorscale"]) if at % 2 == 0]
            assert [mcolors.to_hex(colour) for colour in cells.get_facecolors()] == [colours[kind] for kind in kinds]
        elif trace.get("fill") == "toself":
            shapes = [patch for patch in axes.patches if isinstance(patch, PathPatch)]
            assert any(np.isin(x[np.isfinite(x)], patch.get_path().vertices[:, 0]).all() for patch in shapes)
        elif trace.get("fill") == "tonexty":
            mine = [fill for fill in fills if mcolors.to_hex(fill.get_facecolor()[0]) == trace["fillcolor"]]
            y = numbers(trace["y"], dates=False)
            corners = [np.concatenate([path.vertices for path in fill.get_paths()]) for fill in mine]
            assert any(np.isin(y[np.isfinite(y)], found[:, 1]).all() for found in corners)
        elif ("lines" in mode and line.get("width", 2) > 0) or ("markers" in mode and marker.get("color") != CLEAR):
            y = numbers(trace["y"], dates=False)
            want = np.column_stack([x, y])
            assert any(found.shape == want.shape and np.allclose(found, want, equal_nan=True) for found in lines)
        elif mode == "text":
            written = {note.get_text() for note in axes.texts}
            assert set(trace["text"]) <= written
        else:
            continue
        checked += 1
    assert checked


def test_ranges_and_ticks_are_the_same(case) -> None:
    plot, drawn = case.draw(case.frame()), case.draw(case.frame(), backend="matplotlib")
    FigureCanvasAgg(drawn).draw()
    layout = plot.to_plotly_json()["layout"]
    for trace, axes, dates in on_axes(plot, drawn):
        at = (trace.get("yaxis") or "y")[1:]
        y = layout[f"yaxis{at}"]
        assert axes.get_ylim() == pytest.approx(y["range"])
        if y.get("ticktext") is not None and y.get("showticklabels", True):
            assert [label.get_text() for label in axes.get_yticklabels()] == list(y["ticktext"])
        x = layout[f"xaxis{at}"]
        assert axes.get_xlim() == pytest.approx(numbers(x["range"], dates=dates))


def test_the_dark_theme_has_the_same_data_in_other_colours(case) -> None:
    light, dark = content(case.draw(case.frame())), content(case.draw(case.frame(), theme="dark"))

    def without_colours(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: without_colours(item) for name, item in value.items()}
        if isinstance(value, list):
            return [without_colours(item) for item in value]
        return "colour" if isinstance(value, str) and value.startswith("#") else value

    assert without_colours(light) == without_colours(dark)
    assert dark["layout"]["paper_bgcolor"] == IN_THE_DARK[PAPER]
    told = json.dumps(dark)
    assert not [colour for colour in {INK, PAPER, *SERIES} if colour in told]


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_is_cut_off(case, language) -> None:
    with speaking(language):
        plot, drawn = case.draw(case.frame()), case.draw(case.frame(), backend="matplotlib")
    title = plot.layout.title
    lines = [(text, 15, "sans bold") for text in title.text.removeprefix("<b>").removesuffix("</b>").split("<br>")]
    lines += [(text, 12, "sans") for text in (title.subtitle.text or "").split("<br>")]
    for text, size, face in lines:
        assert width(text, face, size) <= 375 - 12, text
    canvas = FigureCanvasAgg(drawn)
    canvas.draw()
    renderer = canvas.get_renderer()
    across, high = canvas.get_width_height()
    texts = [*drawn.texts, *(text for axes in drawn.axes for text in axes.texts)]
    for axes in drawn.axes:
        texts += [*axes.get_xticklabels(), *axes.get_yticklabels(), axes.xaxis.label, axes.yaxis.label]
    for text in texts:
        if text.get_text() and text.get_visible():
            box = text.get_window_extent(renderer)
            assert box.x0 > -1, text
            assert box.y0 > -1, text
            assert box.x1 < across + 1, text
            assert box.y1 < high + 1, text


def test_words_are_in_the_language_spoken(case) -> None:
    with speaking("fr"):
        french = case.draw(case.frame())
    assert french.layout.title.text != case.draw(case.frame()).layout.title.text


def test_pyplot_is_not_needed_and_matplotlib_only_when_asked_for(tmp_path) -> None:
    program = (
        "import sys, pandas as pd\n"
        "from forecast import plots\n"
        "bars = pd.DataFrame({'left': [0.0], 'right': [1.0], 'density': [1.0]})\n"
        "plots.pit(bars)\n"
        "assert 'matplotlib' not in sys.modules\n"
        "plots.pit(bars, backend='matplotlib').savefig(sys.argv[1])\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "pit.png")], check=True)
