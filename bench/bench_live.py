#!/usr/bin/env python3
"""What following a whole market costs, and how late it is: 3,000 symbols from the simulated exchange, an update of each every two
seconds and all of their closed candles at once at each minute's turn.

    CHANDLER_KAFKA_PROPERTIES=log.message.timestamp.type=LogAppendTime scripts/kafka start      # comes first
    bench_live.py PROGRAM [--symbols 3000] [--seconds 130] [--stored 10] [--trigger 10s] [--brokers HOST:PORT]

Delays come from the programs' own histograms (bounds of buckets: "at most") and from outside, where they are exact: the broker's
stamp on each message beside the receipt in its header; the time of each file of speed_1m beside the end of its last minute.
--stored 1380: the lakes begin with so many minutes of the day, as at its end, when each commit writes the largest files.
"""

import argparse
import datetime
import json
import os
import pathlib
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

DAY = 1_718_841_600_000  # 2024-06-20 00:00 UTC


def write_market(folder, count, minutes):
    names = [f"SYM{i:04d}USDT" for i in range(count)]
    for i, name in enumerate(names):
        rows = []
        for m in minutes:
            t, base = DAY + m * 60_000, 100 + i % 50 + m % 7
            rows.append(f"{t},{base}.1,{base}.9,{base}.05,{base}.5,12.5,{t + 59_999},{base * 12}.5,42,6.25,{base * 6}.25,0\n")
        (folder / f"{name}-1m-2024-06-20.csv").write_text("".join(rows))
    return names


def store(arguments, names, lakes, work):
    """The day's first minutes into the lakes: `consume` writes the file of one symbol, of which every other gets a copy."""
    topic, dice = f"stored-{os.getpid()}", random.Random(1)
    lines = []
    for m in range(arguments.stored):
        t, price = DAY + m * 60_000, dice.uniform(100, 110)
        lines.append(f'{names[0]}|{{"e":"kline","E":{t + 60_000},"s":"{names[0]}","k":{{"t":{t},"T":{t + 59_999},"s":"{names[0]}",'
                     f'"i":"1m","f":1,"L":9,"o":"{price:.4f}","c":"{price + dice.random():.4f}","h":"{price + 1:.4f}",'
                     f'"l":"{price - dice.random():.4f}","v":"{dice.uniform(1, 99):.5f}","n":{dice.randrange(1, 999)},"x":true,'
                     f'"q":"{dice.uniform(100, 9999):.6f}","V":"{dice.random():.5f}","Q":"{dice.uniform(1, 99):.6f}","B":"0"}}}}\n')
    subprocess.run(["kcat", "-P", "-b", arguments.brokers, "-t", topic, "-K|"], input="".join(lines).encode(), check=True)
    subprocess.run([arguments.program, "consume", "--once", "--brokers", arguments.brokers, "--topic", topic, "--lake", work / "seed",
                    "--json"], check=True, stdout=subprocess.DEVNULL)
    day = "year=2024/month=6/day=20"
    file = work / "seed/speed_1m" / f"symbol={names[0]}" / day / "part.parquet"
    for lake in lakes:
        for name in names:
            folder = lake / "speed_1m" / f"symbol={name}" / day
            folder.mkdir(parents=True)
            shutil.copy(file, folder)
    print(f"{arguments.stored} minutes of {len(names)} symbols in files of {file.stat().st_size:,} bytes", flush=True)


def share(values, part):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


def told(values):
    return f"median {statistics.median(values):,.0f}, 99% {share(values, 0.99):,.0f}, longest {max(values):,.0f} ms ({len(values):,})"


def broker_delays(brokers, topic):
    """The broker's stamp less the receipt, of each message in ms, but for the first two seconds, in which the producer gets to know
    the partitions of a new topic."""
    text = subprocess.run(["kcat", "-C", "-q", "-b", brokers, "-t", topic, "-o", "beginning", "-e", "-f", "%T %h\n"], check=True,
                          stdout=subprocess.PIPE, text=True).stdout
    delays = []
    for line in text.splitlines():
        stamp, headers = line.split(" ", 1)
        received = int(dict(h.split("=", 1) for h in headers.split(","))["received"])
        delays.append((received, int(stamp) - received))
    start = min(delays)[0] + 2000
    return [delay for received, delay in delays if received >= start]


