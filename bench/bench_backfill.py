"""Backfill from the simulator with 20 ms latency, beside a sequential client of the same endpoint with pauses of 0.1 s;
and what a day's catch-up costs on a lake of 11 million minutes, beside deriving it all again."""

import datetime
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
import urllib.request

import generate
from measure import PROGRAM, WORK, run

DAYS, LATENCY_MS, PAUSE = 79, 20, 0.1
SYMBOLS = ["BTCUSDT", "ETHUSDT"]
MINUTE, DAY = 60_000, 86_400_000
START = generate.START * 1000
HISTORY_ROWS = int(os.environ.get("CHANDLER_BENCH_ROWS", 5_700_000))


class Sim:
    def __init__(self, data, now_ms, *flags):
        self.process = subprocess.Popen([PROGRAM, "sim", "--data", data, "--port", "0", "--now", str(now_ms), "--speed", "0",
                                         "--json", *flags], stdout=subprocess.PIPE, text=True)
        self.url = json.loads(self.process.stdout.readline())["url"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def day(ms):
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone.utc).date().isoformat()


def write_minutes(path, first_ms, minutes):
    """Binance's twelve columns, a minute each, none missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", encoding="ascii") as file:
        for i in range(minutes):
            t, price = first_ms + i * MINUTE, 20000 + i % 977 / 4
            file.write(f"{t},{price:.8f},{price + 2:.8f},{price - 2:.8f},{price + 1:.8f},{1 + i % 13 / 8:.8f},{t + MINUTE - 1},"
                       f"{price:.8f},{i % 50},0.50000000,{price / 2:.8f},0\n")


def sequential_client(url, end_ms):
    """What a careful script does: a page, a pause, the next page; nothing is stored."""
    started, rows = time.monotonic(), 0
    for symbol in SYMBOLS:
        at = START
        while at < end_ms:
            with urllib.request.urlopen(f"{url}/api/v3/klines?symbol={symbol}&interval=1m&startTime={at}&endTime={end_ms - 1}"
                                        "&limit=1000") as reply:
                page = json.load(reply)
            rows += len(page)
            at = page[-1][0] + MINUTE
            time.sleep(PAUSE)
    return time.monotonic() - started, rows


def fetch():
    data, lake, end = WORK / "pages", WORK / "lakes" / "pages", START + DAYS * DAY
    for symbol in SYMBOLS:
        write_minutes(data / symbol / f"{symbol}-1m-{day(START)[:7]}.csv", START, (DAYS + 1) * 1440)
    with Sim(data, end, "--latency", str(LATENCY_MS)) as sim:
        seconds, rows = sequential_client(sim.url, end)
        costs = []
        for _ in range(3):
            shutil.rmtree(lake, ignore_errors=True)
            costs.append(run(PROGRAM, "backfill", *SYMBOLS, "--since", day(START), "--source", "rest", "--rest-url", sim.url,
                             "--lake", lake, "--quiet"))
    stored = sum(s["minutes"] for s in json.loads(subprocess.check_output([PROGRAM, "status", "--lake", lake, "--json"]))["symbols"])
    if stored != rows:
        sys.exit(f"backfill stored {stored} minutes, the sequential client saw {rows}")
    cost = min(costs, key=lambda c: c.wall)
    print(f"\nfetch and store {rows} minutes in pages of 1000, {LATENCY_MS} ms latency")
    print(f"  sequential client {seconds:7.2f} s wall, pauses of {PAUSE} s, nothing stored")
    print(f"  chandler          {cost}  {seconds / cost.wall:5.1f}x as fast; {cost.cpu / rows * 1e6:.2f} s of cpu a million rows")


def catch_up():
    lake, data = WORK / "lakes" / "catch-up", WORK / "catch-up"
    shutil.rmtree(lake, ignore_errors=True)
    shutil.rmtree(data, ignore_errors=True)
    end = 0
    for number, symbol in enumerate(SYMBOLS):
        file = WORK / f"history-{HISTORY_ROWS}" / f"{symbol}.csv"
        generate.write_history(file, HISTORY_ROWS, number)
        run(PROGRAM, "import", file, "--symbol", symbol, "--lake", lake)
    symbols = json.loads(subprocess.check_output([PROGRAM, "status", "--lake", lake, "--json"]))["symbols"]
    end = max(datetime.datetime.fromisoformat(s["last"].replace("Z", "+00:00")).timestamp() * 1000 for s in symbols)
    midnight = int(end // DAY + 1) * DAY
    for symbol in SYMBOLS:
        write_minutes(data / symbol / f"{symbol}-1m-{day(midnight)[:7]}.csv", midnight, 2 * 1440)
    with Sim(data, midnight + DAY) as sim:
        caught = run(PROGRAM, "backfill", *SYMBOLS, "--since", day(midnight), "--source", "rest", "--rest-url", sim.url,
                     "--lake", lake, "--quiet")
    for table in ("daily_filled", "prophet_input"):
        shutil.rmtree(lake / table)
    rebuilt = run(PROGRAM, "build", "--lake", lake, "--quiet")
    imported = sum(s["minutes"] for s in symbols)
    print(f"\na day's catch-up of two symbols on a lake of {imported / 1e6:.1f} million minutes")
    print(f"  catch-up  {caught}")
    print(f"  build     {rebuilt}  the catch-up takes {caught.cpu / rebuilt.cpu:.0%} of its cpu, {caught.wall / rebuilt.wall:.0%} of its time")


if __name__ == "__main__":
    fetch()
    catch_up()
