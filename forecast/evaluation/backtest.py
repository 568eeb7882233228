"""Rolling-origin backtest: every model, every origin, one protocol; goes on where it was stopped."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forecast.combination.track import Track
from forecast.csv_text import csv_bytes, frame_of
from forecast.errors import InputError
from forecast.evaluation.block_file import KEPT, TABLES, unpack_block
from forecast.evaluation.blocks import Block, code_hash
from forecast.evaluation.blocks_ahead import SUFFIX, BlocksAhead, begun, waiting_blocks
from forecast.evaluation.combined import Combined, combine_as_before, combine_blocks
from forecast.evaluation.comparison import leaderboard, missing_cells, reference_models
from forecast.evaluation.plan import BacktestPlan
from forecast.evaluation.planned_blocks import plan_blocks
from forecast.evaluation.record import BacktestRecord
from forecast.evaluation.step_file import STEPS_SUFFIX, pack_steps
from forecast.evaluation.step_table import step_manifest, step_table
from forecast.panel.panel import Panel
from forecast.panel.panel_hash import panel_hash
from forecast.panel.units import UnitKind
from forecast.provenance import generator, hash_file, hash_json, versions
from forecast.storage import HIDDEN, folder_in_progress, write_file

LEADERBOARD = "leaderboard.csv"
STEPS = "steps.csv"
MANIFEST = "manifest.json"
THREADS = 2  # that read blocks and write tables: most of that is compression, which runs beside Python

Progress = Callable[[int, int], None]


def plan_origins(panel: Panel, *, origins: int, first_after: int) -> pd.DatetimeIndex:
    """Return the latest weekly origins whose first target week is in the panel and known of some unit.

    Parameters
    ----------
    panel : Panel
    origins : int
        The most to return.
    first_after : int
        Weeks that must be known before the first.

    Returns
    -------
    DatetimeIndex
        Ascending first days of first target weeks.

    Raises
    ------
    InputError
        If the panel is too short for any.

    Examples
    --------
    >>> import numpy as np
    >>> from forecast.panel.units import Units
    >>> weeks = pd.date_range("2026-01-03", periods=12, freq="7D")
    >>> panel = Panel.of(np.zeros((12, 1), int), weeks, Units.of(["Mali/Gao"]))
    >>> [f"{origin:%d %b}" for origin in plan_origins(panel, origins=3, first_after=8)]
    ['07 Mar', '14 Mar', '21 Mar']
    """
    start = max(first_after, 1)
    possible = panel.weeks[start:][np.asarray(panel.observed[start:].any(axis=1))]
    if not len(possible):
        raise InputError(
            f"a panel of {len(panel.weeks)} weeks holds no origin",
            expected=f"more than {first_after} weeks",
            hint="a smaller first_after in [backtest], or more data",
        )
    return possible[-origins:]


def run_backtest(
    plan: BacktestPlan,
    folder: Path,
    *,
    workers: int = 2,
    progress: Progress | None = None,
    blocks: Path | None = None,
    first: Sequence[str] = (),
) -> BacktestRecord:
    """Forecast and score every origin with every model, and publish the record.

    A combined model, if the plan has one, learns from this record alone; `backtest_and_combine` has more.

    Parameters
    ----------
    plan : BacktestPlan
    folder : Path
        Where the record appears, whole: ``out/backtests/<name>``. Finished blocks are kept beside it in
        `blocks_folder`, and used again if nothing that they depend on has changed; others are removed from there.
    workers : int, default 2
        Processes; 1 computes in this one. Inside `joblib.parallel_config` that names a backend (Dask), that backend
        is used. The result does not depend on it.
    progress : callable of (done, total), optional
        Called when blocks are done.
    blocks : Path, optional
        The blocks of another record, to use and to add to; nothing is removed from there.
    first : sequence of str
        Models whose blocks are computed before those of others, in this order. The result does not depend on it.

    Returns
    -------
    BacktestRecord

    Raises
    ------
    InputError
        If an origin is not a week of a panel, it lacks a vintage where there are vintages, or the folder cannot be
        written to.
    ForecastError
        If a model fails. Blocks that were finished before are kept.
    """
    return backtest_and_combine(plan, folder, {}, workers=workers, progress=progress, blocks=blocks, first=first)[0]


def backtest_and_combine(
    plan: BacktestPlan,
    folder: Path,
    earlier: Mapping[UnitKind, Sequence[Track]],
    *,
    workers: int = 2,
    progress: Progress | None = None,
    blocks: Path | None = None,
    first: Sequence[str] = (),
    ahead: BlocksAhead | None = None,
) -> tuple[BacktestRecord, Combined]:
    """Do the same, with a combined model that learns from the forecasts of other panels too.

    Parameters
    ----------
    plan, folder, workers, progress, blocks, first
        As for `run_backtest`.
    earlier : mapping of unit kind to sequence of Track
        Of other records; used as far as it was known at each origin how they turned out.
    ahead : BlocksAhead, optional
        All that is waiting of this plan, being computed already.

    Returns
    -------
    BacktestRecord, mapping of unit kind to CombinedKind
        The latter is empty without a combination.
    """
    _check(plan)
    if workers < 1:
        raise InputError(f"{workers} workers", expected="at least 1")
    store = blocks or blocks_folder(folder)
    planned = plan_blocks(plan)
    waiting = waiting_blocks(planned, store)
    done = len(planned) - len(waiting)
    report = progress or (lambda done, total: None)
    report(done, len(planned))
    rank = {name: at for at, name in enumerate(first)}
    waiting.sort(key=lambda block: rank.get(block.model.name, len(rank)))
    own = {block.key: {store} for block in waiting}
    with nullcontext(ahead) if ahead is not None else begun(waiting, own, workers) as working:
        for _ in working.kept(set(own)):
            done += 1
            report(done, len(planned))
    made_from = _made_from(plan, planned, earlier)
    steps = store / f"{made_from}{STEPS_SUFFIX}"
    found = _as_before(plan, planned, store, folder, earlier, made_from)
    if found is None:
        combined = _publish(plan, planned, store, folder, earlier, made_from)
        if combined:
            write_file(steps, pack_steps({kind: each.track.steps for kind, each in combined.items()}))
        found = read_record(folder), combined
    if blocks is None:
        _prune(store, {steps.name, *(f"{block.key}{SUFFIX}" for block in planned)})
    return found


def blocks_folder(folder: Path) -> Path:
    """Return where the finished blocks of a record are kept.

    Examples
    --------
    >>> blocks_folder(Path("out/backtests/long")).name
    '.blocks-long'
    """
    return folder.parent / f".blocks-{folder.name}"


def finished_models(plan: BacktestPlan, blocks: Path) -> set[str]:
    """Return the models of a plan all of whose blocks are kept in a folder."""
    planned = plan_blocks(plan)
    waiting = {block.model.name for block in waiting_blocks(planned, blocks)}
    return {model.name for model in plan.models} - waiting


def read_record(folder: Path) -> BacktestRecord:
    """Return the record that a backtest published.

    Raises
    ------
    InputError
        If there is none, or a file of it is damaged.
    """
    for attempt in range(3):
        if attempt:
            time.sleep(0.1)  # a new record may just be taking the place of this one
        try:
            manifest = json.loads((folder / MANIFEST).read_bytes())
            content = {name: (folder / name).read_bytes() for name in manifest["files"]}
        except (FileNotFoundError, NotADirectoryError):
            continue
        except ValueError:
            break
        if all(hashlib.sha256(content[name]).hexdigest() == digest for name, digest in manifest["files"].items()):
            if not all(f"{name}.parquet" in content for name in TABLES):
                raise InputError(
                    "the record of the backtest is of an earlier version", where=str(folder), hint="`forecast backtest`"
                )
            tables = {name: _frame(pq.read_table(pa.BufferReader(content[f"{name}.parquet"]))) for name in TABLES}
            board = frame_of(content[LEADERBOARD])
            steps = _steps(content[STEPS]) if STEPS in content else None
            known_as = manifest["known_as"]
            return BacktestRecord(
                manifest["name"], manifest["source"], leaderboard=board, **tables, known_as=known_as, steps=steps
            )
    if not folder.is_dir():
        raise InputError(f"no backtest {folder.name!r}", where=str(folder.parent), hint="`forecast backtest`")
    raise InputError("the record of the backtest is damaged", where=str(folder), hint="`forecast backtest` again")


def _check(plan: BacktestPlan) -> None:
    """Refuse a plan that cannot be carried out before anything is computed."""
    names = [model.name for model in plan.models]
    if plan.combination is not None:
        names.append(plan.combination.name)
    if not plan.models or len(set(names)) < len(names) or not plan.panels:
        raise InputError("a backtest needs models, each once, and a panel")
    if not len(plan.origins) or not plan.origins.is_monotonic_increasing or not plan.origins.is_unique:
        raise InputError("the origins of a backtest must be ascending", expected="at least one, each once")
    for rule in plan.escalations:
        if rule.weeks > plan.horizon:
            raise InputError(f"escalation {rule.name!r} looks {rule.weeks} weeks ahead, beyond horizon {plan.horizon}")
    for kind, panel in plan.panels.items():
        possible = panel.weeks.append(pd.DatetimeIndex([panel.origin]))[1:]
        wrong = plan.origins[~plan.origins.isin(possible)]
        if len(wrong):
            raise InputError(
                f"origin {wrong[0]:%Y-%m-%d} does not follow a week of the {kind} panel",
                expected=f"first days of weeks from {possible[0]:%Y-%m-%d} to {possible[-1]:%Y-%m-%d}",
            )


def _made_from(plan: BacktestPlan, blocks: Sequence[Block], earlier: Mapping[UnitKind, Sequence[Track]]) -> str:
    """Return the hash of all that a record depends on."""
    combination = plan.combination.model_dump(mode="json") if plan.combination is not None else None
    others = {kind: [track.made_from for track in tracks] for kind, tracks in earlier.items()}
    elsewhere = {
        name: {f"{origin:%Y-%m-%d}": found.digest() for origin, found in said.items()}
        for name, said in plan.external.items()
    }
    return hash_json([_manifest(plan), combination, [block.key for block in blocks], others, elsewhere])


def _as_before(
    plan: BacktestPlan,
    blocks: Sequence[Block],
    store: Path,
    folder: Path,
    earlier: Mapping[UnitKind, Sequence[Track]],
    made_from: str,
) -> tuple[BacktestRecord, Combined] | None:
    """Return the record and what was combined, where it is there already, made from the same and whole."""
    try:
        there = json.loads((folder / MANIFEST).read_bytes())
        wanted = json.loads(json.dumps(_manifest(plan) | {"made_from": made_from}, default=str))
        if {name: there[name] for name in wanted} != wanted:
            return None
        record = read_record(folder)
        if plan.combination is None:
            return record, {}
        steps = (store / f"{made_from}{STEPS_SUFFIX}").read_bytes()
        names = ("marginals", "chances")
        members = [block for block in blocks if block.model.name in plan.combination.members]
        parts = [unpack_block((store / f"{block.key}{SUFFIX}").read_bytes(), names) for block in members]
        return record, combine_as_before(plan, plan.combination, members, parts, earlier, steps, made_from=made_from)
    except (OSError, ValueError, KeyError, InputError):
        return None


def _publish(
    plan: BacktestPlan,
    blocks: Sequence[Block],
    store: Path,
    folder: Path,
    earlier: Mapping[UnitKind, Sequence[Track]],
    made_from: str,
) -> Combined:
    """Write the tables of all blocks, in their order, with the leaderboard and the manifest; combine, if asked for."""
    members = plan.combination.members if plan.combination is not None else ()

    def unpacked(block: Block) -> Mapping[str, pa.Table]:
        names = KEPT if block.model.name in members else TABLES
        return unpack_block((store / f"{block.key}{SUFFIX}").read_bytes(), names)

    with ThreadPoolExecutor(THREADS) as threads:
        parts = list(threads.map(unpacked, blocks))
    combined: Combined = {}
    if plan.combination is not None:
        combined, more = combine_blocks(plan, plan.combination, blocks, parts, earlier, made_from=made_from)
        parts += more
    tables = {name: pa.concat_tables([part[name] for part in parts]).unify_dictionaries() for name in TABLES}
    scores, risk = _frame(tables["scores"]), _frame(tables["risk"])
    references, rng = reference_models(plan.models), generator(plan.seed, "leaderboard")
    board = leaderboard(scores, risk, references=references, rng=rng)
    with folder_in_progress(folder) as work:
        with ThreadPoolExecutor(THREADS) as threads:
            paths = [work / f"{name}.parquet" for name in TABLES]
            list(threads.map(partial(pq.write_table, compression="zstd"), [tables[name] for name in TABLES], paths))
        (work / LEADERBOARD).write_bytes(csv_bytes(board))
        if combined:
            steps = step_table(combined, plan.escalations, generator(plan.seed, "steps"))
            (work / STEPS).write_bytes(csv_bytes(steps, float_format="%.6g"))
        files = {path.name: hash_file(path) for path in sorted(work.iterdir())}
        content = _manifest(plan) | {"made_from": made_from, "missing_cells": missing_cells(scores), "files": files}
        if plan.combination is not None:
            spec = plan.combination.model_dump(mode="json")
            content["combination"] = spec | {"steps": step_manifest(combined, plan.escalations)}
        text = json.dumps(content, indent=2, ensure_ascii=False, default=str)
        (work / MANIFEST).write_text(f"{text}\n", encoding="utf-8")
    return combined


def _manifest(plan: BacktestPlan) -> dict[str, Any]:
    first = next(iter(plan.panels.values()))
    panels = {
        kind: {
            "source": panel.source,
            "units": len(panel.units),
            "first_week": f"{panel.weeks[0]:%Y-%m-%d}",
            "known_until": f"{panel.known_until:%Y-%m-%d}",
            "simulated": panel.simulated,
            "vintages": kind in plan.known,
            "hash": panel_hash(panel),
        }
        for kind, panel in plan.panels.items()
    }
    fit_panels = {
        f"{dataset} {kind}": {"source": panel.source, "hash": panel_hash(panel)}
        for (dataset, kind), panel in plan.fit_panels.items()
    }
    source = plan.panels.get("region", first).source
    return {
        "name": plan.name,
        "source": f"{source}, {plan.known_as()}".lstrip(", "),
        "known_as": plan.known_as(),
        "vintages": all(kind in plan.known for kind in plan.panels),
        "nowcast_weeks": plan.nowcast_weeks,
        "panels": panels,
        "fit_panels": fit_panels,
        "external": {name: [f"{origin:%Y-%m-%d}" for origin in sorted(found)] for name, found in plan.external.items()},
        "origins": [f"{origin:%Y-%m-%d}" for origin in plan.origins],
        "horizon": plan.horizon,
        "refit_every": plan.refit_every,
        "draws": plan.draws,
        "seed": plan.seed,
        "models": [model.model_dump(mode="json") for model in plan.models],
        "escalations": [rule.model_dump(mode="json") for rule in plan.escalations],
        "code": code_hash(),
        "versions": versions(),
    }


def _prune(store: Path, used: set[str]) -> None:
    """Remove blocks and steps that the plan does not use and what a killed writer left."""
    for path in store.iterdir():
        if path.name not in used and (path.suffix in {SUFFIX, STEPS_SUFFIX} or path.name.startswith(HIDDEN)):
            path.unlink(missing_ok=True)


def _steps(content: bytes) -> pd.DataFrame:
    """Return the table of steps; steps over counts have no escalation, and a short record has no other."""
    found = frame_of(content)
    return found.assign(escalation=found["escalation"].astype(object).fillna(""))


def _frame(table: pa.Table) -> pd.DataFrame:
    """Return a table as pandas: words categorical, counts that can be missing Int64, weeks to the second."""
    frame: pd.DataFrame = table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
    weeks = [name for name in ("origin", "week") if name in frame]
    return frame.astype(dict.fromkeys(weeks, "datetime64[s]"))
