"""What docs/ says is what the program does: the tutorial runs line by line, and each table has every entry."""

import re

import pyarrow.parquet
import pytest

from console import run_page
from program import ROOT, Chandler

DOCS = ROOT / "docs"


def table_rows(text):
    """Rows of every Markdown table, as lists of cells without backticks."""
    rows = []
    for line in text.splitlines():
        if line.startswith("| ") and not line.startswith("| ---"):
            rows.append([cell.strip().strip("`") for cell in line.strip().strip("|").split(" | ")])
    return rows


def section(text, title):
    return re.split(r"^## ", text.split(f"## {title}\n", 1)[1], maxsplit=1, flags=re.M)[0]


def test_every_error_code_has_its_exit_code_and_a_remedy():
    body = re.search(r"enum class ErrorCode \{(.*?)\};", (ROOT / "src/base/error.hpp").read_text(), re.S)[1]
    codes = re.findall(r"\w+", re.sub(r"//.*", "", body))
    exits, waiting = {}, []
    switch = (ROOT / "src/base/error.cpp").read_text().split("int exit_code", 1)[1].split("\n}\n", 1)[0]
    for name, exit_code in re.findall(r"case ErrorCode::(\w+):|return (\d+);", switch):
        if name:
            waiting.append(name)
        else:
            exits.update({code: exit_code for code in waiting})
            waiting = []
    text = (DOCS / "errors.md").read_text()
    documented = {row[0]: row for row in table_rows(section(text, "Error codes"))[1:]}
    assert list(documented) == codes
    for code in codes:
        assert documented[code][1] == exits[code], code
        assert len(documented[code][3]) > 10, code
    of_exits = {row[0] for row in table_rows(section(text, "Exit codes"))[1:]}
    assert of_exits == {"0", *exits.values()}


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs")
    chandler = Chandler(folder / "lake", folder)
    for month in ("2024-05-31", "2024-06-01"):
        chandler("import", ROOT / f"tests/data/binance/BTCUSDT-1m-{month}.csv", "--symbol", "BTCUSDT", check=0)
    chandler("import", ROOT / "tests/data/binance/BTCUSDT_1d.csv", "--symbol", "BTCUSDT", "--interval", "1d", check=0)
    chandler("build", check=0)
    return chandler


def stored(column):
    """A column of a Parquet schema in the words of docs/tables.md."""
    logical = str(column.logical_type)
    if logical.startswith("Timestamp"):
        assert "isAdjustedToUTC=true" in logical and "timeUnit=milliseconds" in logical
        return f"{column.physical_type} timestamp[ms, UTC]"
    if logical == "Date":
        return f"{column.physical_type} date"
    return f"{column.physical_type} string, dictionary" if logical == "String" else column.physical_type


@pytest.mark.parametrize("table,title", [("klines_1m", "klines_1m, klines_1d, speed_1m"),
                                         ("klines_1d", "klines_1m, klines_1d, speed_1m"),
                                         ("daily_filled", "daily_filled"), ("prophet_input", "prophet_input")])
def test_files_have_the_columns_that_are_documented(lake, table, title):
    text = (DOCS / "tables.md").read_text()
    rows = table_rows(section(text, title))[1:]
    keys = [row[0] for row in table_rows(section(text, "Metadata"))[1:]]
    files = sorted((lake.lake / table).rglob("*.parquet"))
    assert files
    for path in files:
        file = pyarrow.parquet.ParquetFile(path)
        columns = [file.schema.column(i) for i in range(len(file.schema))]
        written = [[c.name, stored(c), "yes" if c.max_definition_level else "no"] for c in columns]
        assert written == [row[:3] for row in rows], path
        assert file.metadata.num_row_groups == 1 and file.metadata.format_version == "2.6"
        found = {key.decode() for key in file.metadata.metadata if key.startswith(b"chandler.")}
        assert found <= set(keys), f"{path}: {found - set(keys)} is not documented"
        assert {"chandler.schema", "chandler.table", "chandler.encoder", "chandler.seal"} <= found


def test_the_tutorial_runs_line_by_line(tmp_path):
    assert run_page((DOCS / "tutorial.md").read_text(), tmp_path) >= 5
