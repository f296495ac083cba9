"""What the pipeline that chandler replaces got wrong, as far as the batch layer goes. Numbers are those of the design."""

import datetime
import json
import math

from exchange_double import DAY, MINUTE, minute_kline

MAY_1 = 1714521600000  # 2024-05-01T00:00Z
QUICK = ["--source", "rest", "--request-timeout", "2", "--seed", "7"]


def day(text):
    return datetime.date.fromisoformat(text)


def backfill(chandler, exchange, *arguments, **kwargs):
    return chandler("backfill", *arguments, "--rest-url", exchange.url, *QUICK, **kwargs)


def opened(rows):
    return [int(r["open_time"].timestamp() * 1000) for r in rows]


def test_01_a_page_that_comes_back_empty_ends_with_the_missing_range_named(chandler, exchange):
    exchange.add_days("BTCUSDT", MAY_1, 2)
    exchange.now = MAY_1 + 2 * DAY
    exchange.before = lambda path, p: exchange._json([]) if path.endswith("/klines") and int(p.get("startTime", 0)) >= MAY_1 + DAY else None
    done = backfill(chandler, exchange, "BTCUSDT", "--since", "2024-05-01", timeout=60)
    assert done.code == 1
    assert "2024-05-02 09:20" in done.err and "BTCUSDT" in done.err
    assert len(exchange.requests) < 200
    assert len(chandler.rows("klines_1m")) == 2000, "what was answered is kept"


def test_01_a_page_that_fails_for_ever_ends_with_the_missing_range_named(chandler, exchange):
    exchange.add_days("BTCUSDT", MAY_1, 2)
    exchange.now = MAY_1 + 2 * DAY
    exchange.before = lambda path, p: (500, {}, b"<html>oops</html>") if path.endswith("/klines") and int(p.get("startTime", 0)) >= MAY_1 + DAY else None
    done = backfill(chandler, exchange, "BTCUSDT", "--since", "2024-05-01", "--deadline", "8", timeout=60)
    assert done.code == 1
    assert "2024-05-0" in done.err and exchange.url in done.err
    exchange.before = None
    backfill(chandler, exchange, check=0)
    assert len(chandler.rows("klines_1m")) == 2880, "running again finishes the work"


def test_01_an_empty_page_inside_the_history_is_a_hole_only_if_the_exchange_confirms_it(chandler, exchange):
    exchange.add("BTCUSDT", [t for t in range(MAY_1, MAY_1 + 3 * DAY, MINUTE) if not MAY_1 + DAY <= t < MAY_1 + 2 * DAY])
    exchange.now = MAY_1 + 3 * DAY
    done = backfill(chandler, exchange, "BTCUSDT", "--since", "2024-05-01", "--json", check=0).json
    assert done["symbols"][0]["holes"] == [{"from": "2024-05-02T00:00:00Z", "to": "2024-05-03T00:00:00Z"}]
    before = len(exchange.kline_requests())
    backfill(chandler, exchange, check=0)
    assert len(exchange.kline_requests()) == before, "the exchange's own hole is not asked for again"
    backfill(chandler, exchange, "--refetch", check=0)
    assert len(exchange.kline_requests()) > before, "unless the user wants that"


def test_02_days_are_cut_in_utc_whatever_the_machine_thinks(chandler, exchange):
    exchange.add_days("BTCUSDT", MAY_1, 2)
    exchange.now = MAY_1 + 2 * DAY
    backfill(chandler, exchange, "BTCUSDT", "--since", "2024-05-01", check=0, env={"TZ": "Asia/Tokyo"})
    assert [(r["date"], r["cnt"]) for r in chandler.rows("daily_filled")] == [(day("2024-05-01"), 1440), (day("2024-05-02"), 1440)]


def test_03_the_open_minute_and_the_open_day_are_not_stored_and_the_next_run_completes_the_day(chandler, exchange):
    exchange.add_days("BTCUSDT", MAY_1, 2)
    exchange.now = MAY_1 + DAY + 10 * MINUTE + 30_000  # 00:10:30 of the second day
    backfill(chandler, exchange, "BTCUSDT", "--since", "2024-05-01", check=0)
    assert opened(chandler.rows("klines_1m"))[-1] == MAY_1 + DAY + 9 * MINUTE
    assert [r["date"] for r in chandler.rows("daily_filled")] == [day("2024-05-01")]
    exchange.now = MAY_1 + 2 * DAY
    backfill(chandler, exchange, check=0)
    rows = chandler.rows("daily_filled")
    assert [(r["date"], r["cnt"]) for r in rows] == [(day("2024-05-01"), 1440), (day("2024-05-02"), 1440)]
    last = exchange.klines["BTCUSDT", "1m"][MAY_1 + 2 * DAY - MINUTE]
    assert rows[-1]["daily_close"] == float(last[4])


