"""A stop is asked for with SIGINT or SIGTERM, by people once, by `timeout` and its kin twice at the same instant."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "sim"))
from program import PROGRAM, ROOT  # noqa: E402
from sim_process import Sim  # noqa: E402


@pytest.mark.parametrize("wish", [signal.SIGINT, signal.SIGTERM])
def test_two_signals_at_once_are_one_wish_and_what_came_is_stored(chandler, wish):
    with Sim("--now", "2024-06-25T13:30:10Z", "--speed", "60", data=ROOT / "data/demo") as sim:
        for _ in range(3):
            live = subprocess.Popen([PROGRAM, "live", "BTCUSDT", "--json", "--trigger", "1h", "--rest-url", sim.url, "--stream-url",
                                     sim.stream_url, "--lake", chandler.lake], stdout=subprocess.PIPE, text=True)
            time.sleep(2.5)
            live.send_signal(wish)
            time.sleep(0.01)  # the first has been taken by now: pending signals of one kind would be one anyway
            live.send_signal(wish)
            out, _ = live.communicate(timeout=30)
            assert live.returncode == 0
            assert json.loads(out)["messages"] > 0
    assert list(chandler.lake.rglob("speed_1m/**/*.parquet"))
