#!/usr/bin/env python3
"""Backfill under a faulty exchange and under SIGKILL, many times, each with another seed.

Every run has to end; none may send a request while the exchange says to wait; whatever happened, the lake has to become
byte for byte the one of an undisturbed run, and `verify` has to be clean after each kill.

A request on a connection that has brought the order to wait is against it. One on another connection may have been let go before the
order was read; the exchange takes it for an offence when it comes more than a quarter of a second later. Where the system has let a
thread of the client or of the exchange wait for a processor that long, this proves nothing, and the same seed runs again: the
faults are the same ones then, while threads are held up elsewhere.

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
GRACE = 0.25  # seconds, as the exchange has it
JUDGEMENTS = 5  # of one seed, on a machine that is too busy for a judgement


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


class Delays:
    """How long the threads of some processes have waited for a processor, read while they live; a lower bound."""

    def __init__(self, *pids):
        self.pids, self.first, self.last = pids, {}, {}
        self.read()

    def read(self):
        for pid in self.pids:
            for path in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"):
                try:
                    self.last[path] = int(path.read_text().split()[1]) / 1e9
                except (OSError, IndexError):
                    continue  # it has just ended
                self.first.setdefault(path, self.last[path])

    def longest(self):
        return max((self.last[path] - self.first[path] for path in self.last), default=0.0)


def watched(command, sim):
    """Runs it; also tells the longest time that a thread of it or of the exchange was kept waiting."""
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, text=True)
        delays, end = Delays(process.pid, sim.process.pid), time.monotonic() + LONGEST_RUN
        while process.poll() is None:
            delays.read()
            if time.monotonic() > end:
                process.kill()
                raise SystemExit(f"not done after {LONGEST_RUN} s: {command}")
            time.sleep(0.02)
        output.seek(0)
        return process.returncode, output.read(), delays.longest()


def faulty_run(program, data, folder, reference, seed, rate):
    """The exchange's statistics; nothing where the machine was too busy to tell whether the client obeyed."""
    lake = folder / f"faults-{seed}"
    delay = 0.0
    with Sim(program, data, "--faults", str(rate), "--seed", str(seed)) as sim:
        for attempt in range(5):
            code, output, waited = watched(backfill(program, sim, lake, seed * 10 + attempt), sim)
            delay = max(delay, waited)
            statistics = sim.statistics()
            if statistics["requests_after_the_order"] != 0:
                raise SystemExit(f"seed {seed}: {statistics['requests_after_the_order']} requests after the order to wait had come")
            if statistics["requests_while_told_to_wait"] != 0 and delay < GRACE:
                raise SystemExit(f"seed {seed}: {statistics['requests_while_told_to_wait']} requests while told to wait")
            if code == 0:
                break
            if code not in (1, 3) or not output.strip():
                raise SystemExit(f"seed {seed}: exit {code}: {output}")
            time.sleep(3)  # an order to wait that the last run has read is not known to the next one
        else:
            raise SystemExit(f"seed {seed}: not complete after 5 runs: {output}")
    compare(reference, lake, f"faults, seed {seed}")
    shutil.rmtree(lake)
    return statistics if statistics["requests_while_told_to_wait"] == 0 else None


def judged_run(program, data, folder, reference, seed, rate):
    for judgement in range(JUDGEMENTS):
        statistics = faulty_run(program, data, folder, reference, seed, rate)
        if statistics is not None:
            return statistics, judgement
    raise SystemExit(f"seed {seed}: requests come while told to wait, in each of {JUDGEMENTS} runs; the machine is too busy to tell why")


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
        faults = again = 0
        for seed in seeds:
            statistics, undecided = judged_run(program, options.data, folder, reference, seed, options.rate)
            faults += sum(statistics["faults"].values())
            again += undecided
        print(f"{options.runs} runs under {options.rate:.0%} faults ({faults} faults): all ended, none asked while told to wait, "
              f"all lakes equal the undisturbed one; {again} more runs on a machine too busy to tell", flush=True)
        with Sim(program, options.data, "--latency", "20") as sim:
            started = time.monotonic()
            subprocess.run(backfill(program, sim, folder / "timing"), check=True, timeout=LONGEST_RUN)
            longest = time.monotonic() - started
            killed = sum(killed_run(program, sim, folder, reference, seed, longest) for seed in seeds)
        print(f"{options.runs} runs killed ({killed} before they had ended): verify clean after each, all lakes equal after "
              "running again")


if __name__ == "__main__":
    sys.exit(main())
