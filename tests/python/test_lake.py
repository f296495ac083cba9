"""Lake against DuckDB and pyarrow, which read the same files themselves."""

import datetime as dt
import json
import os
import pathlib
import subprocess

import chandler
import duckdb
import polars as pl
import pyarrow as pa
import pytest

UTC = dt.timezone.utc
EVERY = {"3m": "3 minutes", "15m": "15 minutes", "4h": "4 hours", "1d": "1 day", "1w": "7 days", "1M": "1 month"}


def query(folder, interval, table="klines_1m"):
    """DuckDB's roll-up of the minutes; its buckets of days begin on a Monday, those of months on the first."""
    origin = "TIMESTAMP '2000-01-01'" if interval == "1M" else "TIMESTAMP '2000-01-03'"
    return duckdb.sql(f"""
        SELECT epoch_ms(time_bucket(INTERVAL '{EVERY[interval]}', t, {origin})) AS open_time, arg_min(open, t) AS open, max(high) AS high,
               min(low) AS low, arg_max(close, t) AS close, sum(volume) AS volume, sum(trades)::BIGINT AS trades, count(*)::INTEGER AS minutes
        FROM (SELECT *, make_timestamp(epoch_ms(open_time) * 1000) AS t
              FROM read_parquet('{folder}/{table}/symbol=BTCUSDT/**/*.parquet', hive_partitioning = false))
        GROUP BY 1 ORDER BY 1""").pl()


@pytest.mark.parametrize("interval", EVERY)
def test_candles_are_those_that_duckdb_rolls_up(lake, folder, interval):
    wanted = query(folder, interval)
    ours = lake.candles("BTCUSDT", interval).to_polars().with_columns(pl.col("open_time").dt.epoch("ms"))
    if interval in ("1w", "1M"):  # weeks and months that days alone know, or both, have no counterpart among the minutes
        wanted = wanted.slice(1, wanted.height - 2) if interval == "1w" else wanted.head(0)
        assert (ours["minutes"] > 0).sum() >= wanted.height
    ours = ours.filter(pl.col("open_time").is_in(wanted["open_time"].implode())) if wanted.height else ours.head(0)
    assert ours.select("open_time", "open", "high", "low", "close", "trades", "minutes").equals(
        wanted.select("open_time", "open", "high", "low", "close", "trades", "minutes"))
    assert ((ours["volume"] - wanted["volume"]).abs() <= 1e-9 * wanted["volume"]).all()


def test_minutes_are_the_files_rows(lake, minutes):
    names = ["open_time", "open", "high", "low", "close", "volume", "quote_volume", "taker_buy_volume", "taker_buy_quote_volume", "trades"]
    ours = lake.candles("BTCUSDT", "1m", columns=names).to_arrow()
    assert ours.column_names == names
    assert ours.combine_chunks().cast(minutes.select(names).schema).equals(minutes.select(names))


def test_start_and_end_take_days_instants_and_milliseconds(lake):
    def times(**bounds):
        return lake.candles("BTCUSDT", "1h", **bounds).collect()["open_time"]

    day = times(start="2024-06-02", end="2024-06-02")
    assert day == [dt.datetime(2024, 6, 2, hour, tzinfo=UTC) for hour in range(24)]
    assert times(start=dt.date(2024, 6, 2), end=dt.date(2024, 6, 2)) == day
    assert times(start=dt.datetime(2024, 6, 2), end=dt.datetime(2024, 6, 3)) == day
    assert times(start="2024-06-02T00:00Z", end="2024-06-03T02:00+02:00") == day
    assert times(start=1717286400000, end=1717372800000) == day
    assert times(start="2024-06-02T00:01", end="2024-06-02T23:00") == day[1:-1]


def test_a_stream_is_cut_by_month_and_begins_anew_each_time(lake):
    stream = lake.candles("BTCUSDT", "1m")
    assert [len(piece) for piece in stream] == [3 * 1440, 25 * 1440]
    assert [len(piece) for piece in stream] == [3 * 1440, 25 * 1440]
    assert len(stream.collect()) == stream.to_arrow().num_rows == duckdb.sql("SELECT count(*) FROM stream").fetchall()[0][0] == 28 * 1440
    iterator = iter(stream)
    next(iterator)
    del iterator  # a stream that is left early ends its work


def test_columns_can_be_chosen_and_taker_volumes_come_from_the_minutes(lake):
    day = lake.candles("BTCUSDT", "1d", columns=["close", "taker_buy_volume"])
    assert day.columns == ["close", "taker_buy_volume"]
    with pytest.raises(chandler.UsageError, match="no column 'colour'"):
        lake.candles("BTCUSDT", columns=["colour"])


def imported(path: pathlib.Path, rows: list[tuple[str, float]]) -> chandler.Lake:
    """A lake of minutes, each a price at which everything happened."""
    file = path / "history.csv"
    lines = [f"{int(dt.datetime.fromisoformat(t).replace(tzinfo=UTC).timestamp())},{p},{p},{p},{p},1" for t, p in rows]
    file.write_text("Timestamp,Open,High,Low,Close,Volume\n" + "\n".join(lines) + "\n")
    chandler._core.import_history(str(path / "lake"), "XYZUSDT", [], [str(file)])
    return chandler.Lake(path / "lake")


