"""Instants and days as Python has them, as milliseconds and days since 1970 in UTC."""

from __future__ import annotations

import datetime as dt
from typing import Union

from .errors import UsageError

Instant = Union[str, int, dt.date, dt.datetime]
"""A day ("2024-05-01", a date), an instant ("2024-05-01T13:00", a datetime; without a time zone: UTC), or an int of
milliseconds since 1970."""

EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
DAY_MS = 86_400_000


def _parsed(value: Instant) -> dt.date | dt.datetime | int:
    if not isinstance(value, str):
        return value
    try:
        if len(value) == 10:
            return dt.date.fromisoformat(value)
        return dt.datetime.fromisoformat(value[:-1] + "+00:00" if value.endswith("Z") else value)
    except ValueError:
        raise UsageError(f"'{value}' is no day and no instant", "", "write 2024-05-01 or 2024-05-01T13:00") from None


def _ms(value: dt.date | dt.datetime | int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, dt.date)):
        raise UsageError(f"a {type(value).__name__} is no instant", "", "pass a str, a date, a datetime or an int of ms")
    if isinstance(value, int):
        return value
    if not isinstance(value, dt.datetime):
        return (value - EPOCH.date()).days * DAY_MS
    aware = value if value.tzinfo else value.replace(tzinfo=dt.timezone.utc)
    return (aware - EPOCH) // dt.timedelta(milliseconds=1)


def _is_day(value: dt.date | dt.datetime | int) -> bool:
    return isinstance(value, dt.date) and not isinstance(value, dt.datetime)


def begin_ms(value: Instant | None) -> int | None:
    """A day begins at its 00:00."""
    return None if value is None else _ms(_parsed(value))


def end_ms(value: Instant | None) -> int | None:
    """A day is meant whole: it ends where the next one begins."""
    if value is None:
        return None
    parsed = _parsed(value)
    return _ms(parsed) + (DAY_MS if _is_day(parsed) else 0)


def day_number(value: Instant) -> int:
    """The day that the instant lies in."""
    return _ms(_parsed(value)) // DAY_MS
