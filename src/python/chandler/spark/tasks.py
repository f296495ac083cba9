"""Work that Spark spreads evenly over its tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Sequence, TypeVar

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

# So many tasks a core that a slow one leaves the rest to its neighbours, and so few that starting them does not count.
_TASKS_PER_CORE = 4
# Where the session is a remote one, which does not tell its cores.
_TASKS_OF_A_REMOTE_SESSION = 200

Piece = TypeVar("Piece")


def spread(spark: SparkSession, pieces: Sequence[Piece], weights: Sequence[int]) -> tuple[DataFrame, list[list[Piece]]]:
    """Cuts the pieces, in their order, into shares of about the same total weight.

    Returns the shares, and a frame with one partition and one row (`id`) for each of them. What maps over the frame takes
    the shares along in its closure, which Spark broadcasts: nothing has to be shuffled to get at its work.
    """
    count = min(len(pieces), _task_count(spark))
    shares: list[list[Piece]] = [[] for _ in range(count)]
    total, before = max(1, sum(weights)), 0
    for piece, weight in zip(pieces, weights):
        shares[min(count - 1, before * count // total)].append(piece)
        before += weight
    return spark.range(0, count, 1, count), shares


def _task_count(spark: SparkSession) -> int:
    try:
        return _TASKS_PER_CORE * spark.sparkContext.defaultParallelism
    except Exception:  # noqa: BLE001 - Spark Connect has no context; its error is of no class that both kinds know
        return _TASKS_OF_A_REMOTE_SESSION
