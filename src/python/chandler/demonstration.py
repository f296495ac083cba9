"""A small lake of real candles, made without the internet."""

from __future__ import annotations

import os
import pathlib
import tempfile

from . import _core
from .lake import Lake

_DATA = pathlib.Path(__file__).parent / "demo"


def demo(path: str | os.PathLike[str] | None = None) -> Lake:
    """Makes a lake of BTCUSDT and ETHUSDT: days since 2017, minutes of 28 days in May and June 2024, and all that is
    derived from them. Takes about a second.

    Args:
        path: folder of the lake; left out: a new one below the system's folder for temporary files, which stays there.
    """
    folder = os.fspath(path) if path is not None else tempfile.mkdtemp(prefix="chandler-demo-")
    with tempfile.TemporaryDirectory(prefix="chandler-demo-days-") as aside:
        for symbol in ("BTCUSDT", "ETHUSDT"):
            minutes = sorted(str(file) for file in (_DATA / symbol).glob("*.zip"))
            days = pathlib.Path(aside, f"{symbol}_1d.csv")
            # The last day was still open when the file was recorded, and an open day is never stored.
            days.write_text("".join((_DATA / days.name).read_text().splitlines(keepends=True)[:-1]))
            _core.import_history(folder, symbol, [str(days)], minutes)
    return Lake(folder)
