"""The program under test, run on a lake of its own."""

import json
import os
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAM = os.environ.get("CHANDLER_PROGRAM", str(ROOT / "build/release/chandler"))


class Outcome:
    """One run of the program."""

    def __init__(self, done):
        self.code, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def json(self):
        return json.loads(self.out)


class Chandler:
    """Runs commands on one lake."""

    def __init__(self, lake, cwd):
        self.lake, self.cwd = pathlib.Path(lake), cwd

    def __call__(self, *arguments, check=None, timeout=120, env=None):
        done = subprocess.run([PROGRAM, *map(str, arguments), "--lake", str(self.lake)], cwd=self.cwd, capture_output=True,
                              text=True, timeout=timeout, stdin=subprocess.DEVNULL, env={**os.environ, **(env or {})})
        outcome = Outcome(done)
        if check is not None:
            assert outcome.code == check, f"exit {outcome.code}, wanted {check}\n{outcome.out}\n{outcome.err}"
        return outcome

    def table(self, name):
        """All rows of a table as an Arrow table, partition columns included; None if there are none."""
        import pyarrow.dataset

        folder = self.lake / name
        if not folder.is_dir():
            return None
        return pyarrow.dataset.dataset(folder, partitioning="hive", format="parquet").to_table()

    def rows(self, name, symbol="BTCUSDT"):
        """Rows of one symbol in order of time, as dictionaries."""
        table = self.table(name)
        if table is None:
            return []
        key = {"klines_1m": "open_time", "klines_1d": "open_time", "daily_filled": "date", "prophet_input": "ds"}[name]
        return sorted((r for r in table.to_pylist() if r["symbol"] == symbol), key=lambda r: r[key])

    def files(self):
        """Path → bytes of every file of the tables."""
        return {str(p.relative_to(self.lake)): p.read_bytes() for p in sorted(self.lake.rglob("*.parquet"))}
