"""chandler keeps candles: a complete, checked history of Binance klines, from the exchange to a picture and a forecast.

>>> import chandler
>>> lake = chandler.demo()
>>> lake.candles("BTCUSDT", "4h").to_polars()
"""

import os as _os
import sys as _sys

# Nothing of ours may be seen by other libraries of the process, whatever flags somebody has set for them.
_flags = _sys.getdlopenflags()
_sys.setdlopenflags(_os.RTLD_NOW | _os.RTLD_LOCAL)
try:
    from . import _core
finally:
    _sys.setdlopenflags(_flags)

from .chart import Chart, plot
from .demonstration import demo
from .errors import (ChandlerError, DamagedError, IncompleteError, InternalError, InterruptedError, InvalidDataError,
                     LockedError, NotFoundError, UnreachableError, UsageError)
from .kernels import Cleaned, Model, clean, daily_filled, fill, fit, gaps, moving_average, predict, roll_up
from .lake import Lake
from .table import Stream, Table

__all__ = ["ChandlerError", "Chart", "Cleaned", "DamagedError", "IncompleteError", "InternalError", "InterruptedError",
           "InvalidDataError", "Lake", "LockedError", "Model", "NotFoundError", "Stream", "Table", "UnreachableError",
           "UsageError", "clean", "daily_filled", "demo", "fill", "fit", "gaps", "moving_average",
           "plot", "predict", "roll_up"]
