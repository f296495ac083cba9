"""Pictures of what is in a table, for notebooks and files."""

from __future__ import annotations

import os
import pathlib
from typing import Any, Sequence

from . import _core


class Chart:
    """An SVG picture. A notebook shows it as it is."""

    def __init__(self, svg: str) -> None:
        self.svg = svg

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the SVG file."""
        pathlib.Path(path).write_text(self.svg, encoding="utf-8")


def plot(data: Any, columns: str | Sequence[str] = "close", title: str = "", log: bool = False,
         width: int = 900, height: int = 360) -> Chart:
    """Columns as lines over time (open_time, date, ds or start). Nulls are gaps; `log` scales the values.

    Args:
        data: anything that speaks the Arrow PyCapsule interface.
        width, height: in points.
    """
    names = [columns] if isinstance(columns, str) else list(columns)
    return Chart(_core.plot_lines(data, names, title, log, width, height))
