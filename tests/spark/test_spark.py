"""`python -m chandler.spark` on two local workers leaves the bytes that the program leaves on one machine, whatever dies meanwhile.

Runs with the Python of CHANDLER_PACKAGE_PYTHON (or .deps/python), which has the package, PySpark and pyarrow and nothing else of the project.
"""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import threading
import time

import pytest

from program import PROGRAM, ROOT, Chandler

NOW = "2024-06-25T13:07:30Z"
PYTHON = os.environ.get("CHANDLER_PACKAGE_PYTHON", str(ROOT / ".deps/python/bin/python"))


@pytest.fixture(scope="module")
def simulator():
    process = subprocess.Popen(
        [PROGRAM, "sim", "--data", str(ROOT / "data/demo"), "--port", "0", "--now", NOW, "--speed", "0", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    yield json.loads(process.stdout.readline())["url"]
    process.kill()
    process.wait()


@pytest.fixture(scope="module")
def original(simulator, tmp_path_factory):
    """Minutes and days of two symbols, a symbol of which only days are known, and an imported one with a hole."""
    folder = tmp_path_factory.mktemp("spark")
    chandler = Chandler(folder / "lake", folder)
    chandler("backfill", "BTCUSDT", "ETHUSDT", "--since", "2024-05-30", "--rest-url", simulator, "--source", "rest", check=0)
    for symbol in ("BTCUSDT", "ETHUSDT"):
        chandler("backfill", symbol, "--interval", "1d", "--since", "2022-09-01", "--rest-url", simulator, check=0)
    shutil.copytree(chandler.lake / "klines_1d/symbol=ETHUSDT", chandler.lake / "klines_1d/symbol=DAYSUSDT")
    holes = folder / "holes.csv"
    holes.write_text("Timestamp,Open,High,Low,Close,Volume\n" + "".join(
        f"{1714521600 + 60 * i},{100 + i % 7},{110 + i % 7},{90 + i % 7},{101 + i % 7},{1 + i % 5}\n"
        for i in range(40_000) if not 5_000 < i < 12_000))
    chandler("import", holes, "--symbol", "HOLEUSDT", check=0)
    chandler("build", check=0)
    return chandler


@pytest.fixture
def lake(original, tmp_path):
    """A copy without the derived tables."""
    copy = Chandler(tmp_path / "lake", tmp_path)
    shutil.copytree(original.lake, copy.lake)
    for table in ("daily_filled", "prophet_input"):
        shutil.rmtree(copy.lake / table)
    return copy


def derived(lake):
    return {path: data for path, data in lake.files().items() if path.startswith(("daily_filled", "prophet_input"))}


def start(job, lake, *arguments, master="local[2]"):
    """The job's process. Nothing of the project is on its path."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    environment["SPARK_LOCAL_IP"] = "127.0.0.1"
    return subprocess.Popen([PYTHON, "-m", "chandler.spark", job, "--lake", str(lake.lake), "--master", master, "--json", *arguments],
                            cwd=lake.cwd, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def run(job, lake, *arguments, check=0, **options):
    process = start(job, lake, *arguments, **options)
    out, err = process.communicate(timeout=300)
    assert process.returncode == check, f"exit {process.returncode}\n{out}\n{err[-6000:]}"
    return json.loads(out) if check == 0 else err


def test_build_leaves_the_bytes_of_the_program_and_a_second_run_writes_nothing(lake, original):
    report = run("build", lake)
    assert derived(lake) == derived(original)
    assert [row["symbol"] for row in report["symbols"]] == ["BTCUSDT", "DAYSUSDT", "ETHUSDT", "HOLEUSDT"]
    told = {row["symbol"]: row for row in report["symbols"]}
    for symbol, row in told.items():
        days = original.rows("daily_filled", symbol)
        assert row["days"] == len(days) and row["filled"] == sum(day["filled"] for day in days)
    assert told["HOLEUSDT"]["minutes"] == 40_000 - 6_999 and told["DAYSUSDT"]["minutes"] == 0
    assert all(row["files_written"] == 0 for row in run("build", lake)["symbols"])
    lake("verify", check=0)


def test_only_the_named_symbols_are_derived(lake, original):
    run("build", lake, "--symbols", "ethusdt")
    wanted = {path: data for path, data in derived(original).items() if "symbol=ETHUSDT" in path}
    assert derived(lake) == wanted


def children(pid):
    """Every process below this one: pid → command line."""
    parents = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text()
                parents[int(entry.name)] = (int(stat.rpartition(")")[2].split()[1]), (entry / "cmdline").read_bytes())
            except OSError:
                continue
    below, found = {pid}, {}
    while True:
        more = {child: command for child, (parent, command) in parents.items() if parent in below and child not in below}
        if not more:
            return found
        found |= more
        below |= set(more)


def kill_workers(process, count, killed):
    """SIGKILL for the first workers that Spark forks from its daemon (which is pyspark.daemon as well, but is no child of one)."""
    while process.poll() is None and len(killed) < count:
        below = children(process.pid)
        daemons = [pid for pid, command in below.items() if b"pyspark.daemon" in command]
        for daemon in daemons:
            for worker in children(daemon):
                if worker not in killed and len(killed) < count:
                    try:
                        os.kill(worker, signal.SIGKILL)
                        killed.add(worker)
                    except ProcessLookupError:
                        pass
        time.sleep(0.002)


def test_killed_workers_leave_the_same_lake(lake, original):
    process = start("build", lake, master="local[2,8]")  # a task may fail seven times
    killed = set()
    killer = threading.Thread(target=kill_workers, args=(process, 3, killed))
    killer.start()
    out, err = process.communicate(timeout=300)
    killer.join()
    assert process.returncode == 0, err[-6000:]
    assert len(killed) == 3
    assert derived(lake) == derived(original)
    lake("verify", check=0)


def test_a_killed_driver_leaves_whole_files_and_the_next_run_finishes(lake, original):
    process = start("build", lake)
    while process.poll() is None and not derived(lake):
        time.sleep(0.01)
    process.kill()
    process.wait()
    for path, data in derived(lake).items():
        assert data == derived(original)[path]
    time.sleep(2)  # the JVM sees that its driver has gone
    run("build", lake)
    assert derived(lake) == derived(original)


def test_forecast_leaves_the_files_of_the_program(lake, original):
    run("build", lake)
    report = run("forecast", lake, "--symbols", "BTCUSDT,DAYSUSDT", "--no-plots")
    assert report["symbols"] == ["BTCUSDT", "DAYSUSDT"] and report["errors"] == {}
    latest = json.loads((lake.lake / "forecasts/latest.json").read_text())["run"]
    assert latest == report["run"]
    theirs = json.loads(original("forecast", "BTCUSDT", "DAYSUSDT", "--no-plots", "--json", check=0).out)["folder"]
    ours = lake.lake / "forecasts" / f"run={latest}"
    names = sorted(path.name for path in ours.iterdir())
    assert names == sorted(path.name for path in (original.lake / theirs).iterdir())
    for name in names:
        assert (ours / name).read_bytes() == (original.lake / theirs / name).read_bytes(), name


def test_mistakes_are_told_in_a_sentence_and_change_nothing(lake):
    before = lake.files()
    err = run("build", lake, "--symbols", "BTCUSD", check=2)
    assert "the lake has no symbol BTCUSD; did you mean BTCUSDT?" in err and "Traceback" not in err
    (lake.lake / "klines_1m/symbol=BTCUSDT/year=2024/month=6/part.parquet").write_bytes(b"PAR1 no")
    process = start("build", lake, "--symbols", "BTCUSDT")
    out, err = process.communicate(timeout=300)
    error = json.loads(out)["error"]
    assert process.returncode == 1 and error["code"] == "damaged" and error["where"].endswith("month=6/part.parquet"), err[-6000:]
    after = lake.files()
    assert {p for p in after if p.startswith("daily_filled")} == {p for p in before if p.startswith("daily_filled")}
