"""Kernels over every kind of Arrow data, against Polars, pandas and plain Python."""

import datetime as dt
import random
import xml.etree.ElementTree

import chandler
import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest


def as_ours(table):
    return chandler.Table(table)


GIVERS = {
    "pyarrow table": lambda t: t,
    "pyarrow batch": lambda t: t.combine_chunks().to_batches()[0],
    "pyarrow reader": lambda t: t.to_reader(max_chunksize=1000),
    "polars": pl.DataFrame,
    "pandas": lambda t: t.to_pandas(),
    "duckdb": lambda t: duckdb.from_arrow(t),
    "chandler": as_ours,
}


@pytest.mark.parametrize("giver", GIVERS)
def test_every_giver_of_arrow_data_is_taken(minutes, giver):
    wanted = chandler.roll_up(minutes, "1h").to_dict()
    assert len(wanted["open_time"]) == 672
    assert chandler.roll_up(GIVERS[giver](minutes), "1h").to_dict() == wanted


@pytest.mark.parametrize("interval", ["1m", "5m", "1h", "1d", "1w", "1M"])
def test_roll_up_does_not_depend_on_where_the_input_is_cut(minutes, interval):
    wanted = chandler.roll_up(minutes, interval).to_dict()
    rng = random.Random(7)
    for _ in range(5):
        cuts = sorted(rng.sample(range(len(minutes)), 40))
        pieces = [minutes.slice(a, b - a).to_batches()[0] for a, b in zip([0, *cuts], [*cuts, len(minutes)]) if a < b]
        assert chandler.roll_up(pa.Table.from_batches(pieces), interval).to_dict() == wanted
    assert chandler.roll_up(chandler.roll_up(minutes, "1m"), interval).to_dict() == wanted


def test_roll_up_equals_polars(minutes):
    frame = pl.DataFrame(minutes).sort("open_time")
    wanted = frame.group_by_dynamic("open_time", every="4h").agg(
        pl.col("open").first(), pl.col("high").max(), pl.col("low").min(), pl.col("close").last(), pl.col("trades").sum(),
        pl.len().cast(pl.Int32).alias("minutes"))
    assert chandler.roll_up(frame, "4h").to_polars().select(wanted.columns).equals(wanted)


@pytest.mark.parametrize("change", [
    lambda f: f.with_columns(pl.col("open_time").cast(pl.Datetime("us"))),
    lambda f: f.with_columns(pl.col("open_time").cast(pl.Datetime("ns", "UTC"))),
    lambda f: f.with_columns(pl.col("open_time").dt.convert_time_zone("Asia/Tokyo")),
    lambda f: f.with_columns(pl.col("open_time").dt.epoch("ms")),
    lambda f: f.with_columns(pl.col("trades").cast(pl.Float64), pl.col("volume").cast(pl.Float64)),
    lambda f: f.select(reversed(f.columns)),
    lambda f: f.with_columns(remark=pl.lit("of no concern")),
    lambda f: f.with_columns(pl.col("source").cast(pl.String)),
], ids=["us", "ns", "tokyo", "int64", "float", "reversed", "extra", "text"])
def test_columns_of_other_types_mean_the_same(minutes, change):
    frame = pl.DataFrame(minutes)
    assert chandler.roll_up(change(frame), "1d").to_dict() == chandler.roll_up(frame, "1d").to_dict()
    assert len(chandler.clean(change(frame)).rows) == frame.height


def test_decimals_and_seconds_are_taken():
    table = pa.table({"open_time": pa.array([1717200000], pa.timestamp("s")),
                      **{name: pa.array(["12.50"]).cast(pa.decimal128(10, 2)) for name in ("open", "high", "low", "close", "volume")}})
    day = chandler.roll_up(table, "1d")
    assert day["open_time"] == [dt.datetime(2024, 6, 1, tzinfo=dt.timezone.utc)] and day["close"] == [12.5]


@pytest.mark.parametrize("change, message", [
    (lambda f: f.drop("close"), "'close' is missing"),
    (lambda f: f.with_columns(pl.col("close").cast(pl.String)), "'close' is"),
    (lambda f: f.with_columns(open=pl.when(pl.int_range(pl.len()) == 5).then(None).otherwise("open")), "'open' has a null"),
    (lambda f: f.with_columns(open_time=pl.when(pl.int_range(pl.len()) == 5).then(None).otherwise("open_time")), "'open_time' has a null"),
    (lambda f: f.reverse(), "do not ascend"),
    (lambda f: pl.concat([f.head(3), f]), "do not ascend"),
    (lambda f: f.with_columns(pl.col("open_time").dt.epoch("s")), "check the unit"),
    (lambda f: f.with_columns(pl.col("open_time").dt.epoch("us")), "check the unit"),
    (lambda f: f.with_columns(pl.col("open_time").cast(pl.Datetime("us")) + pl.duration(microseconds=1)), "fraction of a millisecond"),
    (lambda f: f.with_columns(trades=pl.lit(0.5)), "no count"),
    (lambda f: f.with_columns(source=pl.lit("hearsay")), "no source"),
])
def test_data_that_are_no_candles_are_refused_with_the_reason(minutes, change, message):
    with pytest.raises(chandler.InvalidDataError, match=message):
        chandler.roll_up(change(pl.DataFrame(minutes).head(100)), "1h")


