"""Forecasts of many symbols, as `chandler forecast` makes them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Callable, Iterable, Iterator

from .. import _core
from .lake_uri import lake_uri
from .tasks import spread

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import SparkSession

_SHARE = "position int, symbol string, summary string, error string, metrics string, by_horizon string"


@dataclasses.dataclass(frozen=True)
class ForecastRun:
    """A run below forecasts/; None where no symbol could be forecast. `errors` has those that could not."""

    run: str | None
    symbols: list[str]
    errors: dict[str, str]


def forecast(spark: SparkSession, lake: str, symbols: Iterable[str] = (), horizon: int = 30, seed: int = 1,
             plots: bool = True) -> ForecastRun:
    """Fits, chooses, measures and saves forecasts of the symbols' daily closes (all of the lake's if none is named).

    A task is one symbol; its files are written by the worker that made them. The lake's latest.json names the new run only
    once all are done, so a run that breaks off is never seen. Holds the lake's writer lock meanwhile.

    Raises:
        NotFoundError: a symbol that the lake does not have. LockedError: another process writes the lake.
    """
    uri = lake_uri(lake)
    cluster = _core.ClusterLake(uri)
    names = cluster.symbols(list(symbols))
    if not names:
        return ForecastRun(None, [], {})
    run = cluster.new_run()
    with cluster.lock("spark forecast"):
        tasks, shares = spread(spark, list(enumerate(names)), [1] * len(names))
        rows = sorted(tasks.mapInArrow(_forecast(uri, shares, run, horizon, seed, plots), _SHARE).collect())
        told = [(row.summary, row.metrics, row.by_horizon) for row in rows]
        closed = cluster.close_run(run, horizon, seed, told)
    errors = {row.symbol: row.error for row in rows if row.error}
    return ForecastRun(run if closed else None, [row.symbol for row in rows if not row.error], errors)


def _forecast(uri: str, shares: list[list[tuple[int, str]]], run: str, horizon: int, seed: int, plots: bool) -> Callable[
        [Iterator[pyarrow.RecordBatch]], Iterator[pyarrow.RecordBatch]]:
    def symbols_to_shares(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        import pyarrow

        from chandler import _core

        schema = pyarrow.schema([("position", pyarrow.int32()), *((name, pyarrow.string()) for name in (
            "symbol", "summary", "error", "metrics", "by_horizon"))])
        cluster = _core.ClusterLake(uri)
        for batch in batches:
            for task in batch.column("id").to_pylist():
                for position, symbol in shares[task]:
                    told = cluster.forecast_share(run, symbol, horizon, seed, plots)
                    yield pyarrow.RecordBatch.from_pylist([{"position": position, "symbol": symbol, **told}], schema=schema)

    return symbols_to_shares
