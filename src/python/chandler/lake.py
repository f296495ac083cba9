"""A lake of candles, for reading."""

from __future__ import annotations

import os
from typing import Iterable, Literal, Sequence

from . import _core
from .errors import NotFoundError, UsageError
from .table import Stream, Table
from .time import Instant, begin_ms, day_number, end_ms

Interval = Literal["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"]


class Lake:
    """A lake that `chandler` keeps: a folder, or what else `--lake` takes.

    Reading takes no lock and is safe while others write; the GIL is released meanwhile.

    >>> lake = chandler.Lake("lake")
    >>> lake.candles("BTCUSDT", "4h", start="2024-06-01").to_polars()
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        """Raises NotFoundError where no folder is, UnreachableError where it cannot be read."""
        uri = os.fspath(path)
        if "://" not in uri and not os.path.isdir(uri):
            raise NotFoundError("there is no lake here", uri,
                                "name the folder that `chandler --lake` writes, or make a small one: chandler.demo()")
        self._lake = _core.Lake(uri)

    @property
    def uri(self) -> str:
        return self._lake.uri

    def __repr__(self) -> str:
        return f"chandler.Lake({self.uri!r})"

    def symbols(self) -> list[str]:
        """Symbols that the lake has anything of, sorted."""
        return self._lake.symbols()

    def status(self, symbols: str | Iterable[str] | None = None) -> Table:
        """Coverage and lag, a row a symbol: symbol, minutes, first, last, coverage (share of the minutes between first
        and last), holes, missing_minutes, not_asked_minutes (of these, never asked for), exchange_days, days,
        filled_days, first_day, last_day, speed_minutes (waiting for the merge), lag_seconds (behind the newest of them)."""
        return Table(self._lake.status(_names(symbols)))

    def candles(self, symbol: str, interval: Interval = "1d", start: Instant | None = None, end: Instant | None = None,
                fill: Literal["close"] | bool | None = None, provisional: bool = False,
                columns: Sequence[str] | None = None) -> Stream:
        """Candles of one symbol, batch and speed layer together, in order of time; a month at a time below a day.

        Args:
            interval: 1m 3m 5m 15m 30m 1h 2h 4h 6h 8h 12h 1d 3d 1w 1M (1M is a month). Weeks begin on Monday, 3d candles
                where the exchange's do, all in UTC.
            start: the first candle opens at or after it.
            end: a day is meant whole; before an instant the last candle opens.
            fill: "close" makes the candles that have no minute from the last close, with volume 0, flagged `filled`.
            provisional: also candles that may still change: the open minute, the open day.
            columns: these only, in this order. Left out: all but taker_buy_volume and taker_buy_quote_volume, for which
                a daily candle has to be rolled up from its minutes again.

        Returns:
            open_time (timestamp, ms, UTC), open, high, low, close (quote asset), volume (base asset), quote_volume,
            trades, minutes (present in the candle; 0 where only the exchange's day is known), filled, provisional.

        Raises:
            NotFoundError: the lake does not have the symbol. UsageError: an argument cannot be used.
        """
        if fill not in (None, False, True, "close"):
            raise UsageError(f"fill={fill!r} is no way to fill", "", 'pass "close" or None')
        begin, until = begin_ms(start), end_ms(end)
        if begin is not None and until is not None and until <= begin:
            raise UsageError(f"end {end} is not after start {start}")
        stream = self._lake.candles(symbol, interval, begin, until, bool(fill), bool(provisional),
                                    None if columns is None else list(columns))
        return Stream(stream, f"{interval} candles of {symbol}")

    def daily_filled(self, symbols: str | Iterable[str] | None = None, start: Instant | None = None,
                     end: Instant | None = None) -> Stream:
        """The table daily_filled: a row a day, no day missing; a symbol at a time, all of them if none is named.

        Returns:
            symbol, date, daily_open, daily_high, daily_low, daily_close, daily_volume, cnt (minutes present), filled,
            ma7, ma30 (means of the last 7 and 30 closes), daily_quote_volume, daily_trades, vwap. Both ends inclusive.
        """
        first = None if start is None else day_number(start)
        until = None if end is None else day_number(end) + 1
        return Stream(self._lake.daily_filled(_names(symbols), first, until), "daily_filled")

    def gaps(self, symbols: str | Iterable[str] | None = None, min_minutes: int = 1) -> Table:
        """Missing minutes between the first and the last one: symbol, start, end (exclusive), minutes, asked (the
        exchange has been asked and has none: its own hole). Gaps shorter than min_minutes are left out."""
        return Table(self._lake.gaps(_names(symbols), min_minutes))

    def forecast(self, symbol: str, run: str | None = None) -> Table:
        """What `chandler forecast` wrote in its last (or the named) run, a row a day ahead: ds, yhat, yhat_lower and
        yhat_upper (80%), yhat_lower_95, yhat_upper_95, and Prophet's view with its components where it took part."""
        return Table(self._lake.forecast(run or self._lake.latest_run(), symbol))

    def metrics(self, symbol: str | None = None, run: str | None = None) -> Table:
        """How every model did in that run, on days it had never seen: symbol, model, mode, prior, mse, mape, …, skill
        (1 - error / naive's error), coverage80, coverage95, …, saved (the one that was published)."""
        return Table(self._lake.metrics(run or self._lake.latest_run(), symbol or ""))


def _names(symbols: str | Iterable[str] | None) -> list[str]:
    if symbols is None:
        return []
    return [symbols] if isinstance(symbols, str) else list(symbols)
