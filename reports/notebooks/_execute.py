"""Run notebooks in a kernel of their own; write each with its outputs, and as a page, below ``out/notebooks/``.

    python reports/notebooks/_execute.py            # all of them
    python reports/notebooks/_execute.py 01 04      # those whose names begin so
    python reports/notebooks/_execute.py --pair     # the .ipynb beside each .py, without outputs; nothing is run

A notebook is a script in jupytext's percent format, and the ``.ipynb`` beside it the same cells for Jupyter. A cell that
fails, or warns of its arithmetic, fails the run.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jupytext
import nbformat
import plotly.io
from jupyter_client import AsyncKernelManager
from markdown import markdown
from markupsafe import escape
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

from forecast.storage import write_file

HERE = Path(__file__).parent
OUT = HERE.parents[1] / "out" / "notebooks"
STYLE = """
:root { color-scheme: light dark } body { max-width: 62rem; margin: 0 auto; padding: 1rem; line-height: 1.5;
font-family: system-ui, sans-serif } pre { overflow-x: auto; font-size: .85rem; background: #8881; padding: .6rem }
table { border-collapse: collapse; border: 0; font-size: .85rem; display: block; overflow-x: auto }
pre.said { white-space: pre-wrap; font-size: 1rem } summary { cursor: pointer; color: #777 }
th, td { border: 0; padding: .15rem .6rem; text-align: right; border-bottom: 1px solid #8884 }
"""


def scripts(chosen: list[str]) -> list[Path]:
    """Return the notebooks whose names begin with one of the given texts; all if none is given."""
    found = sorted(HERE.glob("[0-9]*.py"))
    kept = [path for path in found if not chosen or path.stem.startswith(tuple(chosen))]
    if not kept:
        sys.exit(f"no notebook begins with {', '.join(chosen)}; there are {', '.join(path.stem for path in found)}")
    return kept


def notebook_of(script: Path) -> Any:
    """Return the cells of a script, with identifiers that do not depend on chance."""
    found = jupytext.read(script)
    for at, cell in enumerate(found.cells):
        cell["id"] = f"cell-{at}"
    return found


def executed(script: Path) -> Any:
    """Return the notebook with the outputs of all cells."""
    made = notebook_of(script)
    os.environ |= {"PLOTLY_RENDERER": "plotly_mimetype", "PYTHONWARNINGS": "error::RuntimeWarning"}
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with TemporaryDirectory() as sockets:  # nobody else on the machine can listen to these
        way = {} if os.name == "nt" else {"transport": "ipc", "ip": str(Path(sockets, "kernel"))}
        kernel = AsyncKernelManager(kernel_name="python3", **way)
        NotebookClient(made, km=kernel, timeout=900, resources={"metadata": {"path": str(HERE)}}).execute()
    return made


def page(made: Any, title: str) -> str:
    """Return one self-contained page: texts, tables and figures; code is folded."""
    parts: list[str] = []
    bundle: bool | str = "inline"
    for cell in made.cells:
        if cell.cell_type == "markdown":
            parts.append(markdown(cell.source, extensions=["tables"]))
            continue
        parts.append(f"<details><summary>code</summary><pre>{escape(cell.source)}</pre></details>")
        for output in cell.outputs:
            data = output.get("data", {})
            if "application/vnd.plotly.v1+json" in data:
                figure = plotly.io.from_json(json.dumps(data["application/vnd.plotly.v1+json"]), skip_invalid=True)
                parts.append(figure.to_html(full_html=False, include_plotlyjs=bundle))
                bundle = False
            elif "text/html" in data:
                parts.append("".join(data["text/html"]))
            elif "image/png" in data:
                parts.append(f'<img alt="" src="data:image/png;base64,{data["image/png"].strip()}">')
            else:
                parts.append(f"<pre class='said'>{escape(output.get('text') or data.get('text/plain', ''))}</pre>")
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
    return (
        f'<!doctype html><html lang="en"><head>{head}<style>{STYLE}</style></head><body>{"".join(parts)}</body></html>'
    )


def main() -> None:
    """Run, or pair, the notebooks that are named."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("names", nargs="*")
    options.add_argument("--pair", action="store_true")
    chosen = options.parse_args()
    for script in scripts(chosen.names):
        if chosen.pair:
            write_file(script.with_suffix(".ipynb"), (nbformat.writes(notebook_of(script)) + "\n").encode())
            continue
        start = time.perf_counter()
        try:
            made = executed(script)
        except CellExecutionError as error:
            sys.exit(f"{script.name} failed\n{error}")
        title = made.cells[0].source.splitlines()[0].lstrip("# ")
        write_file(OUT / f"{script.stem}.ipynb", (nbformat.writes(made) + "\n").encode())
        write_file(OUT / f"{script.stem}.html", page(made, title).encode())
        print(f"{script.stem}: {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()
