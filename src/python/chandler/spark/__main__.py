"""python -m chandler.spark build|forecast --lake … : the command line of the Spark jobs."""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import re
import sys

from .. import errors
from ..errors import ChandlerError, IncompleteError, InterruptedError, UsageError

_DONE = 0


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chandler.spark", description=__doc__)
    jobs = parser.add_subparsers(dest="job", required=True)
    build = jobs.add_parser("build", help="derive daily_filled and prophet_input again from every minute")
    forecast = jobs.add_parser("forecast", help="fit, choose, measure and save forecasts of the daily closes")
    for job in (build, forecast):
        job.add_argument("--lake", required=True, metavar="DIR|s3://…", help="as every executor reaches it; s3a:// is taken for s3://")
        job.add_argument("--symbols", default="", metavar="A,B,…", help="all of the lake's if none is named")
        where = job.add_mutually_exclusive_group()
        where.add_argument("--master", help="a classic cluster, such as local[2] or spark://host:7077; spark-submit's own if left out")
        where.add_argument("--remote", help="a Spark Connect server, such as sc://host")
        job.add_argument("--json", action="store_true", help="print one JSON document on stdout and nothing else")
    forecast.add_argument("--horizon", type=int, default=30, metavar="DAYS", help="how far ahead (30)")
    forecast.add_argument("--seed", type=int, default=1, help="of the simulated paths (1)")
    forecast.add_argument("--no-plots", action="store_true", help="no SVG and PNG")
    return parser.parse_args(argv)


def _session(arguments: argparse.Namespace):
    from pyspark.sql import SparkSession

    # Workers on this machine are to be the Python that has this package.
    if (arguments.master or "").startswith("local"):
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    builder = SparkSession.builder.appName(f"chandler {arguments.job}")
    if arguments.remote:
        builder = builder.remote(arguments.remote)
    elif arguments.master:
        builder = builder.master(arguments.master)
    return builder.getOrCreate()


def _build(spark, arguments: argparse.Namespace, symbols: list[str]) -> int:
    from .build import build

    derived = build(spark, arguments.lake, symbols)
    if arguments.json:
        print(json.dumps({"symbols": [dataclasses.asdict(row) for row in derived]}))
        return _DONE
    width = max([len("symbol"), *(len(row.symbol) for row in derived)])
    print(f"{'symbol':{width}} {'days':>8} {'filled':>8} {'minutes':>13} {'files written':>14}")
    for row in derived:
        print(f"{row.symbol:{width}} {row.days:8,} {row.filled:8,} {row.minutes:13,} {row.files_written:14,}")
    return _DONE


def _forecast(spark, arguments: argparse.Namespace, symbols: list[str]) -> int:
    from .forecast import forecast

    run = forecast(spark, arguments.lake, symbols, arguments.horizon, arguments.seed, not arguments.no_plots)
    for error in run.errors.values():
        print(f"error: {error}", file=sys.stderr)
    if arguments.json:
        print(json.dumps(dataclasses.asdict(run)))
    elif run.run:
        print(f"Wrote forecasts/run={run.run} with {len(run.symbols)} symbols")
    return IncompleteError.exit_code if run.errors else _DONE


def main(argv: list[str]) -> int:
    arguments = _arguments(argv)
    symbols = [name for name in arguments.symbols.upper().split(",") if name]
    try:
        import pyspark  # noqa: F401 - only to say plainly that it is not there
    except ImportError:
        return _failed(UsageError("PySpark is not installed", "", "pip install pyspark pyarrow"), arguments.json)
    try:
        spark = _session(arguments)
        try:
            return {"build": _build, "forecast": _forecast}[arguments.job](spark, arguments, symbols)
        finally:
            spark.stop()
    except ChandlerError as error:
        return _failed(error, arguments.json)
    except KeyboardInterrupt:
        return _failed(InterruptedError("interrupted; what was finished is kept", "", "run the same command again"), arguments.json)
    except Exception as error:  # noqa: BLE001 - Spark's errors share no base class; a user is shown what failed, not a stack
        return _failed(_cause(error), arguments.json)


def _failed(error: ChandlerError, as_json: bool) -> int:
    """Tells of it as the program does, and gives the shell's code."""
    print(f"error: {error}", file=sys.stderr)
    if as_json:
        fields = {name: getattr(error, name) for name in ("code", "what", "where", "remedy")}
        print(json.dumps({"error": {name: value for name, value in fields.items() if value}}))
    return error.exit_code


def _cause(error: Exception) -> ChandlerError:
    """What a Python worker raised: the end of its traceback, in the middle of Spark's text; or Spark's own first line."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    for number, line in enumerate(lines):
        if raised := re.match(r"chandler\.errors\.(\w+): (.+)", line):
            rest = lines[number + 1:number + 3]
            where = next((part.removeprefix("at:").strip() for part in rest if part.startswith("at:")), "")
            remedy = next((part.removeprefix("try:").strip() for part in rest if part.startswith("try:")), "")
            return getattr(errors, raised[1], IncompleteError)(raised[2], where, remedy)
    raised = [line for line in lines if re.match(r"(?!org\.|java\.)[\w.]+(Error|Exception): ", line)]
    return IncompleteError(f"Spark could not finish: {(raised or lines or [type(error).__name__])[0]}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
