"""The Python package beside Polars: daily candles out of 7 million minutes, and what a call of a kernel costs.

Runs in an environment of its own (scripts/setup python), with the wheel that `make python` built. CHANDLER_BENCH_ROWS sets
the minutes, CHANDLER_BENCH_REPEATS how often each is run; the fastest run counts. Both read the same Parquet files.
"""

import os
import pathlib
import time

import chandler
import generate
import polars as pl
import pyarrow as pa
from measure import PROGRAM, WORK, run

ROWS = int(os.environ.get("CHANDLER_BENCH_ROWS", 7_000_000))
REPEATS = int(os.environ.get("CHANDLER_BENCH_REPEATS", 7))
SYMBOL = "BTCUSDT"


def fastest(work, repeats: int = REPEATS) -> tuple[float, float, object]:
    """Wall and processor seconds of the fastest run, and its result."""
    best = (float("inf"), 0.0, None)
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        best = min(best, (time.perf_counter() - wall, time.process_time() - cpu, result), key=lambda run: run[0])
    return best


def minutes_of(lake: pathlib.Path) -> pl.LazyFrame:
    """In order of time: by themselves the folders come as month=1, month=10, month=11, month=2."""
    files = (lake / "klines_1m" / f"symbol={SYMBOL}").glob("year=*/month=*/part.parquet")
    in_order = sorted(files, key=lambda file: [int(part.split("=")[1]) for part in file.parts[-3:-1]])
    return pl.scan_parquet(in_order, hive_partitioning=False)


AGGREGATES = [
    pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("close").last(), pl.col("volume").sum(),
    pl.len().cast(pl.Int32).alias("minutes"),
]
NEEDED = ["open_time", "open", "high", "low", "close", "volume"]


def dynamic(lake: pathlib.Path, every: str) -> pl.DataFrame:
    return minutes_of(lake).select(NEEDED).set_sorted("open_time").group_by_dynamic("open_time", every=every).agg(AGGREGATES).collect()


def truncated(lake: pathlib.Path, every: str, engine: str = "auto") -> pl.DataFrame:
    groups = minutes_of(lake).select(NEEDED).group_by(pl.col("open_time").dt.truncate(every)).agg(AGGREGATES)
    return groups.sort("open_time").collect(engine=engine)


def same(ours: pl.DataFrame, theirs: pl.DataFrame) -> bool:
    """Equal in all but the last digits of a sum."""
    if ours.height != theirs.height or not ours["open_time"].equals(theirs["open_time"]):
        return False
    exact = all(ours[name].equals(theirs[name]) for name in ("open", "high", "low", "close", "minutes"))
    close = ((ours["volume"] - theirs["volume"]).abs() <= 1e-9 * theirs["volume"]).all()
    return exact and close


def compare_candles(lake: chandler.Lake, folder: pathlib.Path) -> None:
    for interval in ("1d", "1h"):
        peers = {"group_by_dynamic": lambda: dynamic(folder, interval), "group_by": lambda: truncated(folder, interval),
                 "streaming": lambda: truncated(folder, interval, "streaming")}
        theirs = {name: fastest(peer, 3) for name, peer in peers.items()}
        name, best = min(theirs.items(), key=lambda item: item[1][0])
        ours = fastest(lambda: pl.DataFrame(lake.candles(SYMBOL, interval)))
        for _, _, frame in theirs.values():
            if not same(ours[2], frame):
                raise SystemExit(f"the {interval} candles differ: a fast wrong answer counts for nothing")
        print(f"\n{interval} candles of {ROWS / 1e6:.1f} million minutes into Polars: {ours[2].height} rows, equal")
        print(f"  polars    {best[0] * 1e3:8.1f} ms wall {best[1] * 1e3:8.1f} ms cpu  ({name}, the fastest of {', '.join(peers)})")
        print(f"  chandler  {ours[0] * 1e3:8.1f} ms wall {ours[1] * 1e3:8.1f} ms cpu  {best[0] / ours[0]:5.1f}x as fast")


def kernel_calls(lake: chandler.Lake) -> None:
    """On a table of one row the kernel itself does nothing: what is left is the call, import and export."""
    minutes = lake.candles(SYMBOL, "1m", start="2013-01-01", end="2013-01-31").to_arrow()
    print("\na kernel's call on an Arrow table: of one row, and of a month of minutes")
    kernels = {
        "roll_up": lambda table: chandler.roll_up(table, "1d"),
        "fill": lambda table: chandler.fill(table, "1m"),
        "gaps": lambda table: chandler.gaps(table),
        "clean": lambda table: chandler.clean(table),
        "moving_average": lambda table: chandler.moving_average(table, 7),
        "daily_filled": lambda table: chandler.daily_filled(table),
    }
    month = pa.table(minutes).combine_chunks()
    row = month.slice(0, 1)
    for name, kernel in kernels.items():
        call = fastest(lambda: kernel(row), 300)[0]
        whole = fastest(lambda: kernel(month), 50)[0]
        print(f"  {name:15} {call * 1e6:7.1f} µs   {whole * 1e6:9.1f} µs for {month.num_rows} rows")


if __name__ == "__main__":
    history = WORK / f"python-{ROWS}" / f"{SYMBOL}.csv"
    generate.write_history(history, ROWS, 0)
    folder = WORK / "lakes" / f"python-{ROWS}"
    if not folder.exists():
        run(PROGRAM, "--lake", folder, "import", history, "--symbol", SYMBOL)
    lake = chandler.Lake(folder)
    compare_candles(lake, folder)
    kernel_calls(lake)
