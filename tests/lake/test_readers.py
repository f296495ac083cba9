"""DuckDB, Polars, pandas, Arrow and Spark read every table as it lies there: the right types, the same values, partitions as columns."""

import csv
import datetime
import io
import math
import zipfile

import duckdb
import pandas
import polars
import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet
import pytest
from pyspark.sql import SparkSession

from program import ROOT

PARTITIONS = {"klines_1m": ["symbol", "year", "month"], "klines_1d": ["symbol", "year"],
              "daily_filled": ["symbol", "year", "month"], "prophet_input": ["symbol"]}
KLINES = {"open_time": pa.timestamp("ms", "UTC"), "open": pa.float64(), "high": pa.float64(), "low": pa.float64(),
          "close": pa.float64(), "volume": pa.float64(), "quote_volume": pa.float64(), "taker_buy_volume": pa.float64(),
          "taker_buy_quote_volume": pa.float64(), "trades": pa.int64(), "source": pa.dictionary(pa.int32(), pa.string())}
COLUMNS = {
    "klines_1m": KLINES, "klines_1d": KLINES,
    "daily_filled": {"date": pa.date32(), "daily_open": pa.float64(), "daily_high": pa.float64(), "daily_low": pa.float64(),
                     "daily_close": pa.float64(), "daily_volume": pa.float64(), "cnt": pa.int32(), "filled": pa.bool_(),
                     "ma7": pa.float64(), "ma30": pa.float64(), "daily_quote_volume": pa.float64(),
                     "daily_trades": pa.int64(), "vwap": pa.float64()},
    "prophet_input": {"ds": pa.date32(), "y": pa.float64()}}
KEY = {"klines_1m": "open_time", "klines_1d": "open_time", "daily_filled": "date", "prophet_input": "ds"}
TABLES = list(COLUMNS)


def glob(lake, table):
    return str(lake.lake / table / "**" / "*.parquet")


def by_arrow(lake, table):
    hive = pa.dataset.HivePartitioning(pa.schema([("symbol", pa.string()), ("year", pa.int32()), ("month", pa.int32())]))
    return pa.dataset.dataset(lake.lake / table, partitioning=hive).to_table()


