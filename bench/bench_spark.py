"""The derivation on Spark: our kernels in its workers beside the same job in Spark's own expressions, and beside one process.

    bench_spark.py          prints; CHANDLER_BENCH_ROWS sets the minutes of each of two symbols

Runs with the Python of the package (scripts/setup python). Both Spark jobs run in a session of the same settings that has run
a small job before; what is counted is the processor time of the whole tree of processes, from then on: driver, JVM and workers.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import generate
from measure import PROGRAM, WORK, run

ROWS = int(os.environ.get("CHANDLER_BENCH_ROWS", 5_700_000))
SYMBOLS = ["BTCUSDT", "ETHUSDT"]
TICK = os.sysconf("SC_CLK_TCK")


def tree_seconds() -> float:
    """Processor time so far of this process and all below it, and of those of them that have ended and been waited for."""
    stats = {}
    for entry in pathlib.Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            stats[int(entry.name)] = (int(fields[1]), sum(map(int, fields[11:15])))
    below, ticks = {os.getpid()}, stats[os.getpid()][1]
    while more := {pid for pid, (parent, _) in stats.items() if parent in below and pid not in below}:
        below |= more
        ticks += sum(stats[pid][1] for pid in more)
    return ticks / TICK


def session(cores: int):
    from pyspark.sql import SparkSession

    os.environ["PYSPARK_PYTHON"] = sys.executable
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    spark = (SparkSession.builder.master(f"local[{cores}]").config("spark.ui.enabled", "false")
             .config("spark.sql.session.timeZone", "UTC").config("spark.sql.shuffle.partitions", 2 * cores)
             .config("spark.ui.showConsoleProgress", "false").config("spark.driver.memory", "4g").getOrCreate())
    spark.sparkContext.setLogLevel("ERROR")
    spark.range(1000, numPartitions=cores).mapInArrow(lambda batches: batches, "id long").count()
    return spark


def spark_expressions(spark, lake: pathlib.Path, out: pathlib.Path) -> None:
    """What a Spark user writes: minutes to days, a calendar, the last close carried on, moving averages, two tables."""
    from pyspark.sql import Window, functions as f

    minutes = spark.read.parquet(str(lake / "klines_1m"))
    days = minutes.groupBy("symbol", f.to_date("open_time").alias("date")).agg(
        f.min_by("open", "open_time").alias("daily_open"), f.max("high").alias("daily_high"), f.min("low").alias("daily_low"),
        f.max_by("close", "open_time").alias("daily_close"), f.sum("volume").alias("daily_volume"),
        f.count("*").cast("int").alias("cnt")).cache()
    calendar = days.groupBy("symbol").agg(f.explode(f.sequence(f.min("date"), f.max("date"))).alias("date"))
    by_date = Window.partitionBy("symbol").orderBy("date")
    filled = (calendar.join(days, ["symbol", "date"], "left")
              .withColumn("filled", f.col("cnt").isNull())
              .withColumn("daily_close", f.last("daily_close", ignorenulls=True).over(by_date))
              .withColumns({name: f.coalesce(name, "daily_close") for name in ("daily_open", "daily_high", "daily_low")})
              .fillna({"daily_volume": 0.0, "cnt": 0})
              .withColumn("ma7", f.avg("daily_close").over(by_date.rowsBetween(-6, 0)))
              .withColumn("ma30", f.avg("daily_close").over(by_date.rowsBetween(-29, 0)))
              .withColumn("year", f.year("date")).withColumn("month", f.month("date")).cache())
    filled.repartition("symbol").write.partitionBy("symbol", "year", "month").parquet(str(out / "daily_filled"), mode="overwrite")
    (filled.select("symbol", f.col("date").alias("ds"), f.col("daily_close").alias("y")).repartition("symbol")
     .write.partitionBy("symbol").parquet(str(out / "prophet_input"), mode="overwrite"))


def measure_job(job: str, cores: int, lake: pathlib.Path, out: pathlib.Path) -> None:
    spark = session(cores)
    began, cpu = time.monotonic(), tree_seconds()
    if job == "ours":
        from chandler.spark import build

        build(spark, str(lake))
    else:
        spark_expressions(spark, lake, out)
    print(json.dumps({"wall": time.monotonic() - began, "cpu": tree_seconds() - cpu}))


def in_a_process(job: str, cores: int, lake: pathlib.Path, out: pathlib.Path) -> dict:
    done = subprocess.run([sys.executable, __file__, job, str(cores), str(lake), str(out)], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=True, text=True)
    return json.loads(done.stdout)


def show(name: str, wall: float, cpu: float, note: str = "") -> None:
    rows = ROWS * len(SYMBOLS)
    print(f"  {name:34} {wall:7.2f} s wall {cpu:7.2f} s cpu {rows / cpu / 1e6:7.2f} million rows/s a core  {note}", flush=True)


def compare(lake: pathlib.Path, out: pathlib.Path) -> None:
    """Every day that both made, value by value."""
    import pyarrow.dataset as ds

    names = ["symbol", "date", "daily_open", "daily_high", "daily_low", "daily_close", "daily_volume", "cnt", "filled", "ma7", "ma30"]
    ours, theirs = (ds.dataset(root / "daily_filled", partitioning="hive").to_table(columns=names).sort_by(
        [("symbol", "ascending"), ("date", "ascending")]).to_pylist() for root in (lake, out))
    wrong = sum(any(abs(a[n] - b[n]) > 1e-9 * abs(b[n]) if isinstance(a[n], float) else a[n] != b[n] for n in names)
                for a, b in zip(ours, theirs))
    print(f"  {len(ours)} days compared with those of Spark's expressions: {wrong} differ")
    if wrong or len(ours) != len(theirs):
        raise SystemExit("the outputs differ: a fast wrong answer counts for nothing")


def main() -> None:
    data, lake, out = WORK / f"history-{ROWS}", WORK / "lakes" / f"spark-{ROWS}", WORK / "lakes" / "spark-expressions"
    if not lake.exists():
        for seed, symbol in enumerate(SYMBOLS):
            generate.write_history(data / f"{symbol}.csv", ROWS, seed)
            run(PROGRAM, "--lake", lake, "import", data / f"{symbol}.csv", "--symbol", symbol)
    print(f"\nbuild on Spark: {ROWS * len(SYMBOLS) / 1e6:.1f} million minutes")
    alone = run(PROGRAM, "--lake", lake, "build", "--reread")
    show("chandler build --reread, one process", alone.wall, alone.cpu)
    costs = {}
    for cores in (1, 2):
        for job, name in (("theirs", "Spark's own expressions"), ("ours", "Spark with our kernels")):
            for table in ("daily_filled", "prophet_input"):
                shutil.rmtree(lake / table, ignore_errors=True)
            cost = costs[job] = in_a_process(job, cores, lake, out)
            show(f"{name}, {cores} core{'s' * (cores > 1)}", cost["wall"], cost["cpu"],
                 f"{costs['theirs']['cpu'] / cost['cpu']:.1f}x less processor time" if job == "ours" else "")
    compare(lake, out)


if __name__ == "__main__":
    if len(sys.argv) == 5:
        measure_job(sys.argv[1], int(sys.argv[2]), pathlib.Path(sys.argv[3]), pathlib.Path(sys.argv[4]))
    else:
        main()