@pytest.fixture
def gappy(tmp_path):
    return imported(tmp_path, [("2024-01-01 00:00", 10), ("2024-01-01 00:01", 11), ("2024-01-01 00:04", 12), ("2024-01-03 00:00", 13)])


def test_holes_are_listed_filled_and_flagged(gappy):
    gaps = gappy.gaps()
    assert gaps.to_dict() == {
        "symbol": ["XYZUSDT"] * 2,
        "start": [dt.datetime(2024, 1, 1, 0, 2, tzinfo=UTC), dt.datetime(2024, 1, 1, 0, 5, tzinfo=UTC)],
        "end": [dt.datetime(2024, 1, 1, 0, 4, tzinfo=UTC), dt.datetime(2024, 1, 3, tzinfo=UTC)],
        "minutes": [2, 2 * 1440 - 5], "asked": [False, False]}
    assert len(gappy.gaps("XYZUSDT", min_minutes=3)) == 1
    some = gappy.candles("XYZUSDT", "1m", end="2024-01-01T00:06", fill="close").collect()
    assert some["close"] == [10, 11, 11, 11, 12, 12]
    assert some["volume"] == [1, 1, 0, 0, 1, 0]
    assert some["filled"] == [False, False, True, True, False, True]
    days = gappy.daily_filled().collect()
    assert days["date"] == [dt.date(2024, 1, 1), dt.date(2024, 1, 2), dt.date(2024, 1, 3)]
    assert (days["daily_close"], days["cnt"], days["filled"]) == ([12, 12, 13], [3, 0, 1], [False, True, False])
    assert days["ma7"] == [12, 12, (12 + 12 + 13) / 3]
    assert gappy.daily_filled(start="2024-01-02", end="2024-01-02").collect()["date"] == [dt.date(2024, 1, 2)]
    # Nobody knows trades of an imported history: null, not 0.
    assert some["trades"] == [None, None, 0, 0, None, 0]


def test_daily_filled_is_the_table_on_disk(lake, folder):
    stored = duckdb.sql(f"""SELECT symbol, * EXCLUDE (symbol, year, month)
        FROM read_parquet('{folder}/daily_filled/**/*.parquet', hive_partitioning = true) ORDER BY symbol, date""").pl()
    assert lake.daily_filled().to_polars().equals(stored)


def test_status_counts_what_is_there(lake, minutes):
    status = lake.status("BTCUSDT")
    assert (status["symbol"], status["minutes"], status["holes"], status["coverage"]) == (["BTCUSDT"], [len(minutes)], [0], [1.0])
    assert status["last"] == [dt.datetime(2024, 6, 25, 23, 59, tzinfo=UTC)]
    assert len(lake.status()) == len(lake.symbols()) == 2


def test_mistakes_are_exceptions_with_code_and_remedy(lake, tmp_path):
    for work, cls, code in [
        (lambda: lake.candles("XRPUSDT"), chandler.NotFoundError, "not_found"),
        (lambda: lake.candles("BTCUSDT", "7m"), chandler.UsageError, "usage"),
        (lambda: lake.candles("BTCUSDT", start="2024-06-05", end="2024-06-01"), chandler.UsageError, "usage"),
        (lambda: lake.candles("BTCUSDT", start="yesterday"), chandler.UsageError, "usage"),
        (lambda: lake.forecast("BTCUSDT"), chandler.NotFoundError, "not_found"),
        (lambda: chandler.Lake(tmp_path / "nowhere"), chandler.NotFoundError, "not_found"),
        (lambda: chandler.roll_up([1, 2], "1h"), chandler.UsageError, "usage"),
    ]:
        with pytest.raises(chandler.ChandlerError) as caught:
            work()
        assert type(caught.value) is cls and caught.value.code == code and caught.value.what
        assert caught.value.remedy in str(caught.value)


def test_a_damaged_file_is_named_by_whoever_reads_it(tmp_path):
    lake = chandler.demo(tmp_path)
    file = tmp_path / "klines_1m/symbol=BTCUSDT/year=2024/month=6/part.parquet"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)
    stream = lake.candles("BTCUSDT", "1m")
    with pytest.raises(chandler.DamagedError) as caught:
        stream.collect()
    assert "month=6" in caught.value.where
    with pytest.raises(Exception, match="month=6"):
        pa.table(stream)


def test_forecast_and_metrics_are_what_the_program_wrote(tmp_path):
    program = os.environ.get("CHANDLER_PROGRAM")
    if not program:
        pytest.skip("CHANDLER_PROGRAM is not set: there is no program to forecast with")
    lake = chandler.demo(tmp_path)
    done = subprocess.run([program, "--lake", tmp_path, "forecast", "ETHUSDT", "--horizon", "7", "--no-plots", "--json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)["run"]
    forecast = lake.forecast("ETHUSDT")
    stored = pl.read_parquet(tmp_path / f"forecasts/run={run}/ETHUSDT_forecast.parquet", hive_partitioning=False)
    assert forecast.to_polars().equals(stored) and len(forecast) == 7
    metrics = lake.metrics("ETHUSDT").to_polars()
    text = pl.read_csv(tmp_path / f"forecasts/run={run}/metrics.csv")
    assert metrics["model"].to_list() == text["model"].to_list()
    assert metrics["mse"].equals(text["mse"]) and metrics["saved"].sum() == 1
    assert lake.metrics(run=run).columns == text.columns
    with pytest.raises(chandler.NotFoundError):
        lake.forecast("BTCUSDT")
