"""Build of 5, 50 and 500 symbols with a year of minutes each: rows per second and memory should not depend on how many.

The symbols are hard links to the files of five, which chandler cannot tell from 500 different ones.
"""

import json
import os
import pathlib
import shutil
import subprocess

import generate
from measure import PROGRAM, WORK, run

YEAR = 366 * 1440
COUNTS = [5, 50, 500]


def make_lake(lake: pathlib.Path, originals: list[pathlib.Path], count: int) -> None:
    shutil.rmtree(lake, ignore_errors=True)
    for number in range(count):
        target = lake / "klines_1m" / f"symbol=S{number:03}USDT"
        shutil.copytree(originals[number % len(originals)], target, copy_function=os.link)


if __name__ == "__main__":
    data, source = WORK / "year", WORK / "lakes" / "year"
    shutil.rmtree(source, ignore_errors=True)
    for seed in range(5):
        file = data / f"Y{seed}USDT.csv"
        generate.write_history(file, YEAR, seed)
        run(PROGRAM, "--lake", source, "import", file, "--symbol", file.stem)
    originals = sorted((source / "klines_1m").iterdir())
    print("\nbuild of many symbols, a year of minutes each")
    for count in COUNTS:
        lake = WORK / "lakes" / "many"
        make_lake(lake, originals, count)
        os.sync()
        reread = run(PROGRAM, "--lake", lake, "--quiet", "build", "--reread")
        for table in ("daily_filled", "prophet_input"):
            shutil.rmtree(lake / table)
        os.sync()
        cost = run(PROGRAM, "--lake", lake, "--quiet", "build")
        status = json.loads(subprocess.check_output([PROGRAM, "--lake", lake, "--json", "status"]))
        symbols = status["symbols"] if isinstance(status, dict) else status
        rows = sum(symbol["minutes"] for symbol in symbols)
        for how, spent in (("from minutes", reread), ("from footers", cost)):
            print(f"  {count:3} symbols {rows / 1e6:6.1f} million rows, {how} {spent}  {rows / spent.wall / 1e6:6.1f} million rows/s")
        shutil.rmtree(lake)
