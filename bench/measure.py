"""Runs a program and says what it took: wall time, processor time and the largest resident memory."""

import dataclasses
import os
import pathlib
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build/release/chandler"
WORK = pathlib.Path(os.environ.get("CHANDLER_BENCH_DIR", ROOT / "build/bench"))


@dataclasses.dataclass
class Cost:
    wall: float
    cpu: float
    rss_mib: float

    def __str__(self) -> str:
        return f"{self.wall:7.2f} s wall {self.cpu:7.2f} s cpu {self.rss_mib:7.0f} MiB"

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.wall + other.wall, self.cpu + other.cpu, max(self.rss_mib, other.rss_mib))


def run(*command: object) -> Cost:
    """A process begins with the memory of its parent on its account, so a small one stands between us and it."""
    process = subprocess.run([sys.executable, "-I", "-S", __file__, *map(str, command)], stdout=subprocess.PIPE)
    if process.returncode != 0:
        raise SystemExit(f"{command[0]} failed")
    return Cost(*map(float, process.stdout.split()))


def watch(command: list[str]) -> None:
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.stderr.write(output.decode(errors="replace"))
        raise SystemExit(1)
    print(time.monotonic() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def best(repeats: int, prepare, *command: object) -> Cost:
    """The fastest of some runs: what else the machine does only ever adds time."""
    costs = []
    for _ in range(repeats):
        prepare()
        costs.append(run(*command))
    return min(costs, key=lambda cost: cost.wall)


if __name__ == "__main__":
    watch(sys.argv[1:])