def test_nothing_in_gives_nothing_out(minutes):
    empty = minutes.slice(0, 0)
    for result in (chandler.roll_up(empty, "1d"), chandler.fill(empty, "1m"), chandler.gaps(empty), chandler.clean(empty).rows,
                   chandler.daily_filled(empty), chandler.moving_average(empty, 7)):
        assert len(result) == 0
        assert result.to_arrow().num_rows == result.to_polars().height == 0
    assert chandler.roll_up(pa.Table.from_batches([], minutes.schema), "1d").to_polars().columns[0] == "open_time"


def test_a_stream_that_fails_half_way_is_an_error(minutes):
    def batches():
        yield minutes.to_batches(max_chunksize=1000)[0]
        raise OSError("the cable was pulled")

    with pytest.raises(chandler.InvalidDataError, match="the cable was pulled"):
        chandler.roll_up(pa.RecordBatchReader.from_batches(minutes.schema, batches()), "1h")


def test_a_stream_can_be_read_once_only(minutes):
    class Used:
        capsule = minutes.__arrow_c_stream__()

        def __arrow_c_stream__(self, requested_schema=None):
            return self.capsule

    used = Used()
    assert len(chandler.roll_up(used, "1d")) == 28
    with pytest.raises(chandler.UsageError, match="read already"):
        chandler.roll_up(used, "1d")


def test_results_outlive_what_they_were_made_from(minutes):
    table = chandler.roll_up(pl.DataFrame(minutes), "1h")
    arrow, frame = table.to_arrow(), table.to_polars()
    del table
    assert arrow["close"].to_pylist() == frame["close"].to_list() and len(arrow) == 672


def test_clean_gives_the_same_rows_whatever_the_order_and_the_repeats(minutes):
    frame = pl.DataFrame(minutes)
    spoilt = pl.concat([frame, frame.head(500)]).sample(fraction=1, shuffle=True, seed=3)
    cleaned = chandler.clean(spoilt)
    assert cleaned.rows.to_polars().drop("source").equals(frame.drop("source"))
    assert cleaned.exact_repeats == 500 and len(cleaned.rejected) == len(cleaned.conflicting) == 0


def test_clean_names_what_it_rejects(minutes):
    frame = pl.DataFrame(minutes).head(4).with_columns(
        open_time=pl.col("open_time") + pl.Series([0, 1, 0, 0]).cast(pl.Duration("ms")),
        high=pl.when(pl.int_range(4) == 2).then(1.0).otherwise("high"),
        close=pl.when(pl.int_range(4) == 3).then(None).otherwise("close"))
    cleaned = chandler.clean(frame)
    assert len(cleaned.rows) == 1
    assert cleaned.rejected["row"] == [1, 2, 3]
    assert cleaned.rejected["reason"] == ["open time is off the grid", "high is below low", "a price or volume is not a finite number"]


def test_gaps_are_the_missing_minutes_and_fill_closes_them(minutes):
    rng = random.Random(11)
    gone = {i for start in rng.sample(range(10, len(minutes) - 300), 30) for i in range(start, start + rng.randrange(1, 200))}
    kept = minutes.take([i for i in range(len(minutes)) if i not in gone])
    gaps = chandler.gaps(kept)
    assert sum(gaps["missing"]) == len(gone)
    listed = [start + dt.timedelta(minutes=i) for start, n in zip(gaps["start"], gaps["missing"]) for i in range(n)]
    times = minutes["open_time"].to_pylist()
    assert listed == [times[i] for i in sorted(gone)]
    assert [b - a for a, b in zip(gaps["start"], gaps["end"])] == [dt.timedelta(minutes=n) for n in gaps["missing"]]

    filled = chandler.fill(kept, "1m").to_polars()
    assert filled["open_time"].to_list() == times
    wanted = pl.DataFrame(kept).select("open_time", "close").sort("open_time").upsample("open_time", every="1m").with_columns(pl.col("close").forward_fill())
    assert filled["close"].equals(wanted["close"])
    assert filled["filled"].to_list() == [i in gone for i in range(len(minutes))]
    assert (filled.filter("filled")["volume"] == 0).all()
    assert len(chandler.gaps(filled)) == 0


def test_gaps_and_fill_reach_as_far_as_is_asked(minutes):
    some = minutes.slice(0, 10)  # 2024-05-29 00:00 to 00:09
    gaps = chandler.gaps(some, start="2024-05-28T23:58", end="2024-05-29T00:15")
    assert gaps["missing"] == [2, 5]
    assert len(chandler.fill(some, "1m", until="2024-05-29T00:15")) == 15
    assert len(chandler.fill(some, "1m", until="2024-05-29")) == 1440


