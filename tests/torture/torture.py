#!/usr/bin/env python3
"""Backfill under a faulty exchange and under SIGKILL, many times, each with another seed.

Every run has to end; none may send a request while the exchange says to wait; whatever happened, the lake has to become
byte for byte the one of an undisturbed run, and `verify` has to be clean after each kill.

    torture.py PROGRAM DATA --runs 200        # `make torture`; CI runs fewer
"""

import argparse
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request

# Two weeks of two symbols that end before the simulated clock, so that every run asks for the same.
NOW = "2024-06-25T13:07:30Z"
SINCE, UNTIL = "2024-06-11", "2024-06-24"
LONGEST_RUN = 180  # seconds; a hang, not a speed


class Sim:
    def __init__(self, program, data, *flags):
        self.process = subprocess.Popen(
            [program, "sim", "--data", data, "--port", "0", "--now", NOW, "--speed", "1", "--json", *flags],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.url = json.loads(self.process.stdout.readline())["url"]

    def statistics(self):
        with urllib.request.urlopen(self.url + "/sim/stats", timeout=10) as reply:
            return json.load(reply)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def backfill(program, sim, lake, seed=1):
    return [program, "backfill", "BTCUSDT", "ETHUSDT", "--since", SINCE, "--until", UNTIL, "--source", "rest",
            "--rest-url", sim.url, "--lake", str(lake), "--request-timeout", "0.5", "--seed", str(seed), "--quiet"]


def content(lake):
    root = pathlib.Path(lake)
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*.parquet"))}


def compare(reference, lake, what):
    found = content(lake)
    if found.keys() != reference.keys():
        raise SystemExit(f"{what}: other files: {sorted(found.keys() ^ reference.keys())}")
    for path, data in reference.items():
        if found[path] != data:
            raise SystemExit(f"{what}: {path} differs from the undisturbed run")


def reference_lake(program, data, folder):
    lake = folder / "reference"
    with Sim(program, data) as sim:
        subprocess.run(backfill(program, sim, lake), check=True, timeout=LONGEST_RUN)
    return content(lake)


def faulty_run(program, data, folder, reference, seed, rate):
    lake = folder / f"faults-{seed}"
    with Sim(program, data, "--faults", str(rate), "--seed", str(seed)) as sim:
        for attempt in range(5):
            done = subprocess.run(backfill(program, sim, lake, seed * 10 + attempt), timeout=LONGEST_RUN,
                                  capture_output=True, text=True)
            statistics = sim.statistics()
            if statistics["requests_while_told_to_wait"] != 0:
                raise SystemExit(f"seed {seed}: {statistics['requests_while_told_to_wait']} requests while told to wait")
            if done.returncode == 0:
                break
            if done.returncode not in (1, 3) or not done.stderr.strip():
                raise SystemExit(f"seed {seed}: exit {done.returncode}: {done.stderr}")
        else:
            raise SystemExit(f"seed {seed}: not complete after 5 runs: {done.stderr}")
    compare(reference, lake, f"faults, seed {seed}")
    shutil.rmtree(lake)
    return statistics


def killed_run(program, sim, folder, reference, seed, longest):
    lake = folder / f"kill-{seed}"
    choose = random.Random(seed)
    process = subprocess.Popen(backfill(program, sim, lake, seed + 1), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(choose.uniform(0, longest))
    process.send_signal(signal.SIGKILL)
    process.wait()
    if lake.exists():
        verified = subprocess.run([program, "verify", "--lake", str(lake)], capture_output=True, text=True, timeout=LONGEST_RUN)
        if verified.returncode != 0:
            raise SystemExit(f"kill, seed {seed}: verify: {verified.stdout}{verified.stderr}")
    subprocess.run(backfill(program, sim, lake, seed + 1), check=True, timeout=LONGEST_RUN)
    compare(reference, lake, f"kill, seed {seed}")
    left = [p.name for p in lake.rglob(".*") if p.is_file() and p.name != ".chandler.lock"]
    if left:
        raise SystemExit(f"kill, seed {seed}: left behind: {left}")
    shutil.rmtree(lake)
    return process.returncode == -signal.SIGKILL


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("data")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--rate", type=float, default=0.2)
    parser.add_argument("--first-seed", type=int, default=1)
    options = parser.parse_args()
    program = os.path.abspath(options.program)
    seeds = range(options.first_seed, options.first_seed + options.runs)
    with tempfile.TemporaryDirectory(prefix="chandler-torture-") as name:
        folder = pathlib.Path(name)
        reference = reference_lake(program, options.data, folder)
        faults = retried = 0
        for seed in seeds:
            statistics = faulty_run(program, options.data, folder, reference, seed, options.rate)
            faults += sum(statistics["faults"].values())
            retried += 1
        print(f"{retried} runs under {options.rate:.0%} faults ({faults} faults): all ended, none asked while told to wait, "
              "all lakes equal the undisturbed one")
        with Sim(program, options.data, "--latency", "20") as sim:
            started = time.monotonic()
            subprocess.run(backfill(program, sim, folder / "timing"), check=True, timeout=LONGEST_RUN)
            longest = time.monotonic() - started
            killed = sum(killed_run(program, sim, folder, reference, seed, longest) for seed in seeds)
        print(f"{options.runs} runs killed ({killed} before they had ended): verify clean after each, all lakes equal after "
              "running again")


if __name__ == "__main__":
    sys.exit(main())
