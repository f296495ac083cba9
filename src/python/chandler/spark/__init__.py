"""The batch layer's derivation and the forecast as Spark jobs, on the kernels of this package.

    python -m chandler.spark build --lake s3://bucket/lake --master spark://host:7077
    python -m chandler.spark forecast --lake /shared/lake --remote sc://host

The minutes never enter the JVM nor a shuffle: an executor's Python worker reads a month of klines_1m with the lake's own
reader and hands on its days. The files that come out are those of `chandler build` and `chandler forecast`, byte for byte.
Every executor must reach the lake by the address that is named, and have this package and pyarrow.
"""

from .build import Derived, build
from .forecast import ForecastRun, forecast

__all__ = ["Derived", "ForecastRun", "build", "forecast"]