def plain(value):
    """Values as every reader would say them."""
    if value is None or (isinstance(value, float) and math.isnan(value)) or value is pandas.NaT:
        return None
    if isinstance(value, pandas.Timestamp):
        return int(value.value // 1_000_000)
    if isinstance(value, datetime.datetime):
        return round(value.timestamp() * 1000)
    return value


def rows_of(columns):
    """Rows of {column: values}, in order of symbol and time."""
    names = list(columns)
    rows = [dict(zip(names, map(plain, row))) for row in zip(*columns.values())]
    key = next(k for k in ("open_time", "date", "ds") if k in names)
    return sorted(rows, key=lambda r: (r["symbol"], r[key]))


@pytest.fixture(scope="module")
def expected(lake):
    """What Arrow reads file by file, without its dataset machinery; partition values taken from the path."""
    tables = {}
    for table, columns in COLUMNS.items():
        pieces = {name: [] for name in [*columns, "symbol"]}
        for path in (lake.lake / table).rglob("*.parquet"):
            piece = pa.parquet.ParquetFile(path).read()
            for name in columns:
                pieces[name] += piece[name].to_pylist()
            symbol = next(p for p in path.parts if p.startswith("symbol=")).removeprefix("symbol=")
            pieces["symbol"] += [symbol] * piece.num_rows
        tables[table] = rows_of(pieces)
        assert len(tables[table]) > 10
    return tables


@pytest.mark.parametrize("table", TABLES)
def test_files_have_exactly_the_columns_and_types_of_the_design(lake, table):
    paths = list((lake.lake / table).rglob("*.parquet"))
    assert paths
    for path in paths:
        schema = pa.parquet.read_schema(path)
        assert dict(zip(schema.names, schema.types)) == COLUMNS[table], path
        assert schema.names == list(COLUMNS[table]), "in this order; partition columns are not repeated"


@pytest.mark.parametrize("table", TABLES)
def test_arrow_reads_it_as_a_hive_dataset(lake, table, expected):
    read = by_arrow(lake, table)
    types = dict(zip(read.schema.names, read.schema.types))
    for name, type_ in COLUMNS[table].items():
        assert types[name] == type_, name
    assert rows_of({n: read[n].to_pylist() for n in [*COLUMNS[table], "symbol"]}) == expected[table]


@pytest.mark.parametrize("table", TABLES)
def test_pandas_reads_it(lake, table, expected):
    frame = pandas.read_parquet(lake.lake / table)
    if "open_time" in frame:
        assert isinstance(frame["open_time"].dtype, pandas.DatetimeTZDtype) and str(frame["open_time"].dt.tz) == "UTC"
        assert isinstance(frame["source"].dtype, pandas.CategoricalDtype)
    assert set(PARTITIONS[table]) <= set(frame.columns)
    assert rows_of({n: frame[n].tolist() for n in [*COLUMNS[table], "symbol"]}) == expected[table]


@pytest.mark.parametrize("table", TABLES)
def test_polars_reads_it(lake, table, expected):
    frame = polars.scan_parquet(glob(lake, table), hive_partitioning=True).collect()
    if "open_time" in frame.columns:
        assert frame.schema["open_time"] == polars.Datetime("ms", "UTC")
    for name in {"date", "ds"} & set(frame.columns):
        assert frame.schema[name] == polars.Date
    assert set(PARTITIONS[table]) <= set(frame.columns)
    assert rows_of({n: frame[n].to_list() for n in [*COLUMNS[table], "symbol"]}) == expected[table]


@pytest.mark.parametrize("table", TABLES)
def test_duckdb_reads_it(lake, table, expected):
    relation = duckdb.sql(f"select * from read_parquet('{glob(lake, table)}', hive_partitioning = true)")
    types = dict(zip(relation.columns, map(str, relation.types)))
    wanted = {"open_time": "TIMESTAMP WITH TIME ZONE", "date": "DATE", "ds": "DATE", "filled": "BOOLEAN", "cnt": "INTEGER",
              "trades": "BIGINT", "close": "DOUBLE", "y": "DOUBLE"}
    for name in set(wanted) & set(types):
        assert types[name] == wanted[name], name
    assert set(PARTITIONS[table]) <= set(types)
    names = [*COLUMNS[table], "symbol"]
    select = ", ".join(f'epoch_ms("{n}") as "{n}"' if n == "open_time" else f'"{n}"' for n in names)
    read = relation.project(select).fetchall()
    assert rows_of(dict(zip(names, zip(*read)))) == expected[table]


@pytest.fixture(scope="module")
def spark():
    session = (SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
               .config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1")
               .config("spark.sql.session.timeZone", "UTC").getOrCreate())
    yield session
    session.stop()


@pytest.mark.parametrize("table", TABLES)
def test_spark_reads_it_with_its_own_settings(lake, table, expected, spark):
    frame = spark.read.parquet(str(lake.lake / table))
    types = dict(frame.dtypes)
    wanted = {"open_time": "timestamp", "date": "date", "ds": "date", "filled": "boolean", "cnt": "int", "trades": "bigint",
              "close": "double", "y": "double", "symbol": "string", "year": "int", "month": "int"}
    for name in set(wanted) & set(types):
        assert types[name] == wanted[name], name
    assert set(PARTITIONS[table]) <= set(types)
    names = [*COLUMNS[table], "symbol"]
    select = [f"unix_millis({n}) AS {n}" if n == "open_time" else n for n in names]
    read = frame.selectExpr(*select).collect()
    assert rows_of({n: [row[n] for row in read] for n in names}) == expected[table]


def test_minutes_are_those_of_the_exchanges_archives_to_the_last_digit(expected):
    for symbol in ("BTCUSDT", "ETHUSDT"):
        ours = {r["open_time"]: r for r in expected["klines_1m"] if r["symbol"] == symbol}
        seen = 0
        for path in sorted((ROOT / "data/demo" / symbol).glob("*.zip")):
            with zipfile.ZipFile(path) as archive:
                text = archive.read(archive.namelist()[0]).decode()
            for row in csv.reader(io.StringIO(text)):
                r = ours.get(int(row[0]))
                if r is None:
                    assert int(row[0]) >= 1719320820000, "only what was not closed at 2024-06-25 13:07 may be missing"
                    continue
                seen += 1
                assert [r["open"], r["high"], r["low"], r["close"], r["volume"]] == [float(x) for x in row[1:6]]
                assert r["quote_volume"] == float(row[7]) and r["trades"] == int(row[8])
                assert [r["taker_buy_volume"], r["taker_buy_quote_volume"]] == [float(x) for x in row[9:11]]
                assert r["source"] == "rest"
        assert seen == len(ours) > 30_000


def test_what_a_source_lacks_is_null_and_not_zero(expected):
    rows = [r for r in expected["klines_1m"] if r["symbol"] == "PLAIN"]
    assert len(rows) == 3000
    for r in rows:
        assert r["source"] == "import"
        assert [r[n] for n in ("quote_volume", "taker_buy_volume", "taker_buy_quote_volume", "trades")] == [None] * 4
    days = [r for r in expected["daily_filled"] if r["symbol"] == "PLAIN"]
    assert all(r["daily_trades"] is None and r["vwap"] is None for r in days if not r["filled"])


def test_partition_folders_are_hive_style_without_leading_zeros(lake):
    for path in lake.lake.rglob("*.parquet"):
        for part in path.relative_to(lake.lake).parts[1:-1]:
            name, _, value = part.partition("=")
            assert name in ("symbol", "year", "month") and value and not (value.isdigit() and value.startswith("0"))
        assert path.name == "part.parquet"


def test_a_reader_that_wants_one_month_opens_one_file(lake):
    frame = polars.scan_parquet(glob(lake, "klines_1m"), hive_partitioning=True).filter(
        (polars.col("symbol") == "BTCUSDT") & (polars.col("year") == 2024) & (polars.col("month") == 5)).collect()
    assert len(frame) == 3 * 1440
    count = duckdb.sql(f"select count(*) from read_parquet('{glob(lake, 'klines_1m')}', hive_partitioning = true) "
                       "where symbol = 'BTCUSDT' and year = 2024 and month = 5").fetchall()[0][0]
    assert count == 3 * 1440
