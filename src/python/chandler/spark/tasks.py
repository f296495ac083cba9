"""Work that Spark spreads evenly over its tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Sequence

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# So many tasks a core that a slow one leaves the rest to its neighbours, and so few that starting them does not count.
_TASKS_PER_CORE = 4
# Where the session is a remote one, which does not tell its cores.
_TASKS_OF_A_REMOTE_SESSION = 200


def spread(spark: SparkSession, rows: Sequence[tuple], schema: str, weights: Sequence[int]) -> DataFrame:
    """The rows as a DataFrame, in partitions of about the same total weight; neighbours stay together."""
    count = min(len(rows), _task_count(spark))
    total, before, cut = max(1, sum(weights)), 0, []
    for row, weight in zip(rows, weights):
        cut.append((*row, min(count - 1, before * count // total)))
        before += weight
    frame = spark.createDataFrame(cut, schema + ", task int")
    # By range: a hash of the tasks' numbers would put some together and leave others without work.
    return frame.repartitionByRange(count, "task").drop("task")


def _task_count(spark: SparkSession) -> int:
    try:
        return _TASKS_PER_CORE * spark.sparkContext.defaultParallelism
    except Exception:  # noqa: BLE001 - Spark Connect has no context; its error is of no class that both kinds know
        return _TASKS_OF_A_REMOTE_SESSION