def test_04_each_symbol_and_each_hole_is_caught_up(chandler, exchange):
    exchange.add_days("BTCUSDT", MAY_1, 3)
    exchange.add_days("ETHUSDT", MAY_1, 3)
    exchange.now = MAY_1 + 3 * DAY
    backfill(chandler, exchange, "BTCUSDT", "--since", "2024-05-01", check=0)
    backfill(chandler, exchange, "ETHUSDT", "--since", "2024-05-01", "--until", "2024-05-01", check=0)
    backfill(chandler, exchange, "ETHUSDT", "--since", "2024-05-03", check=0)  # leaves the second day out
    assert len(chandler.rows("klines_1m", "ETHUSDT")) == 2880
    backfill(chandler, exchange, check=0)
    assert opened(chandler.rows("klines_1m", "ETHUSDT")) == list(range(MAY_1, MAY_1 + 3 * DAY, MINUTE))
    assert opened(chandler.rows("klines_1m", "BTCUSDT")) == list(range(MAY_1, MAY_1 + 3 * DAY, MINUTE))


def test_05_06_the_first_missing_day_after_the_stored_history_is_filled_from_it_with_no_volume(chandler, exchange):
    exchange.add_days("BTCUSDT", MAY_1, 1)
    exchange.now = MAY_1 + DAY
    backfill(chandler, exchange, "BTCUSDT", "--since", "2024-05-01", check=0)
    exchange.add_days("BTCUSDT", MAY_1 + 2 * DAY, 1)  # nothing on the second day
    exchange.now = MAY_1 + 3 * DAY
    backfill(chandler, exchange, check=0)
    first, second, third = chandler.rows("daily_filled")
    assert second["date"] == day("2024-05-02") and second["filled"] and second["cnt"] == 0
    assert {second[f"daily_{c}"] for c in ("open", "high", "low", "close")} == {first["daily_close"]}
    assert second["daily_volume"] == 0
    assert not first["filled"] and not third["filled"]


def test_07_08_a_stored_value_wins_over_another_of_the_same_rank_and_the_difference_is_reported(chandler, exchange):
    exchange.add_days("BTCUSDT", MAY_1, 1)
    exchange.now = MAY_1 + DAY
    backfill(chandler, exchange, "BTCUSDT", "--since", "2024-05-01", check=0)
    before = chandler.files()
    exchange.klines["BTCUSDT", "1m"][MAY_1] = minute_kline(MAY_1, 555.0)
    assert chandler.files() == before
    done = backfill(chandler, exchange, "--refetch", "--json", check=0).json
    assert [d["open_time"] for d in done["symbols"][0]["differences"]] == ["2024-05-01T00:00:00Z"]
    assert chandler.rows("klines_1m")[0]["open"] == 555.0, "--refetch lets the answer win"
    assert chandler.rows("daily_filled")[0]["daily_open"] == 555.0


def test_09_one_layout_for_each_table(chandler, exchange):
    exchange.add_days("BTCUSDT", MAY_1, 1)
    exchange.now = MAY_1 + DAY
    backfill(chandler, exchange, "BTCUSDT", "--since", "2024-05-01", check=0)
    assert sorted(chandler.files()) == ["daily_filled/symbol=BTCUSDT/year=2024/month=5/part.parquet",
                                        "klines_1m/symbol=BTCUSDT/year=2024/month=5/part.parquet",
                                        "prophet_input/symbol=BTCUSDT/part.parquet"]


def test_14_symbols_and_paths_are_the_users(chandler, exchange):
    exchange.add_days("DOGEUSDT", MAY_1, 1)
    exchange.now = MAY_1 + DAY
    backfill(chandler, exchange, "dogeusdt", "--since", "2024-05-01", check=0)
    assert len(chandler.rows("klines_1m", "DOGEUSDT")) == 1440


def test_15_filled_days_carry_their_symbol(chandler, exchange):
    for symbol in ("BTCUSDT", "ETHUSDT"):
        exchange.add_days(symbol, MAY_1, 1)
        exchange.add_days(symbol, MAY_1 + 2 * DAY, 1)
    exchange.now = MAY_1 + 3 * DAY
    backfill(chandler, exchange, "BTCUSDT", "ETHUSDT", "--since", "2024-05-01", check=0)
    for symbol in ("BTCUSDT", "ETHUSDT"):
        assert [r["filled"] for r in chandler.rows("daily_filled", symbol)] == [False, True, False]