def test_moving_average_is_that_of_pandas(minutes):
    close = minutes["close"].to_pandas()
    ours = chandler.moving_average(minutes, [7, 30]).to_pandas()
    for window in (7, 30):
        pd.testing.assert_series_equal(ours[f"ma{window}"], close.rolling(window, min_periods=1).mean(), check_names=False, rtol=1e-12)
    series = pl.Series("x", [1.0, 2.0, 4.0])
    assert chandler.moving_average(series, 2)["ma2"] == [1, 1.5, 3]
    assert chandler.moving_average(pa.array([1, 2, 4]), 2)["ma2"] == [1, 1.5, 3]
    assert chandler.moving_average(pa.chunked_array([[1.0], [2.0, None, 4.0, 5.0]]), 2)["ma2"] == [1, 1.5, None, None, 4.5]
    with pytest.raises(chandler.UsageError):
        chandler.moving_average(series, 0)


def test_daily_filled_is_the_lakes_own_table(lake, minutes, folder):
    stored = lake.daily_filled("BTCUSDT").to_polars().drop("symbol")
    days = duckdb.sql(f"FROM read_parquet('{folder}/klines_1d/symbol=BTCUSDT/**/*.parquet', hive_partitioning = false) ORDER BY open_time").pl()
    for bars in (minutes, chandler.roll_up(minutes, "1d"), chandler.roll_up(minutes, "4h")):
        ours = chandler.daily_filled(bars, days=days).to_polars()
        exact = [name for name in stored.columns if name not in ("daily_volume", "daily_quote_volume", "vwap")]
        assert ours.select(exact).equals(stored.select(exact))
        assert ((ours["daily_volume"] - stored["daily_volume"]).abs() <= 1e-9 * stored["daily_volume"]).all()
    assert chandler.daily_filled(minutes, until="2024-07-01")["filled"].count(True) == 5


def test_a_model_finds_the_trend_and_the_week():
    """y = 100 + 2 t, and 10 more on Mondays."""
    days = [dt.date(2023, 1, 1) + dt.timedelta(days=i) for i in range(364)]
    y = [100 + 2 * i + (10 if day.weekday() == 0 else 0) for i, day in enumerate(days)]
    model = chandler.fit(pa.table({"ds": days, "y": y}), yearly=0, weekly=3)
    assert (model.first_day, model.last_day) == (days[0], days[-1])
    ahead = model.predict(14)
    assert ahead["ds"] == [dt.date(2023, 12, 31) + dt.timedelta(days=i) for i in range(14)]
    for i, (day, yhat) in enumerate(zip(ahead["ds"], ahead["yhat"])):
        assert yhat == pytest.approx(100 + 2 * (364 + i) + (10 if day.weekday() == 0 else 0), abs=1)
    for row in zip(*(ahead[name] for name in ("yhat", "trend", "additive_terms", "weekly", "yhat_lower", "yhat_upper"))):
        assert row[0] == pytest.approx(row[1] + row[2]) and row[2] == pytest.approx(row[3]) and row[4] < row[0] < row[5]
    assert model.predict(14, seed=5).to_dict() == model.predict(14, seed=5).to_dict() != ahead.to_dict()


def test_a_model_leaves_filled_days_out_and_takes_holidays_and_regressors():
    days = [dt.date(2023, 1, 1) + dt.timedelta(days=i) for i in range(200)]
    sale = [days[20], days[90], days[150], dt.date(2023, 7, 25)]
    x = [float((i * 7919) % 13) for i in range(210)]
    y = [50 + (25 if day in sale else 0) + 3 * x[i] for i, day in enumerate(days)]
    table = pl.DataFrame({"date": days, "daily_close": y, "x": x[:200], "filled": [i in (5, 6) for i in range(200)]})
    table = table.with_columns(daily_close=pl.when("filled").then(1e9).otherwise("daily_close"))
    model = chandler.fit(table, yearly=0, weekly=0, holidays={"sale": sale}, regressors=["x"])
    future = pl.DataFrame({"ds": [dt.date(2023, 7, 24), dt.date(2023, 7, 25)], "x": [4.0, 4.0]})
    plain, sold = model.predict(future)["yhat"]
    assert plain == pytest.approx(62, abs=1) and sold == pytest.approx(87, abs=1)
    with pytest.raises(chandler.UsageError, match="regressors"):
        model.predict(7)


def test_a_chart_is_an_svg_of_the_columns(lake, tmp_path):
    chart = chandler.plot(lake.daily_filled("BTCUSDT"), ["daily_close", "ma30"], title="Bitcoin & its mean", log=True)
    root = xml.etree.ElementTree.fromstring(chart.svg)
    assert root.tag.endswith("svg") and chart._repr_svg_() == chart.svg
    chart.save(tmp_path / "chart.svg")
    assert (tmp_path / "chart.svg").read_text(encoding="utf-8") == chart.svg
    with pytest.raises(chandler.InvalidDataError, match="'colour' is missing"):
        chandler.plot(lake.daily_filled("BTCUSDT"), "colour")
