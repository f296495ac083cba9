"""What a Python user would write instead, in the fastest form we know: Polars and DuckDB.

    peers.py polars|duckdb import LAKE CSV…     CSV → klines_1m, one file per symbol and month
    peers.py polars|duckdb build LAKE           klines_1m → daily_filled with fill, MA7 and MA30, and prophet_input

Both know that the files are in order of time, and write LZ4 as chandler does.
"""

import pathlib
import sys


def polars_import(lake: pathlib.Path, files: list[pathlib.Path]) -> None:
    import polars as pl

    for file in files:
        rows = (
            pl.scan_csv(file)
            .with_columns(open_time=(pl.col("Timestamp") * 1000).cast(pl.Int64).cast(pl.Datetime("ms", "UTC")))
            # Repeats follow each other, so no hash table is needed.
            .filter((pl.col("open_time") != pl.col("open_time").shift()).fill_null(True))
            .select(
                symbol=pl.lit(file.stem), year=pl.col("open_time").dt.year(), month=pl.col("open_time").dt.month(),
                open_time="open_time", open="Open", high="High", low="Low", close="Close", volume="Volume",
            )
            .collect()
        )
        rows.write_parquet(lake / "klines_1m", partition_by=["symbol", "year", "month"], compression="lz4")


def polars_build(lake: pathlib.Path) -> None:
    import polars as pl

    daily = (
        pl.scan_parquet(lake / "klines_1m", hive_partitioning=True)
        .select("symbol", "open_time", "open", "high", "low", "close", "volume")
        .set_sorted("open_time")
        .group_by("symbol", date=pl.col("open_time").dt.date())
        .agg(
            daily_open=pl.col("open").first(), daily_high=pl.col("high").max(), daily_low=pl.col("low").min(),
            daily_close=pl.col("close").last(), daily_volume=pl.col("volume").sum(), cnt=pl.len().cast(pl.Int32),
        )
        .sort("symbol", "date")
        .collect()
    )
    filled = daily.upsample("date", every="1d", group_by="symbol", maintain_order=True)
    filled = filled.with_columns(
        pl.col("symbol").forward_fill(), filled=pl.col("cnt").is_null(), cnt=pl.col("cnt").fill_null(0),
        daily_volume=pl.col("daily_volume").fill_null(0.0), daily_close=pl.col("daily_close").forward_fill(),
    ).with_columns(
        *(pl.col(name).fill_null(pl.col("daily_close")) for name in ("daily_open", "daily_high", "daily_low")),
        ma7=pl.col("daily_close").rolling_mean(7, min_samples=1).over("symbol"),
        ma30=pl.col("daily_close").rolling_mean(30, min_samples=1).over("symbol"),
        year=pl.col("date").dt.year(), month=pl.col("date").dt.month(),
    )
    filled.write_parquet(lake / "daily_filled", partition_by=["symbol", "year", "month"], compression="lz4")
    filled.select("symbol", ds="date", y="daily_close").write_parquet(
        lake / "prophet_input", partition_by=["symbol"], compression="lz4")


def duckdb_import(lake: pathlib.Path, files: list[pathlib.Path]) -> None:
    import duckdb

    lake.mkdir(parents=True, exist_ok=True)
    for file in files:
        duckdb.sql(f"""
            COPY (
                SELECT DISTINCT ON (open_time) '{file.stem}' AS symbol, year(open_time) AS year, month(open_time) AS month,
                       open_time, open, high, low, close, volume
                FROM (SELECT make_timestamp((Timestamp * 1000000)::BIGINT) AS open_time, Open AS open, High AS high,
                             Low AS low, Close AS close, Volume AS volume FROM read_csv('{file}'))
                ORDER BY open_time
            ) TO '{lake}/klines_1m' (FORMAT parquet, PARTITION_BY (symbol, year, month), COMPRESSION lz4_raw,
                                     OVERWRITE_OR_IGNORE)""")


def duckdb_build(lake: pathlib.Path) -> None:
    import duckdb

    duckdb.sql(f"""
        CREATE TABLE daily AS
        SELECT symbol, open_time::DATE AS date, arg_min(open, open_time) AS daily_open, max(high) AS daily_high,
               min(low) AS daily_low, arg_max(close, open_time) AS daily_close, sum(volume) AS daily_volume,
               count(*)::INTEGER AS cnt
        FROM read_parquet('{lake}/klines_1m/**/*.parquet', hive_partitioning = true) GROUP BY ALL""")
    duckdb.sql("""
        CREATE TABLE filled AS
        WITH calendar AS (
            SELECT symbol, unnest(range(min(date), max(date) + INTERVAL 1 DAY, INTERVAL 1 DAY))::DATE AS date
            FROM daily GROUP BY symbol),
        known AS (
            SELECT calendar.symbol, calendar.date, daily.* EXCLUDE (symbol, date),
                   last_value(daily_close IGNORE NULLS) OVER (PARTITION BY calendar.symbol ORDER BY calendar.date) AS carried
            FROM calendar LEFT JOIN daily USING (symbol, date))
        SELECT symbol, date, coalesce(daily_open, carried) AS daily_open, coalesce(daily_high, carried) AS daily_high,
               coalesce(daily_low, carried) AS daily_low, carried AS daily_close, coalesce(daily_volume, 0) AS daily_volume,
               coalesce(cnt, 0) AS cnt, cnt IS NULL AS filled,
               avg(carried) OVER (PARTITION BY symbol ORDER BY date ROWS 6 PRECEDING) AS ma7,
               avg(carried) OVER (PARTITION BY symbol ORDER BY date ROWS 29 PRECEDING) AS ma30
        FROM known""")
    duckdb.sql(f"""
        COPY (SELECT *, year(date) AS year, month(date) AS month FROM filled ORDER BY symbol, date)
        TO '{lake}/daily_filled' (FORMAT parquet, PARTITION_BY (symbol, year, month), COMPRESSION lz4_raw,
                                  OVERWRITE_OR_IGNORE)""")
    duckdb.sql(f"""
        COPY (SELECT symbol, date AS ds, daily_close AS y FROM filled ORDER BY symbol, date)
        TO '{lake}/prophet_input' (FORMAT parquet, PARTITION_BY (symbol), COMPRESSION lz4_raw,
                                   OVERWRITE_OR_IGNORE)""")


if __name__ == "__main__":
    peer, job, folder, *inputs = sys.argv[1:]
    arguments = [pathlib.Path(folder)] + ([[pathlib.Path(name) for name in inputs]] if job == "import" else [])
    globals()[f"{peer}_{job}"](*arguments)