def test_moving_averages_run_over_the_whole_history(chandler, exchange):
    exchange.add_days("BTCUSDT", MAY_1, 40, price=lambda t: 100.0 + (t - MAY_1) // DAY)
    exchange.now = MAY_1 + 40 * DAY
    for until in ("2024-05-20", "2024-06-03", "2024-06-09"):
        backfill(chandler, exchange, "BTCUSDT", "--since", "2024-05-01", "--until", until, check=0)
    rows = chandler.rows("daily_filled")
    closes = [r["daily_close"] for r in rows]
    assert len(rows) == 40
    for i, row in enumerate(rows):
        for column, window in (("ma7", 7), ("ma30", 30)):
            part = closes[max(0, i + 1 - window):i + 1]
            assert math.isclose(row[column], sum(part) / len(part), rel_tol=1e-12)


def test_a_run_with_nothing_to_do_asks_only_the_time_and_rewrites_nothing(chandler, exchange):
    exchange.add_days("BTCUSDT", MAY_1, 2)
    exchange.now = MAY_1 + 2 * DAY
    backfill(chandler, exchange, "BTCUSDT", "--since", "2024-05-01", check=0)
    stamps = {p: p.stat().st_mtime_ns for p in chandler.lake.rglob("*.parquet")}
    exchange.requests.clear()
    done = backfill(chandler, exchange, check=0)
    assert "othing" in done.out + done.err
    assert [path for path, _ in exchange.requests] == ["/api/v3/time"]
    assert {p: p.stat().st_mtime_ns for p in chandler.lake.rglob("*.parquet")} == stamps


def test_an_unknown_symbol_is_named_with_a_suggestion_and_the_others_go_on(chandler, exchange):
    exchange.add_days("BTCUSDT", MAY_1, 1)
    exchange.now = MAY_1 + DAY
    done = backfill(chandler, exchange, "BTCUSD", "BTCUSDT", "--since", "2024-05-01", check=1)
    assert "unknown symbol BTCUSD" in done.err and "did you mean BTCUSDT?" in done.err
    assert len(chandler.rows("klines_1m")) == 1440


def test_rows_that_lie_outside_what_was_asked_are_refused(chandler, exchange):
    exchange.add_days("BTCUSDT", MAY_1, 1)
    exchange.now = MAY_1 + DAY
    wrong = json.dumps([minute_kline(MAY_1 - DAY)]).encode()
    exchange.before = lambda path, p: (200, {}, wrong) if path.endswith("/klines") else None
    done = backfill(chandler, exchange, "BTCUSDT", "--since", "2024-05-01", "--deadline", "3", timeout=60)
    assert done.code in (1, 3) and done.err.strip()
    assert chandler.rows("klines_1m") == []


def test_impossible_rows_are_rejected_with_their_reason(chandler, exchange):
    exchange.add_days("BTCUSDT", MAY_1, 1)
    exchange.now = MAY_1 + DAY
    exchange.klines["BTCUSDT", "1m"][MAY_1 + MINUTE][2] = "1.0"  # high below low
    done = backfill(chandler, exchange, "BTCUSDT", "--since", "2024-05-01", "--json", check=0).json["symbols"][0]
    assert done["rejected"] == [{"open_time": "2024-05-01T00:01:00Z", "reason": "high is below low"}]
    assert len(chandler.rows("klines_1m")) == 1439


def test_an_exchange_that_cannot_be_reached_is_exit_3(chandler):
    done = chandler("backfill", "BTCUSDT", "--rest-url", "http://127.0.0.1:9", "--deadline", "2", timeout=60, check=3)
    assert "http://127.0.0.1:9" in done.err


def test_build_leaves_the_bytes_that_backfill_left(chandler, exchange):
    exchange.add_days("BTCUSDT", MAY_1, 35)
    exchange.now = MAY_1 + 35 * DAY
    for until in ("2024-05-10", "2024-06-01", "2024-06-04"):
        backfill(chandler, exchange, "BTCUSDT", "--since", "2024-05-01", "--until", until, check=0)
    files = chandler.files()
    chandler("build", check=0)
    assert chandler.files() == files
    for path in files:
        if not path.startswith("klines"):
            (chandler.lake / path).unlink()
    chandler("build", check=0)
    assert chandler.files() == files, "deleting a derived table loses nothing"
