"""What kernels and lakes return. Both classes speak the Arrow PyCapsule interface, so `polars.DataFrame(x)`,
`pyarrow.table(x)`, `pandas` (through pyarrow) and DuckDB (`FROM x`) take them without a copy."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any, Iterator

from . import _core
from .time import EPOCH

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

_SHOWN = 5


class _ArrowData:
    """What a table and a stream have in common."""

    _data: Any

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The Arrow C stream; a requested schema is the consumer's to cast to, as the protocol allows."""
        return self._data.stream()

    def __arrow_c_schema__(self) -> object:
        return self._data.schema()

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return [name for name, _, _ in self._data.fields]

    @property
    def types(self) -> dict[str, str]:
        """Column → timestamp (ms, UTC), date, float, int, bool or str; `?` where values may be missing."""
        return {name: kind + ("?" if nullable else "") for name, kind, nullable in self._data.fields}

    def to_polars(self) -> polars.DataFrame:
        """As a Polars frame; wants `polars` 1.0 or newer."""
        import polars

        return polars.DataFrame(self)

    def to_arrow(self) -> pyarrow.Table:
        """As a pyarrow table; wants `pyarrow` 15 or newer."""
        import pyarrow

        return pyarrow.table(self)

    def to_pandas(self) -> pandas.DataFrame:
        """As a pandas frame; wants `pandas` and `pyarrow`."""
        return self.to_arrow().to_pandas()


class Table(_ArrowData):
    """Rows in memory. `len(table)` is their number."""

    def __init__(self, data: object) -> None:
        """Takes anything that speaks the Arrow PyCapsule interface."""
        self._data: _core.Batches = data if isinstance(data, _core.Batches) else _core.read_all(data)

    def __len__(self) -> int:
        return self._data.rows

    def to_dict(self) -> dict[str, list[Any]]:
        """Column → values: datetime (UTC), date, float, int, bool, str, or None."""
        return {name: self[name] for name in self.columns}

    def __getitem__(self, column: str) -> list[Any]:
        """The values of one column."""
        return self._values(column, 0, len(self))

    def _values(self, column: str, first: int, count: int) -> list[Any]:
        names = self.columns
        if column not in names:
            raise KeyError(f"{column!r}: the columns are {', '.join(names)}")
        index = names.index(column)
        raw = self._data.values(index, first, count)
        kind = self._data.fields[index][1]
        if kind == "timestamp":
            return [None if v is None else EPOCH + dt.timedelta(milliseconds=v) for v in raw]
        if kind == "date":
            return [None if v is None else EPOCH.date() + dt.timedelta(days=v) for v in raw]
        return raw

    def __repr__(self) -> str:
        rows, names = len(self), self.columns
        head = f"chandler.Table of {rows} row{'' if rows == 1 else 's'}, {len(names)} columns"
        pieces = [(0, rows)] if rows <= 2 * _SHOWN else [(0, _SHOWN), (rows - _SHOWN, _SHOWN)]
        texts = []
        for name in names:
            cells = [[_text(v) for v in self._values(name, first, count)] for first, count in pieces]
            texts.append([name, *cells[0], *(["…", *cells[1]] if len(cells) > 1 else [])])
        widths = [max(map(len, column)) for column in texts]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths)).rstrip() for row in zip(*texts)]
        return "\n".join([head, *lines])


class Stream(_ArrowData):
    """Rows that are computed while they are read, a piece at a time, so that a history of any length needs little memory.

    It may be read any number of times, each time from the beginning: by an Arrow consumer, by iterating (which yields
    tables), or whole by `collect()`.
    """

    def __init__(self, data: _core.BatchStream, title: str) -> None:
        self._data: _core.BatchStream = data
        self._title = title

    def __iter__(self) -> Iterator[Table]:
        reader = self._data.open()
        while (piece := reader.next()) is not None:
            yield Table(piece)

    def collect(self) -> Table:
        """All rows in memory."""
        return Table(self._data.collect())

    def __repr__(self) -> str:
        types = ", ".join(f"{name}: {kind}" for name, kind in self.types.items())
        return f"chandler.Stream of {self._title}\n{types}"


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, dt.datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    if isinstance(value, float):
        return f"{value:.8g}"
    return str(value)
