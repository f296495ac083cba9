"""daily_filled and prophet_input from klines_1m, as `chandler build --reread` makes them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Callable, Iterable, Iterator

from .. import _core
from .lake_uri import lake_uri
from .tasks import spread

if TYPE_CHECKING:
    import pyarrow
    from pyspark.sql import SparkSession

# A day as a month of minutes gives it; what is not known is null. open_time in ms: Spark takes no such timestamps from Arrow.
_DAY = ("symbol string, open_time bigint, open double, high double, low double, close double, volume double, "
        "quote_volume double, trades bigint, minutes int")
_DERIVED = "symbol string, days bigint, filled bigint, minutes bigint, files_written bigint, files_removed bigint"


@dataclasses.dataclass(frozen=True)
class Derived:
    """What a symbol's derivation came to: rows of daily_filled, of these filled ones, minutes behind them, files."""

    symbol: str
    days: int
    filled: int
    minutes: int
    files_written: int
    files_removed: int


def build(spark: SparkSession, lake: str, symbols: Iterable[str] = ()) -> list[Derived]:
    """Derives the symbols (all of the lake's if none is named) again from every minute of theirs.

    Work is cut by months, so a symbol with a long history is no straggler. A task that is lost, or run twice, reads the
    same minutes and writes the same bytes. Holds the lake's writer lock meanwhile. Results in the order of the symbols.

    Raises:
        NotFoundError: a symbol that the lake does not have. LockedError: another process writes the lake.
        Spark's own exceptions where tasks failed for good; their text has what the worker said.
    """
    uri = lake_uri(lake)
    cluster = _core.ClusterLake(uri)
    names = cluster.symbols(list(symbols))
    if not names:
        return []
    with cluster.lock("spark build"):
        months = cluster.minute_months(names)
        # And month 0 of every symbol: one without minutes has days of klines_1d, or loses its derived files.
        pieces = [(symbol, year, month) for symbol, year, month, _ in months] + [(name, 0, 0) for name in names]
        tasks, shares = spread(spark, pieces, [size for *_, size in months] + [1] * len(names))
        days = tasks.mapInArrow(_roll_up(uri, shares), _DAY)
        derived = days.groupBy("symbol").applyInArrow(_write(uri), _DERIVED).collect()
    return sorted((Derived(**row.asDict()) for row in derived), key=lambda row: row.symbol)


def _roll_up(uri: str, shares: list[list[tuple[str, int, int]]]) -> Callable[
        [Iterator[pyarrow.RecordBatch]], Iterator[pyarrow.RecordBatch]]:
    def months_to_days(batches: Iterator[pyarrow.RecordBatch]) -> Iterator[pyarrow.RecordBatch]:
        import pyarrow

        from chandler import Table, _core

        cluster = _core.ClusterLake(uri)
        for batch in batches:
            for task in batch.column("id").to_pylist():
                days = [pyarrow.table(Table(cluster.minute_days(*month))) for month in shares[task]]
                if days:  # a month that outweighs a share leaves its neighbour none
                    yield from pyarrow.concat_tables(days).combine_chunks().to_batches()

    return months_to_days


def _write(uri: str) -> Callable[[pyarrow.Table], pyarrow.Table]:
    def days_to_files(days: pyarrow.Table) -> pyarrow.Table:
        import pyarrow

        from chandler import _core

        days = days.sort_by("open_time")
        derived = _core.ClusterLake(uri).write_days(days.column("symbol")[0].as_py(), days)
        return pyarrow.Table.from_pylist([derived], schema=_derived_schema())

    return days_to_files


def _derived_schema() -> pyarrow.Schema:
    import pyarrow

    return pyarrow.schema([("symbol", pyarrow.string()), *((field.name, pyarrow.int64())
                                                            for field in dataclasses.fields(Derived)[1:])])
