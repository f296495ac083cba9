"""The same input gives the same bytes, whatever the machine is set to; and a run under faults replays from its seeds."""

import os
import random
import subprocess
import sys

import pytest

from exchange_double import DAY, MINUTE
from program import PROGRAM, ROOT

sys.path.insert(0, str(ROOT / "tests/sim"))
from sim_process import Sim  # noqa: E402

MAY_30 = 1717027200000  # 2024-05-30T00:00Z: the month ends within
SYMBOLS = ["BTCUSDT", "ETHUSDT", "SOLUSDT"]


def history(path):
    choose = random.Random(3)
    lines = ["Timestamp,Open,High,Low,Close,Volume"]
    for t in range(MAY_30 - 2 * DAY, MAY_30, MINUTE):
        low = choose.randrange(10_000, 20_000) / 100
        if choose.random() < 0.9:
            lines.append(f"{t // 1000},{low + 1},{low + 2},{low},{low + 0.5},{choose.randrange(1000) / 8}")
    path.write_text("\n".join(lines) + "\n")


def build_lake(lake, csv, exchange, symbols, flags=(), env=None, umask=0o022):
    def run(*arguments):
        done = subprocess.run([PROGRAM, *map(str, arguments), "--lake", str(lake), "--quiet", *flags], capture_output=True,
                              text=True, timeout=120, env={**os.environ, **(env or {})}, umask=umask)
        assert done.returncode == 0, done.stderr

    run("import", csv, "--symbol", "SOLUSDT")
    run("backfill", *symbols, "--since", "2024-05-30", "--rest-url", exchange.url, "--source", "rest", "--seed", 1)
    for symbol in symbols:
        run("backfill", symbol, "--interval", "1d", "--since", "2024-05-30", "--rest-url", exchange.url, "--source", "rest")
    run("build")
    return {str(p.relative_to(lake)): p.read_bytes() for p in sorted(lake.rglob("*.parquet"))}


@pytest.fixture
def market(exchange, tmp_path):
    for i, symbol in enumerate(SYMBOLS):
        exchange.add_days(symbol, MAY_30, 4)
        exchange.klines[(symbol, "1d")] = {}
    exchange.now = MAY_30 + 4 * DAY + 7 * MINUTE
    for symbol in SYMBOLS:
        for day in range(4):
            t = MAY_30 + day * DAY
            exchange.klines[(symbol, "1d")][t] = [t, "100.0", "101.0", "99.0", "100.5", "10.0", t + DAY - 1, "1000.0", 30, "5.0",
                                                  "500.0", "0"]
        # The open day, so that the exchange has something after the last closed one.
        t = MAY_30 + 4 * DAY
        exchange.klines[(symbol, "1d")][t] = [t, "100.0", "101.0", "99.0", "100.5", "1.0", t + DAY - 1, "100.0", 3, "0.5", "50.0", "0"]
        exchange.klines[(symbol, "1m")][exchange.now] = [exchange.now, "100.0", "101.0", "99.0", "100.5", "1.0",
                                                         exchange.now + MINUTE - 1, "100.0", 3, "0.5", "50.0", "0"]
    csv = tmp_path / "history.csv"
    history(csv)
    return csv


def test_threads_locale_time_zone_umask_and_the_order_of_symbols_change_no_byte(exchange, market, tmp_path):
    reference = build_lake(tmp_path / "reference", market, exchange, SYMBOLS)
    assert len(reference) > 15
    variants = {
        "one thread": {"flags": ["--threads", "1"]},
        "two threads": {"flags": ["--threads", "2"]},
        "five threads by the environment": {"env": {"CHANDLER_THREADS": "5"}},
        "a comma in numbers": {"env": {"LC_ALL": "de_DE.UTF-8", "LANG": "de_DE.UTF-8", "LC_NUMERIC": "de_DE.UTF-8"}},
        "Turkish, far east": {"env": {"LC_ALL": "tr_TR.UTF-8", "TZ": "Pacific/Kiritimati"}},
        "plain C, far west, daylight saving": {"env": {"LC_ALL": "C", "TZ": "America/St_Johns"}},
        "nothing for others": {"umask": 0o077},
        "everything for all": {"umask": 0o000},
        "another order": {"symbols": SYMBOLS[::-1]},
    }
    for name, change in variants.items():
        found = build_lake(tmp_path / name.replace(" ", "-"), market, exchange, change.pop("symbols", SYMBOLS), **change)
        assert found.keys() == reference.keys(), name
        assert [p for p in found if found[p] != reference[p]] == [], name


def test_the_number_of_threads_is_checked(chandler):
    assert "--threads" in chandler("status", "--threads", "many", check=2).err


def test_a_run_under_faults_replays_from_its_seeds(tmp_path):
    def run(number, seed):
        lake = tmp_path / f"lake-{number}"
        with Sim("--port", "0", "--now", "2024-06-25T13:07:30Z", "--speed", "1", "--faults", "0.25", "--seed", seed,
                 data=ROOT / "data/demo") as sim:
            done = subprocess.run([PROGRAM, "backfill", "BTCUSDT", "--since", "2024-06-20", "--until", "2024-06-24", "--source",
                                   "rest", "--rest-url", sim.url, "--lake", str(lake), "--request-timeout", "1", "--in-flight", "1",
                                   "--seed", "4", "--json"], capture_output=True, text=True, timeout=300)
            statistics = sim.get("/sim/stats")
        files = {str(p.relative_to(lake)): p.read_bytes() for p in lake.rglob("*.parquet")}
        return done.returncode, statistics["faults"], files

    first, again, other = run(1, 11), run(2, 11), run(3, 12)
    assert first == again
    assert sum(first[1].values()) > 0 and first[1] != other[1]
