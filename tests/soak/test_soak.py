"""Two minutes of `make soak-live`."""

import os

from program import PROGRAM
from soak import soak


def test_a_market_is_followed_with_flat_memory_and_nothing_lost(tmp_path):
    done = soak(PROGRAM, int(os.environ.get("SOAK_SECONDS", "120")), keep=tmp_path / "soak")
    assert len(done.samples) > 10
