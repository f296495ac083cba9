"""One lake for all tests of its tables: real candles fetched from the simulator, and an imported history with a hole of a year."""

import json
import pathlib
import subprocess

import pytest

from program import PROGRAM, ROOT, Chandler

NOW = "2024-06-25T13:07:30Z"


@pytest.fixture(scope="session")
def simulator():
    process = subprocess.Popen(
        [PROGRAM, "sim", "--data", str(ROOT / "data/demo"), "--port", "0", "--now", NOW, "--speed", "0", "--json"],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield json.loads(process.stdout.readline())["url"]
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="session")
def lake(simulator, tmp_path_factory):
    folder = tmp_path_factory.mktemp("readers")
    chandler = Chandler(folder / "lake", folder)
    url = ["--rest-url", simulator, "--source", "rest"]
    chandler("backfill", "BTCUSDT", "ETHUSDT", "--since", "2024-05-29", *url, check=0)
    chandler("backfill", "BTCUSDT", "--interval", "1d", "--since", "2024-05-01", *url, check=0)
    recorded = sorted(pathlib.Path(ROOT / "tests/data/binance").glob("BTCUSDT-1m-*.csv"))
    chandler("import", *recorded, "--symbol", "OLDBTC", check=0)
    plain = folder / "plain.csv"  # a dialect without quote volume and trades
    plain.write_text("Timestamp,Open,High,Low,Close,Volume\n" + "".join(
        f"{1714521600 + 60 * i},{100 + i % 7},{110 + i % 7},{90 + i % 7},{101 + i % 7},{1 + i % 5}\n" for i in range(3000)))
    chandler("import", plain, "--symbol", "PLAIN", check=0)
    chandler("build", check=0)
    return chandler
