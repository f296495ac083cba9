"""Histories of minutes as Kaggle publishes them, from a seed: with holes, whole missing days and repeated rows.

Prices follow a random walk in cents; a third of the minutes has no trade and repeats the last price, as in the early
years of the real files. The same arguments give the same bytes.
"""

import argparse
import pathlib

import numpy as np
import polars as pl

START = 1_325_376_000  # 2012-01-01 00:00 UTC
DAY = 1440


def minutes(rows: int, seed: int) -> pl.DataFrame:
    """One symbol's rows in order of time; `rows` counts the repeats in."""
    random = np.random.default_rng(seed)
    repeats = rows // 2000
    candles = rows - repeats
    keep = np.ones(candles + 70_000, dtype=bool)  # more than all that is taken away below
    for begin in random.integers(DAY * 40, len(keep) - DAY * 40, size=60):  # outages of an hour to ten
        keep[begin : begin + random.integers(60, 600)] = False
    for day in random.integers(40, len(keep) // DAY - 40, size=6):  # days without any minute, up to three in a row
        keep[day * DAY : (day + random.integers(1, 4)) * DAY] = False
    slots = np.flatnonzero(keep)[:candles]
    time = START + slots.astype(np.int64) * 60

    traded = random.random(candles) > 0.33
    cents = np.cumsum(random.normal(0, 6e-4, candles) * traded)
    close = np.maximum(np.round(500_00 * np.exp(cents - cents.min() * 0.3)), 100)
    opening = np.concatenate([close[:1], close[:-1]])
    spread = np.round(close * 2e-4 * random.random((2, candles))) * traded
    high = np.maximum(opening, close) + spread[0]
    low = np.minimum(opening, close) - np.minimum(spread[1], np.minimum(opening, close) - 1)
    volume = np.round(random.exponential(6, candles) * traded, 8)
    frame = pl.DataFrame(
        {"Timestamp": time.astype(np.float64), "Open": opening / 100, "High": high / 100, "Low": low / 100,
         "Close": close / 100, "Volume": volume}
    )
    again = np.sort(random.integers(0, candles, size=repeats))
    order = np.sort(np.concatenate([np.arange(candles), again]), kind="stable")
    return frame[order]


def write_history(path: pathlib.Path, rows: int, seed: int) -> None:
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    minutes(rows, seed).write_csv(part)
    part.rename(path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--rows", type=int, default=5_700_000, help="rows of each symbol")
    parser.add_argument("--symbols", nargs="+", default=["BTCUSDT", "ETHUSDT"])
    arguments = parser.parse_args()
    for number, symbol in enumerate(arguments.symbols):
        write_history(arguments.folder / f"{symbol}.csv", arguments.rows, number)
