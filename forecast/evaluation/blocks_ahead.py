"""Blocks of several backtests computed in one go, so that workers never wait while a record is combined or written."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple, cast

import joblib

from forecast.evaluation.block_file import is_whole
from forecast.evaluation.blocks import Block, compute_block
from forecast.evaluation.cluster import current_cluster
from forecast.evaluation.plan import BacktestPlan
from forecast.evaluation.planned_blocks import plan_blocks
from forecast.evaluation.stopwatch import Stopwatch, timed
from forecast.storage import write_file
from forecast.workers import dropped_at_the_end, end_with_parent

SUFFIX = ".block"


class Finished(NamedTuple):
    """A block that was computed."""

    key: str
    model: str
    content: bytes
    seconds: float  # of the processor; 0 if nobody asked
    inside: bool  # computed in the process that asked


@dataclass(frozen=True)
class BlocksAhead:
    """Blocks that workers are computing, of plans in the order in which their records are wanted.

    Parameters
    ----------
    stores : mapping of block key to set of Path
        The folders in which each is kept: two plans may have a block in common.
    found : generator of Finished
        As they are finished, in any order.
    watch : Stopwatch, optional
        Told what each block cost its model.
    """

    stores: Mapping[str, Set[Path]]
    found: Generator[Finished, None, None]
    watch: Stopwatch | None = None

    def kept(self, wanted: set[str]) -> Iterator[str]:
        """Keep blocks as they are finished until all that are wanted are; give the key of each of those."""
        left = set(wanted)
        while left:
            key, model, content, seconds, inside = next(self.found)
            if self.watch is not None:
                self.watch.add(model, seconds, inside=inside)
            for store in self.stores[key]:
                write_file(store / f"{key}{SUFFIX}", content)
            if key in left:
                left.remove(key)
                yield key


@contextmanager
def blocks_ahead(
    plans: Sequence[tuple[BacktestPlan, Path]], workers: int, watch: Stopwatch | None = None
) -> Iterator[BlocksAhead]:
    """Begin to compute what is waiting of some plans; what is not taken by the end is dropped.

    Parameters
    ----------
    plans : sequence of (BacktestPlan, Path)
        Each with the folder in which its blocks are kept.
    workers : int
        Processes; with 1 nothing is computed before it is asked for.
    watch : Stopwatch, optional
        Measures what the blocks cost.
    """
    waiting: dict[str, Block] = {}
    stores: dict[str, set[Path]] = {}
    for plan, store in plans:
        for block in waiting_blocks(plan_blocks(plan), store):
            waiting[block.key] = block
            stores.setdefault(block.key, set()).add(store)
    with begun(list(waiting.values()), stores, workers, watch) as ahead:
        yield ahead


@contextmanager
def begun(
    blocks: Sequence[Block], stores: Mapping[str, Set[Path]], workers: int, watch: Stopwatch | None = None
) -> Iterator[BlocksAhead]:
    """Begin with some blocks, of which it is known where each is kept; what is not taken by the end is dropped."""
    found = _computed(blocks, workers, watch)
    with dropped_at_the_end(found):
        yield BlocksAhead(stores, found, watch)


def waiting_blocks(planned: Sequence[Block], store: Path) -> list[Block]:
    """Return the blocks that are not kept whole and unaltered in a folder, those of the last model first.

    Models are listed from the simple to the slow: where what is quick comes last, workers end at about the same time.
    """
    rank = {block.model.name: at for at, block in enumerate(planned)}
    waiting = [block for block in planned if not _kept_whole(store / f"{block.key}{SUFFIX}")]
    return sorted(waiting, key=lambda block: rank[block.model.name], reverse=True)


def _computed(blocks: Sequence[Block], workers: int, watch: Stopwatch | None = None) -> Generator[Finished, None, None]:
    """Begin with the blocks, and give each as it is finished, in any order."""
    processor = watch.processor if watch is not None else None
    if (cluster := current_cluster()) is not None:
        return cluster.results(partial(_finished, processor=processor), blocks)
    parallel = joblib.Parallel(n_jobs=workers, return_as="generator_unordered", batch_size=1, max_nbytes=None)
    found = parallel(joblib.delayed(_work)(block, os.getpid(), processor) for block in blocks)
    return cast("Generator[Finished, None, None]", found)


def _work(block: Block, main: int, processor: Callable[[], float] | None) -> Finished:
    inside = os.getpid() == main
    if not inside:
        end_with_parent()
    return _finished(block, processor, inside=inside)


def _finished(block: Block, processor: Callable[[], float] | None, *, inside: bool = False) -> Finished:
    content, seconds = timed(processor, compute_block, block)
    return Finished(block.key, block.model.name, content, seconds, inside)


def _kept_whole(path: Path) -> bool:
    try:
        return is_whole(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return False
