#!/usr/bin/env python3
"""`chandler live` on a whole market for a long time: 3,000 symbols from the simulated exchange at sixty times the speed of time,
with seeded faults. Memory and descriptors must stay flat, and nothing may be lost: after a merge the lake holds every minute of
every symbol with the values that the exchange has, and what the batch layer fetches by itself is the same.

    tests/soak/soak.py PROGRAM [--seconds 3600] [--symbols 3000] [--seed 1]        (make soak-live SECONDS=3600)

What is sampled comes from live's own /metrics; what the lake must hold comes from the files that the exchange was made of.
"""

import argparse
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
from prometheus_text import scrape  # noqa: E402

START = 1_718_841_600_000  # 2024-06-20 00:00 UTC
MINUTE = 60_000
SPEED = 60
BEFORE = 10  # minutes of the market before live begins
AFTER = 60  # and that there are more than the soak takes
HISTORIES = 16  # different ones; the symbols share them, neighbours never
SETTLE = 240  # seconds: four hours of the market, within which whatever was missed must have been fetched


def write_market(folder, symbols, minutes, seed):
    """A file a symbol, as the exchange's archive has them. Returns {symbol: its history}, the histories and their files."""
    names = [f"SYM{i:04d}USDT" for i in range(symbols)]
    for h in range(HISTORIES):
        dice, price, rows = random.Random(seed * 1000 + h), 100.0 + 10 * h, []
        for m in range(minutes):
            t, first = START + m * MINUTE, price
            price = max(1.0, price * (1 + dice.gauss(0, 0.001)))
            high, low = max(first, price) * 1.0005, min(first, price) * 0.9995
            volume = dice.randrange(1, 10_000) / 8
            rows.append(f"{t},{first:.4f},{high:.4f},{low:.4f},{price:.4f},{volume},{t + MINUTE - 1},{volume * first:.4f},"
                        f"{dice.randrange(1, 500)},{volume / 2},{volume * first / 2:.4f},0\n")
            price = float(f"{price:.4f}")
        (folder / f"history{h}.csv").write_text("".join(rows))
    market = folder / "market"
    market.mkdir()
    for i, name in enumerate(names):
        os.link(folder / f"history{i % HISTORIES}.csv", market / f"{name}-1m-2024-06-20.csv")
    return names


class Sample:
    def __init__(self, seconds, metrics):
        self.seconds = seconds
        self.memory = metrics("process_resident_memory_bytes") / 2**20
        self.descriptors = metrics("process_open_fds")
        self.processor = metrics("process_cpu_seconds_total")
        self.metrics = metrics

    def __str__(self):
        m = self.metrics
        return (f"{self.seconds:6.0f} s  {self.memory:6.1f} MiB  {self.descriptors:4.0f} fds  {self.processor:7.1f} s of processor  "
                f"{m('chandler_messages_total'):11,.0f} messages  {m('chandler_minutes_added_total'):10,.0f} minutes stored  "
                f"{m('chandler_caught_up_minutes_total'):8,.0f} fetched  {m('chandler_stream_disconnects_total'):4.0f} cuts")