def file_delays(lake, ahead_ms):
    """How long after the end of its newest minute each file came into its place, in ms: a rename changes the inode's time only."""
    import pyarrow.parquet as parquet
    delays = []
    for file in (lake / "speed_1m").glob("symbol=*/**/part.parquet"):
        newest = parquet.read_table(file, columns=["open_time"])["open_time"][-1].as_py()
        end = newest + datetime.timedelta(minutes=1)
        delays.append(file.stat().st_ctime * 1000 - (end.timestamp() * 1000 - ahead_ms))
    return delays


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--symbols", type=int, default=3000)
    parser.add_argument("--seconds", type=int, default=130)
    parser.add_argument("--stored", type=int, default=10)
    parser.add_argument("--trigger", default="10s")
    parser.add_argument("--brokers", default="127.0.0.1:9092")
    parser.add_argument("--only", help="live, or kafka: the one without the other")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        (work / "market").mkdir()
        minutes = range(arguments.stored, arguments.stored + arguments.seconds // 60 + 10)
        names = write_market(work / "market", arguments.symbols, minutes)
        if arguments.stored > 0:
            store(arguments, names, [work / "b", work / "c"], work)
        now = datetime.datetime.fromtimestamp(DAY / 1000 + arguments.stored * 60 + 30, datetime.timezone.utc)
        sim = subprocess.Popen([arguments.program, "sim", "--data", work / "market", "--port", "0", "--now",
                                f"{now:%Y-%m-%dT%H:%M:%SZ}", "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        address = json.loads(sim.stdout.readline())
        with urllib.request.urlopen(address["url"] + "/api/v3/time") as answer:
            ahead_ms = json.load(answer)["serverTime"] - time.time() * 1000
        topic = f"live-{os.getpid()}"
        exchange = ["--stream-url", address["stream_url"], "--rest-url", address["url"]]
        broker = ["--brokers", arguments.brokers, "--topic", topic]
        trigger = ["--trigger", arguments.trigger]
        commands = {"produce": ["produce", *names, *broker, "--partitions", "8", *exchange, "--lake", work / "a"],
                    "consume": ["consume", *broker, "--group", topic, "--lake", work / "b", *trigger],
                    "live": ["live", *names, *exchange, "--lake", work / "c", *trigger]}
        if arguments.only:
            commands = {name: c for name, c in commands.items() if (name == "live") == (arguments.only == "live")}
        running, began = {}, {}
        for name, command in commands.items():
            began[name] = time.monotonic()
            running[name] = subprocess.Popen(["/usr/bin/env", arguments.program, *command, "--json"], stdin=subprocess.DEVNULL,
                                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            if name == "produce":
                time.sleep(5)
        time.sleep(arguments.seconds)
        for name, process in running.items():
            process.send_signal(signal.SIGTERM)
            report = json.loads(process.stdout.read())
            _, _, usage = os.wait4(process.pid, 0)
            process.returncode = 0
            wall = time.monotonic() - began[name]
            count = report.get("messages", report.get("received"))
            print(f"{name:8} {count / wall:7,.0f} messages/s, {(usage.ru_utime + usage.ru_stime) / wall:.2f} of a core, "
                  f"{usage.ru_maxrss // 1024} MiB, {report.get('minutes_added', report.get('published')):,} "
                  f"{'minutes stored' if 'minutes_added' in report else 'acknowledged'}", flush=True)
            for delay, what in (("delivery_ms", "from receipt to the broker's acknowledgement"),
                                ("storing_ms", "from receipt of a closed minute to its commit"), ("commit_ms", "a commit")):
                if delay in report:
                    print(f"{'':8} {what}: median at most {report[delay]['p50']:,}, 99% at most {report[delay]['p99']:,} ms", flush=True)
        sim.kill()
        sim.wait()
        if "produce" in running:
            delays = broker_delays(arguments.brokers, topic)
            if any(delays):
                print(f"from receipt to the broker's stamp: {told(delays)}")
            else:
                print("the broker does not stamp messages: start it as the head of this file says")
        for name, lake in (("consume", work / "b"), ("live", work / "c")):
            if name in running:
                print(f"{name}: from a minute's end to its file: {told(file_delays(lake, ahead_ms))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
