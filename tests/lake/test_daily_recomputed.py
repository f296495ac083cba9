"""daily_filled and prophet_input, worked out again by Polars and by DuckDB from the klines alone."""

import datetime
import math

import duckdb
import polars as pl
import pytest

DAY = datetime.timedelta(days=1)


def scan(lake, table):
    return pl.scan_parquet(str(lake.lake / table / "**" / "*.parquet"), hive_partitioning=True)


def close_to(a, b):
    if a is None or b is None or math.isnan(a) or math.isnan(b):
        return (a is None or math.isnan(a)) and (b is None or math.isnan(b))
    return abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1e-300)


def last_closed_day(lake, symbol):
    status = lake("status", symbol, "--json", check=0).json["symbols"][0]
    return datetime.date.fromisoformat(status["last_day"])


def days_by_polars(lake, symbol):
    """The rules of the design, in the words of a data frame library."""
    last = last_closed_day(lake, symbol)
    minutes = (scan(lake, "klines_1m").filter(pl.col("symbol") == symbol).sort("open_time")
               .with_columns(pl.col("open_time").dt.date().alias("date")).filter(pl.col("date") <= last)
               .group_by("date", maintain_order=True)
               .agg(pl.col("open").first().alias("daily_open"), pl.col("high").max().alias("daily_high"),
                    pl.col("low").min().alias("daily_low"), pl.col("close").last().alias("daily_close"),
                    pl.col("volume").sum().alias("daily_volume"), pl.len().cast(pl.Int32).alias("cnt"))
               .collect())
    known = minutes
    if (lake.lake / "klines_1d" / f"symbol={symbol}").is_dir():
        days = (scan(lake, "klines_1d").filter(pl.col("symbol") == symbol)
                .select(pl.col("open_time").dt.date().alias("date"), pl.col("open").alias("daily_open"),
                        pl.col("high").alias("daily_high"), pl.col("low").alias("daily_low"),
                        pl.col("close").alias("daily_close"), pl.col("volume").alias("daily_volume"),
                        pl.lit(0, pl.Int32).alias("cnt")).collect())
        known = pl.concat([minutes, days.join(minutes, on="date", how="anti")]).sort("date")
    calendar = pl.DataFrame({"date": pl.date_range(known["date"][0], last, "1d", eager=True)})
    whole = calendar.join(known, on="date", how="left").sort("date")
    whole = whole.with_columns(pl.col("daily_close").is_null().alias("filled")).with_columns(pl.col("daily_close").forward_fill())
    whole = whole.with_columns([pl.col(c).fill_null(pl.col("daily_close")) for c in ("daily_open", "daily_high", "daily_low")])
    return whole.with_columns(pl.col("daily_volume").fill_null(0.0), pl.col("cnt").fill_null(0),
                              pl.col("daily_close").rolling_mean(7, min_samples=1).alias("ma7"),
                              pl.col("daily_close").rolling_mean(30, min_samples=1).alias("ma30"))


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT", "OLDBTC", "PLAIN"])
def test_daily_filled_is_what_polars_makes_of_the_klines(lake, symbol):
    ours = scan(lake, "daily_filled").filter(pl.col("symbol") == symbol).sort("date").collect()
    theirs = days_by_polars(lake, symbol)
    assert ours["date"].to_list() == theirs["date"].to_list()
    for column in ("daily_open", "daily_high", "daily_low", "daily_close", "cnt", "filled"):
        assert ours[column].to_list() == theirs[column].to_list(), column
    for column in ("daily_volume", "ma7", "ma30"):
        for date, a, b in zip(ours["date"], ours[column], theirs[column]):
            assert close_to(a, b), (column, date, a, b)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT", "PLAIN"])
def test_sums_and_moving_averages_are_those_of_duckdb(lake, symbol):
    daily, minutes = (str(lake.lake / t / "**" / "*.parquet") for t in ("daily_filled", "klines_1m"))
    rows = duckdb.sql(f"""
        with day as (select (epoch_ms(open_time) // 86400000) as n, sum(quote_volume) as quote, sum(volume) as volume,
                            case when count(trades) = count(*) then sum(trades) end as trades
                     from read_parquet('{minutes}', hive_partitioning = true) where symbol = '{symbol}' group by 1),
             ours as (select *, datediff('day', date '1970-01-01', "date") as n,
                             avg(daily_close) over (order by "date" rows 6 preceding) as seven,
                             avg(daily_close) over (order by "date" rows 29 preceding) as thirty
                      from read_parquet('{daily}', hive_partitioning = true) where symbol = '{symbol}')
        select "date", ma7, seven, ma30, thirty, daily_quote_volume, quote, daily_trades, trades, vwap, quote / volume
        from ours left join day using (n) where not filled and cnt > 0 order by "date" """).fetchall()
    assert rows
    for date, ma7, seven, ma30, thirty, our_quote, quote, our_trades, trades, our_vwap, vwap in rows:
        assert close_to(ma7, seven) and close_to(ma30, thirty), date
        assert close_to(our_quote, quote) and our_trades == trades and close_to(our_vwap, vwap), date


def test_a_year_without_minutes_is_filled_day_by_day(lake):
    rows = [r for r in lake.rows("daily_filled", "OLDBTC")]
    assert [r["date"] for r in rows] == [rows[0]["date"] + i * DAY for i in range(len(rows))]
    assert rows[0]["date"] == datetime.date(2023, 3, 24) and rows[-1]["date"] == datetime.date(2024, 6, 1)
    assert sum(not r["filled"] for r in rows) == 3
    for r in rows[1:-2]:
        assert r["filled"] and r["cnt"] == 0 and r["daily_volume"] == 0
        assert {r[c] for c in ("daily_open", "daily_high", "daily_low", "daily_close")} == {rows[0]["daily_close"]}


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT", "OLDBTC", "PLAIN"])
def test_prophet_input_is_the_closes_of_daily_filled(lake, symbol):
    days = lake.rows("daily_filled", symbol)
    assert [(r["ds"], r["y"]) for r in lake.rows("prophet_input", symbol)] == [(r["date"], r["daily_close"]) for r in days]


def test_the_open_minute_and_the_open_day_are_not_there(lake):
    last = lake.rows("klines_1m")[-1]["open_time"]
    assert last == datetime.datetime(2024, 6, 25, 13, 6, tzinfo=datetime.timezone.utc)
    assert lake.rows("daily_filled")[-1]["date"] == datetime.date(2024, 6, 24)