class Soak:
    def __init__(self, program, seconds, symbols, seed, fault_rate, folder, say=print):
        self.program, self.seconds, self.seed, self.say = str(program), seconds, seed, say
        self.folder, self.lake = pathlib.Path(folder), pathlib.Path(folder) / "lake"
        self.names = write_market(self.folder, symbols, BEFORE + seconds + SETTLE + AFTER, seed)
        self.fault_rate = fault_rate
        self.samples = []

    def run(self):
        self.exchange = subprocess.Popen(
            [self.program, "sim", "--data", self.folder / "market", "--port", "0", "--speed", str(SPEED), "--json",
             "--now", "2024-06-20T00:10:00Z", "--stream-cadence", "60", "--seed", str(self.seed), "--faults", "0.005",
             "--stream-faults", str(self.fault_rate), "--stream-life", "14400", "--weight-limit", str(SPEED * 6000)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            self.address = json.loads(self.exchange.stdout.readline())
            begin, end = self.follow()
            statistics = self.ask("/sim/stats")
            self.say(f"the exchange's faults: { {k: v for k, v in sorted(statistics['streams'].items())} }")
            self.command("merge")
            self.compare_with_the_truth(begin, end)
            self.compare_with_the_batch_layer(begin, end)
        finally:
            self.exchange.kill()
            self.exchange.wait()
        self.command("verify")

    def follow(self):
        """Runs live; from the first to the end of the last minute that the lake must hold."""
        with open(self.folder / "live.log", "w+") as log:
            live = subprocess.Popen(self.live(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
            try:
                url = self.metrics_url(live)
                begin = self.market_minute() + 2 * MINUTE
                started, stop = time.monotonic(), time.monotonic() + self.seconds
                while time.monotonic() < stop:
                    time.sleep(min(max(1.0, self.seconds / 60), max(0.0, stop - time.monotonic())))
                    assert live.poll() is None, f"live ended by itself: {live.returncode}\n{self.log()}"
                    self.samples.append(Sample(time.monotonic() - started, scrape(url)))
                    self.say(self.samples[-1])
                end = self.market_minute()
                self.wait_until_followed(live, begin, end)
                asked = time.monotonic()
                live.send_signal(signal.SIGTERM)
                code = live.wait(60)
                self.say(f"stopped with {code} after {time.monotonic() - asked:.1f} s")
                # 130: the last commit, of minutes after `end`, did not fit into the time that a stop leaves. What a stop may take is
                # judged by tests/cli/test_stop.py; here two programs with a market of work share the machine with other tests.
                assert code in (0, 130), self.log()
            finally:
                live.kill()
                live.wait()
        return begin, end

    def wait_until_followed(self, live, begin, end):
        """What the streams failed to tell is fetched, with the exchange's faults and orders to wait in between."""
        started, wanted = time.monotonic(), len(self.names) * (end - begin) // MINUTE
        while (stored := self.followed(begin, end)) < wanted:
            assert live.poll() is None, f"live ended by itself: {live.returncode}\n{self.log()}"
            took = time.monotonic() - started
            assert took < SETTLE, f"{wanted - stored:,} of {wanted:,} minutes are not there after {took:.0f} s\n{self.log()}"
            time.sleep(3)
        self.say(f"all of {wanted:,} minutes were there after {time.monotonic() - started:.0f} s")

    def followed(self, begin, end):
        """Minutes of [begin, end) in the lake's speed layer, while it is being written. That none is there twice is seen later."""
        import duckdb

        sql = duckdb.connect()
        sql.execute("set timezone = 'UTC'")
        try:
            return sql.execute(f"select count(*) from read_parquet('{self.lake}/speed_1m/symbol=*/**/*.parquet') "
                               f"where open_time >= make_timestamptz({begin}000) and open_time < make_timestamptz({end}000)").fetchone()[0]
        except duckdb.IOException:  # a file was replaced between its listing and its reading
            return 0

    def live(self):
        return [self.program, "live", *self.names, *self.urls(), "--lake", self.lake, "--metrics-port", "0", "-v"]

    def metrics_url(self, live):
        deadline = time.monotonic() + 120
        while True:
            if found := re.search(r"metrics at (\S+)", self.log()):
                return found[1]
            assert live.poll() is None and time.monotonic() < deadline, self.log()
            time.sleep(0.1)

    def log(self):
        return (self.folder / "live.log").read_text()[-4000:]

    def urls(self):
        return ["--stream-url", self.address["stream_url"], "--rest-url", self.address["url"]]

    def ask(self, path):
        """Of the simulator itself, whose answers neither fail on purpose nor count as requests of the exchange's clients: live asks
        from the same address, and a request of ours while it has been told to wait would get it banned."""
        with urllib.request.urlopen(self.address["url"] + path, timeout=60) as reply:
            return json.load(reply)

    def market_minute(self):
        return self.ask("/sim/clock")["now"] // MINUTE * MINUTE

    def command(self, *arguments, lake=None):
        done = subprocess.run([self.program, *arguments, "--lake", lake or self.lake], capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=1800)
        assert done.returncode == 0, f"{arguments[0]}: exit {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
        return done.stdout

    def compare_with_the_truth(self, begin, end):
        """Every minute of every symbol in [begin, end), with the values of its history, and no other."""
        import duckdb

        columns = "open, high, low, close, volume, quote_volume, trades, taker_buy_volume, taker_buy_quote_volume"
        sql = duckdb.connect()
        sql.execute("set timezone = 'UTC'")
        types = {"t": "BIGINT", "open": "DOUBLE", "high": "DOUBLE", "low": "DOUBLE", "close": "DOUBLE", "volume": "DOUBLE", "e": "BIGINT",
                 "quote_volume": "DOUBLE", "trades": "BIGINT", "taker_buy_volume": "DOUBLE", "taker_buy_quote_volume": "DOUBLE", "x": "INT"}
        for h in range(HISTORIES):
            verb = "create table truth as" if h == 0 else "insert into truth"
            sql.execute(f"{verb} select {h} as history, t, {columns} from read_csv('{self.folder}/history{h}.csv', header=false, "
                        f"columns={types}) where t >= {begin} and t < {end}")
        sql.execute(f"create table stored as select cast(symbol[4:7] as int) % {HISTORIES} as history, symbol, epoch_ms(open_time) as t, "
                    f"{columns} from read_parquet('{self.lake}/klines_1m/**/*.parquet', hive_partitioning=true) "
                    f"where t >= {begin} and t < {end}")
        (stored,) = sql.execute("select count(*) from stored").fetchone()
        (equal,) = sql.execute("select count(*) from stored natural join truth").fetchone()
        wanted = len(self.names) * (end - begin) // MINUTE
        lacking = sql.execute(f"select symbol, {(end - begin) // MINUTE} - count(*) as n from stored group by symbol having n > 0 "
                              "order by n desc limit 5").fetchall()
        self.say(f"{wanted:,} minutes of {len(self.names):,} symbols wanted, {stored:,} stored, {equal:,} of them equal")
        assert stored == wanted == equal, f"lost, too many or different; symbols that lack minutes: {lacking}"

    def compare_with_the_batch_layer(self, begin, end):
        """What a backfill alone stores of some symbols: the same values of the same minutes."""
        import pyarrow.compute
        import pyarrow.dataset

        chosen = random.Random(self.seed).sample(self.names, min(10, len(self.names)))
        alone = self.folder / "alone"
        self.command("backfill", *chosen, "--since", "2024-06-20", "--source", "rest", "--rest-url", self.address["url"], lake=alone)
        for name in chosen:
            tables = []
            for lake in (self.lake, alone):
                table = pyarrow.dataset.dataset(lake / f"klines_1m/symbol={name}", format="parquet").to_table().sort_by("open_time")
                times = table["open_time"].cast("int64")
                mask = pyarrow.compute.and_(pyarrow.compute.greater_equal(times, begin), pyarrow.compute.less(times, end))
                tables.append(table.filter(mask).drop_columns(["source"]))
            assert tables[0].equals(tables[1]), f"{name}: not what the batch layer has"

    def assert_flat(self):
        """After a quarter of the time, in which caches fill and the first days' files grow."""
        settled = [s for s in self.samples if s.seconds >= self.seconds / 4]
        third = max(1, len(settled) // 3)
        first, last = settled[:third], settled[-third:]

        def lowest(samples, of):
            return min(getattr(s, of) for s in samples)

        memory = lowest(first, "memory"), lowest(last, "memory")
        descriptors = lowest(first, "descriptors"), lowest(last, "descriptors")
        most = max(s.memory for s in self.samples)
        self.say(f"memory {memory[0]:.1f} MiB → {memory[1]:.1f} MiB (at most {most:.1f}), descriptors {descriptors[0]:.0f} → "
                 f"{descriptors[1]:.0f} (at most {max(s.descriptors for s in self.samples):.0f})")
        # What a commit holds depends on how long the last one took: some tens of MiB, and more on a slow disk.
        assert memory[1] <= memory[0] * 1.1 + 48, "the memory grows"
        assert descriptors[1] <= descriptors[0] + 4, "descriptors are left open"


def soak(program, seconds, symbols=3000, seed=1, fault_rate=0.0005, say=print, keep=None):
    folder = keep or tempfile.mkdtemp(prefix="chandler-soak-")
    try:
        pathlib.Path(folder).mkdir(exist_ok=True)
        one = Soak(program, seconds, symbols, seed, fault_rate, folder, say)
        one.run()
        one.assert_flat()
        return one
    finally:
        if keep is None:
            shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--seconds", type=int, default=3600)
    parser.add_argument("--symbols", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fault-rate", type=float, default=0.0005)
    parser.add_argument("--keep", help="a folder for the lake and the log, which stays")
    a = parser.parse_args()
    soak(a.program, a.seconds, a.symbols, a.seed, a.fault_rate, lambda line: print(line, flush=True), a.keep)
    return 0


if __name__ == "__main__":
    sys.exit(main())
