#!/usr/bin/env python3
"""What following a whole market costs: 3,000 symbols from the simulated exchange, an update of each every two seconds and all of
their closed candles at once at each minute's turn.

    scripts/kafka start                  # comes first
    bench_live.py PROGRAM [--symbols 3000] [--seconds 70] [--brokers HOST:PORT]
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

START = 1_718_841_600_000  # 2024-06-20 00:00 UTC
MINUTES = 30


def write_market(folder, count):
    names = [f"SYM{i:04d}USDT" for i in range(count)]
    for i, name in enumerate(names):
        rows = []
        for m in range(MINUTES):
            t, base = START + m * 60_000, 100 + i % 50 + m % 7
            rows.append(f"{t},{base}.1,{base}.9,{base}.05,{base}.5,12.5,{t + 59_999},{base * 12}.5,42,6.25,{base * 6}.25,0\n")
        (folder / f"{name}-1m-2024-06-20.csv").write_text("".join(rows))
    return names


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--symbols", type=int, default=3000)
    parser.add_argument("--seconds", type=int, default=70)
    parser.add_argument("--brokers", default="127.0.0.1:9092")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        (work / "market").mkdir()
        names = write_market(work / "market", arguments.symbols)
        sim = subprocess.Popen([arguments.program, "sim", "--data", work / "market", "--port", "0", "--now", "2024-06-20T00:10:30Z",
                                "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        address = json.loads(sim.stdout.readline())
        topic = f"live-{os.getpid()}"
        exchange = ["--stream-url", address["stream_url"], "--rest-url", address["url"]]
        broker = ["--brokers", arguments.brokers, "--topic", topic]
        commands = {"produce": ["produce", *names, *broker, "--partitions", "8", *exchange, "--lake", work / "a"],
                    "consume": ["consume", *broker, "--group", topic, "--lake", work / "b"],
                    "live": ["live", *names, *exchange, "--lake", work / "c"]}
        running = {}
        for name, command in commands.items():
            running[name] = subprocess.Popen(["/usr/bin/env", arguments.program, *command, "--json"], stdin=subprocess.DEVNULL,
                                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
            if name == "produce":
                time.sleep(5)
        started = time.monotonic()
        time.sleep(arguments.seconds)
        for name, process in running.items():
            process.send_signal(signal.SIGTERM)
            report = json.loads(process.stdout.read())
            _, _, usage = os.wait4(process.pid, 0)
            process.returncode = 0
            wall = time.monotonic() - started + (5 if name == "produce" else 0)
            count = report.get("messages", report.get("received"))
            print(f"{name:8} {count / wall:7,.0f} messages/s, {(usage.ru_utime + usage.ru_stime) / wall:.2f} of a core, "
                  f"{usage.ru_maxrss // 1024} MiB, {report.get('minutes_added', report.get('published')):,} "
                  f"{'minutes stored' if 'minutes_added' in report else 'acknowledged'}", flush=True)
        sim.kill()
        sim.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
