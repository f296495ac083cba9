"""Import and build of 11.4 million minutes, beside Polars and DuckDB in the same run, with the answers compared.

CHANDLER_BENCH_ROWS sets the rows of each of the two symbols, CHANDLER_BENCH_REPEATS how often each is run.
"""

import itertools
import os
import pathlib
import shutil
import sys

import duckdb

import generate
from measure import PROGRAM, ROOT, WORK, Cost, best, run

ROWS = int(os.environ.get("CHANDLER_BENCH_ROWS", 5_700_000))
REPEATS = int(os.environ.get("CHANDLER_BENCH_REPEATS", 3))
SYMBOLS = ["BTCUSDT", "ETHUSDT"]
PEERS = ["polars", "duckdb"]
PEER_SCRIPT = pathlib.Path(__file__).with_name("peers.py")
ASIDE = WORK / "aside"
_numbers = itertools.count()


def put_aside(path: pathlib.Path) -> None:
    """Deleting would slow the next run down: ext4 looks for names in the place of files that have just gone."""
    if path.exists():
        ASIDE.mkdir(parents=True, exist_ok=True)
        path.rename(ASIDE / str(next(_numbers)))


def settle() -> None:
    """What one program wrote is on the disk before the next one, which may sync, is measured."""
    os.sync()


def show(name: str, costs: dict[str, Cost]) -> None:
    fastest = min(costs[peer].wall for peer in PEERS)
    print(f"\n{name}: {ROWS * len(SYMBOLS) / 1e6:.1f} million minutes")
    for who, cost in costs.items():
        ratio = f"{fastest / cost.wall:5.1f}x as fast as the best peer" if who not in PEERS else ""
        print(f"  {who:24} {cost}  {ratio}")


def import_all(lakes: dict[str, pathlib.Path], files: list[pathlib.Path]) -> None:
    costs = {}
    for peer in PEERS:
        def prepare(lake: pathlib.Path = lakes[peer]) -> None:
            put_aside(lake)
            settle()

        costs[peer] = best(REPEATS, prepare, sys.executable, PEER_SCRIPT, peer, "import", lakes[peer], *files)
    ours = []
    for _ in range(REPEATS):
        put_aside(lakes["chandler"])
        settle()
        ours.append(sum((run(PROGRAM, "--lake", lakes["chandler"], "import", file, "--symbol", file.stem)
                         for file in files), Cost(0, 0, 0)))
    costs["chandler"] = min(ours, key=lambda cost: cost.wall)
    show("import (CSV to one Parquet file a month; chandler's also derives the days and syncs the disk)", costs)
    for who, lake in lakes.items():
        size = sum(file.stat().st_size for file in (lake / "klines_1m").rglob("*.parquet"))
        print(f"  {who:9} {size / 1e6:6.0f} MB on disk")


def build_all(lakes: dict[str, pathlib.Path]) -> None:
    costs = {}

    def clear(lake: pathlib.Path) -> None:
        for table in ("daily_filled", "prophet_input"):
            put_aside(lake / table)
        settle()

    for peer in PEERS:
        costs[peer] = best(REPEATS, lambda: clear(lakes[peer]), sys.executable, PEER_SCRIPT, peer, "build", lakes[peer])
    build = [PROGRAM, "--lake", lakes["chandler"], "build"]
    # The days that a month of minutes gives were put into its footer when it was written; --reread does without them and
    # reads every minute, as the peers have to.
    costs["chandler, from minutes"] = best(REPEATS, lambda: clear(lakes["chandler"]), *build, "--reread")
    costs["chandler, from footers"] = best(REPEATS, lambda: clear(lakes["chandler"]), *build)
    show("build (minutes to daily_filled with fill, MA7, MA30, and prophet_input)", costs)
    scan = best(REPEATS, lambda: None, ROOT / "build/release/bench/column_scan", lakes["chandler"])
    print(f"  bare scan {scan}  build --reread takes {costs['chandler, from minutes'].wall / scan.wall:.2f}x the decoding of its columns")


def compare(lakes: dict[str, pathlib.Path]) -> None:
    """DuckDB's output is the judge of ours, row by row."""
    def table(who: str, name: str) -> str:
        return f"read_parquet('{lakes[who]}/{name}/**/*.parquet', hive_partitioning = true)"

    columns = "symbol, epoch_ms(open_time) AS t, open, high, low, close, volume"
    different = duckdb.sql(f"""
        SELECT count(*) FROM (
            (SELECT {columns} FROM {table('chandler', 'klines_1m')} EXCEPT ALL SELECT {columns} FROM {table('duckdb', 'klines_1m')})
            UNION ALL
            (SELECT {columns} FROM {table('duckdb', 'klines_1m')} EXCEPT ALL SELECT {columns} FROM {table('chandler', 'klines_1m')}))
        """).fetchall()[0][0]
    rows, wrong = duckdb.sql(f"""
        SELECT count(*), count(*) FILTER (WHERE a.date IS NULL OR b.date IS NULL
            OR a.daily_open <> b.daily_open OR a.daily_high <> b.daily_high OR a.daily_low <> b.daily_low
            OR a.daily_close <> b.daily_close OR a.cnt <> b.cnt OR a.filled <> b.filled
            OR abs(a.daily_volume - b.daily_volume) > 1e-9 * b.daily_volume
            OR abs(a.ma7 - b.ma7) > 1e-9 * b.ma7 OR abs(a.ma30 - b.ma30) > 1e-9 * b.ma30)
        FROM {table('chandler', 'daily_filled')} a FULL JOIN {table('duckdb', 'daily_filled')} b USING (symbol, date)
        """).fetchall()[0]
    prophet = duckdb.sql(f"""
        SELECT count(*) FILTER (WHERE a.ds IS NULL OR b.ds IS NULL OR a.y <> b.y)
        FROM {table('chandler', 'prophet_input')} a
        FULL JOIN {table('duckdb', 'prophet_input')} b ON a.symbol = b.symbol AND a.ds = b.ds""").fetchall()[0][0]
    print(f"\ncompared with DuckDB's output: {different} minutes, {wrong} of {rows} days and {prophet} rows of prophet_input differ")
    if different or wrong or prophet:
        raise SystemExit("the outputs differ: a fast wrong answer counts for nothing")


if __name__ == "__main__":
    data = WORK / f"history-{ROWS}"
    files = [data / f"{symbol}.csv" for symbol in SYMBOLS]
    for seed, file in enumerate(files):
        generate.write_history(file, ROWS, seed)
    lakes = {who: WORK / "lakes" / who for who in [*PEERS, "chandler"]}
    import_all(lakes, files)
    build_all(lakes)
    compare(lakes)
    shutil.rmtree(ASIDE, ignore_errors=True)
