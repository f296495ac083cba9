"""A disk without room, and a limit of file sizes: a clear error, the old data intact, nothing left aside."""

import os
import random
import resource
import subprocess

import pytest

from exchange_double import DAY, MINUTE
from program import PROGRAM

MAY_1 = 1714521600000  # 2024-05-01T00:00Z


def run(lake, *arguments, file_limit=None):
    def limit():
        if file_limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_limit, file_limit))

    return subprocess.run([PROGRAM, *map(str, arguments), "--lake", str(lake), "--quiet"], capture_output=True, text=True,
                          timeout=120, preexec_fn=limit)


def backfill(lake, exchange, days, file_limit=None):
    exchange.now = MAY_1 + days * DAY
    return run(lake, "backfill", "BTCUSDT", "--since", "2024-05-01", "--rest-url", exchange.url, "--source", "rest",
               file_limit=file_limit)


def files(lake):
    return {str(p.relative_to(lake)): p.read_bytes() for p in sorted(lake.rglob("*"))
            if p.is_file() and not p.name.endswith(".lock")}


def checked(lake):
    done = run(lake, "verify")
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_limit_of_file_sizes_ends_a_backfill_with_the_old_data_intact(exchange, tmp_path):
    lake = tmp_path / "lake"
    exchange.add_days("BTCUSDT", MAY_1, 9)
    assert backfill(lake, exchange, 2).returncode == 0
    before = files(lake)
    done = backfill(lake, exchange, 8, file_limit=30_000)
    assert done.returncode == 3
    assert "File too large" in done.stderr and "what was stored before is intact" in done.stderr
    assert files(lake) == before
    checked(lake)
    assert backfill(lake, exchange, 8).returncode == 0
    undisturbed = tmp_path / "undisturbed"
    for days in (2, 8):
        assert backfill(undisturbed, exchange, days).returncode == 0
    assert files(lake) == files(undisturbed)


def test_a_limit_of_file_sizes_ends_an_import_with_nothing_imported(tmp_path):
    lake, csv = tmp_path / "lake", tmp_path / "history.csv"
    choose = random.Random(1)
    rows = [f"{(MAY_1 + m * MINUTE) // 1000},{100 + choose.random()},102,99,{100 + choose.random()},{choose.random()}"
            for m in range(45 * 1440)]
    csv.write_text("Timestamp,Open,High,Low,Close,Volume\n" + "\n".join(rows) + "\n")
    done = run(lake, "import", csv, "--symbol", "X", file_limit=100_000)
    assert done.returncode == 3 and "File too large" in done.stderr
    assert files(lake) == {}
    assert run(lake, "import", csv, "--symbol", "X").returncode == 0
    checked(lake)


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=300k", "none", str(folder)],
                                           capture_output=True).returncode != 0:
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_is_named_and_once_there_is_room_the_same_command_ends_the_work(exchange, small_disk, tmp_path):
    lake = small_disk / "lake"
    exchange.add_days("BTCUSDT", MAY_1, 9)
    assert backfill(lake, exchange, 1).returncode == 0
    before = files(lake)
    filler = small_disk / "filler"
    try:
        filler.write_bytes(b"x" * 300_000)
    except OSError:
        pass  # full, which is what is wanted
    done = backfill(lake, exchange, 8)
    assert done.returncode == 3
    assert "No space left on device" in done.stderr and "free some disk space" in done.stderr
    assert files(lake) == before
    filler.unlink()
    assert subprocess.run(["mount", "-o", "remount,size=30m", str(small_disk)]).returncode == 0
    assert backfill(lake, exchange, 8).returncode == 0
    checked(lake)
    undisturbed = tmp_path / "undisturbed"
    for days in (1, 8):
        assert backfill(undisturbed, exchange, days).returncode == 0
    assert files(lake) == files(undisturbed)
