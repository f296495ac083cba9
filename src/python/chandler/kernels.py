"""The pure functions behind the lake, over anything that speaks the Arrow PyCapsule interface.

Input is read once, batch by batch and without a copy where its types allow; the GIL is released meanwhile. Candles have
the columns open_time (a timestamp of any unit, a date, or an int64 of milliseconds since 1970; without a time zone:
UTC), open, high, low, close and volume; quote_volume, taker_buy_volume, taker_buy_quote_volume, trades, minutes and
source where they are there. Other columns are passed over.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, Iterable, Literal, Mapping, NamedTuple, Sequence

from . import _core
from .lake import Interval
from .table import Table
from .time import EPOCH, Instant, begin_ms, day_number, end_ms

ArrowData = Any
"""An object with __arrow_c_stream__ or __arrow_c_array__."""


class Cleaned(NamedTuple):
    """What `clean` returns. `rejected` has row (in the input), open_time and reason; `conflicting` the rows that gave
    way to another, different one of their candle."""

    rows: Table
    rejected: Table
    exact_repeats: int
    conflicting: Table


def clean(data: ArrowData, interval: Interval = "1m") -> Cleaned:
    """Orders candles by open time, drops repeats, rejects impossible rows (off the interval's grid, a price that is no
    positive number, high below low, open or close outside, a negative volume, more trades
    than a market has, a time outside 2009 to 2100).

    Of different rows of one candle the one of the better source is kept (archive, rest; then stream; then import), of
    equal ones the one with more trading in it. The order of the input makes no difference.
    """
    rows, rejected, repeats, conflicting = _core.clean(data, interval)
    return Cleaned(Table(rows), Table(rejected), repeats, Table(conflicting))


def roll_up(data: ArrowData, interval: Interval) -> Table:
    """Candles of a longer interval: first open, highest high, lowest low, last close, sums of the rest (a sum with an
    unknown part is null), and `minutes`: rows, or the sum of the input's own `minutes`.

    The input must be in order of time without repeats (as `clean` leaves it), and may be cut into batches anywhere.
    """
    return Table(_core.roll_up(data, interval))


def fill(data: ArrowData, interval: Interval, until: Instant | None = None) -> Table:
    """The candles with none missing between the first and the last one (or up to `until`; a day is meant whole): a
    missing one has the last close in all four prices, volume 0, and `filled` true."""
    return Table(_core.fill(data, interval, end_ms(until)))


def moving_average(data: ArrowData, window: int | Sequence[int], column: str | None = None) -> Table:
    """Means of the last `window` values up to each row, over fewer at the start: a column `ma7` for a window of 7.

    `data` is one column (a series, a chunked array), or a table of which `column` is taken (left out: close or
    daily_close). A null makes the means that include it null.
    """
    windows = [window] if isinstance(window, int) else list(window)
    return Table(_core.moving_average(data, windows, column or ""))


def gaps(data: ArrowData, interval: Interval = "1m", start: Instant | None = None, end: Instant | None = None) -> Table:
    """Maximal runs of missing candles: start, end (exclusive), missing (candles). Between the first and the last row, or
    the given instants (a day is meant whole). `data` needs open_time only."""
    return Table(_core.gaps(data, interval, begin_ms(start), end_ms(end)))


def daily_filled(data: ArrowData, days: ArrowData | None = None, until: Instant | None = None) -> Table:
    """Rows of the lake's table daily_filled from candles of any interval up to a day (minutes, or what `roll_up` made of
    them): a row a day from the first one on, none missing, with ma7 and ma30.

    Args:
        days: the exchange's own daily candles, for days of which `data` has nothing.
        until: the first day that is not wanted any more; left out: the day after the last one.
    """
    return Table(_core.daily_filled(data, days, begin_ms(until)))


class Model:
    """A fitted model; `predict` forecasts with it."""

    def __init__(self, fit: _core.ProphetFit) -> None:
        self._fit = fit

    @property
    def first_day(self) -> dt.date:
        return EPOCH.date() + dt.timedelta(days=self._fit.first_day)

    @property
    def last_day(self) -> dt.date:
        return EPOCH.date() + dt.timedelta(days=self._fit.last_day)

    @property
    def parameters(self) -> dict[str, Any]:
        """In the model's own scaling (time from 0 to 1, y divided by y_scale): k (growth), m (offset), sigma (noise),
        delta (rate changes), beta (coefficient by feature), y_scale, log_posterior, iterations, converged."""
        f = self._fit
        return {"k": f.k, "m": f.m, "sigma": f.sigma, "delta": f.delta, "beta": dict(zip(f.features, f.beta)),
                "y_scale": f.y_scale, "log_posterior": f.log_posterior, "iterations": f.iterations,
                "converged": f.converged}

    def predict(self, future: int | ArrowData = 30, level: float = 0.8, paths: int = 1000, seed: int = 1) -> Table:
        """See `chandler.predict`."""
        return predict(self, future, level, paths, seed)

    def __repr__(self) -> str:
        return f"chandler.Model of {self.first_day} to {self.last_day}, {len(self._fit.features)} features"


def fit(data: ArrowData, *, growth: Literal["linear", "logistic", "flat"] = "linear", changepoints: int = 25,
        changepoint_range: float = 0.8, changepoint_prior_scale: float = 0.05,
        seasonality_mode: Literal["additive", "multiplicative"] = "additive", yearly: int | None = None,
        weekly: int | None = None, daily: int | None = None, seasonality_prior_scale: float = 10,
        seasonalities: Mapping[str, tuple[float, int]] | None = None,
        holidays: Mapping[str, Iterable[Instant]] | None = None, halvings: bool = False,
        holidays_prior_scale: float = 10, regressors: Sequence[str] = (), floor: float = 0) -> Model:
    """Fits the model of Prophet (Taylor and Letham, 2018): trend with changepoints, seasonalities, holidays, regressors.

    Args:
        data: ds (a day each, ascending) and y; or rows of daily_filled, whose filled days are left out, being no
            observations. Also the regressors' columns, and `cap` for logistic growth.
        yearly, weekly, daily: Fourier order; None chooses by the length of the history, 0 switches off.
        seasonalities: name → (period in days, Fourier order).
        holidays: name → days, past and future.
        halvings: the Bitcoin halvings, each with seven days before and after.
    """
    spec = _core.ProphetSpec()
    spec.set_growth(growth)
    spec.set_mode(seasonality_mode)
    spec.changepoints = changepoints
    spec.changepoint_range = changepoint_range
    spec.changepoint_prior_scale = changepoint_prior_scale
    spec.seasonality_prior_scale = seasonality_prior_scale
    spec.holidays_prior_scale = holidays_prior_scale
    spec.yearly, spec.weekly, spec.daily, spec.floor = yearly, weekly, daily, floor
    for name, (period, order) in (seasonalities or {}).items():
        spec.add_seasonality(name, period, order)
    for name, on in (holidays or {}).items():
        spec.add_holiday(name, [day_number(day) for day in on], 0, 0)
    if halvings:
        spec.add_halvings()
    for name in regressors:
        spec.add_regressor(name)
    return Model(_core.fit(data, spec))


def predict(model: Model, future: int | ArrowData = 30, level: float = 0.8, paths: int = 1000, seed: int = 1) -> Table:
    """Forecasts with a model: ds, yhat, yhat_lower, yhat_upper, trend, trend_lower, trend_upper, additive_terms,
    multiplicative_terms, and the effect of each component.

    Args:
        future: so many days after the last one; or a table with ds, in any order, and the model's regressors and cap.
        level: share of the simulated paths that lie between lower and upper.
        paths, seed: of the simulation; the same seed gives the same numbers.
    """
    if isinstance(future, int):
        return Table(_core.predict_days_ahead(model._fit, future, level, paths, seed))
    return Table(_core.predict_table(model._fit, future, level, paths, seed))
