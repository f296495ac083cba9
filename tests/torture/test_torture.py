"""The torture of `make torture`, a few runs of it."""

import pathlib
import subprocess
import sys

from conftest import PROGRAM, ROOT


def test_backfills_under_faults_and_sigkill_end_with_the_undisturbed_lake():
    script = pathlib.Path(__file__).with_name("torture.py")
    done = subprocess.run([sys.executable, str(script), PROGRAM, str(ROOT / "data/demo"), "--runs", "5"], timeout=800)
    assert done.returncode == 0
