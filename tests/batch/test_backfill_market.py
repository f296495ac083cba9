"""Backfill of a whole market: many symbols, some of which do not trade any more, some of which fail."""

from exchange_double import DAY, MINUTE

MAY_1 = 1714521600000  # 2024-05-01T00:00Z
QUICK = ["--request-timeout", "2", "--seed", "7"]


def backfill(chandler, exchange, *arguments, check=0):
    return chandler("backfill", *arguments, "--rest-url", exchange.url, "--archive-url", exchange.url, *QUICK, check=check)


def market(exchange, names, days=2):
    for name in names:
        exchange.add_days(name, MAY_1, days)
    exchange.now = MAY_1 + days * DAY


def test_pairs_that_do_not_trade_are_left_out_and_named_but_kept_up_once_they_are_in_the_lake(chandler, exchange):
    market(exchange, ["BTCUSDT", "ETHUSDT", "OLDUSDT", "TRUMPUPUSDT"])
    exchange.status = {"OLDUSDT": "BREAK", "TRUMPUPUSDT": "BREAK"}
    backfill(chandler, exchange, "OLDUSDT", "--until", "2024-05-01")
    done = backfill(chandler, exchange, "--all", "USDT", "--json")
    assert [s["symbol"] for s in done.json["symbols"]] == ["BTCUSDT", "ETHUSDT", "OLDUSDT"]
    assert done.json["left_out"] == ["TRUMPUPUSDT"]
    again = backfill(chandler, exchange, "--all", "USDT")
    assert "1 pair of USDT not traded now and left out (TRUMPUPUSDT)" in again.err
    assert len(chandler.rows("klines_1m", "OLDUSDT")) == 2880


def test_a_market_that_has_closed_is_no_failure_and_costs_next_to_nothing(chandler, exchange):
    market(exchange, ["BTCUSDT", "LUNAUSDT"])
    backfill(chandler, exchange, "BTCUSDT", "LUNAUSDT")
    exchange.add_days("BTCUSDT", MAY_1 + 2 * DAY, 28)
    exchange.now = MAY_1 + 30 * DAY
    exchange.status["LUNAUSDT"] = "BREAK"
    for _ in range(2):  # nothing is learnt for good: the market may open again
        exchange.requests.clear()
        done = backfill(chandler, exchange, "--json", check=0).json
        luna = done["symbols"][1]
        assert (luna["nothing_from"], luna["exchange_status"]) == ("2024-05-03T00:00:00Z", "BREAK")
        assert luna["unanswered"] == luna["holes"] == [] and done["complete"]
        assert len([p for path, p in exchange.requests if "LUNA" in path or p.get("symbol") == "LUNAUSDT"]) == 1
    assert "LUNAUSDT: not traded now (BREAK); the exchange has nothing from 2024-05-03 00:00 on" in backfill(chandler, exchange).out
    exchange.add_days("BTCUSDT", MAY_1 + 30 * DAY, 1)
    exchange.add_days("LUNAUSDT", MAY_1 + 30 * DAY, 1)
    exchange.now += DAY
    exchange.status.clear()
    backfill(chandler, exchange, check=0)
    assert len(chandler.rows("klines_1m", "LUNAUSDT")) == 3 * 1440


def test_a_market_that_closed_lately_is_no_failure_either_and_one_that_trades_is(chandler, exchange):
    market(exchange, ["LUNAUSDT"])
    backfill(chandler, exchange, "LUNAUSDT")
    exchange.now += 5 * 60 * MINUTE
    assert "is missing 2024-05-03 00:00" in backfill(chandler, exchange, check=1).err
    exchange.status["LUNAUSDT"] = "BREAK"
    assert "not traded now (BREAK)" in backfill(chandler, exchange, check=0).out


def test_a_symbol_that_fails_loses_none_of_the_others(chandler, exchange):
    names = [f"A{i:02}USDT" for i in range(30)]
    market(exchange, names, days=1)
    exchange.before = lambda path, p: (
        (400, {}, b'{"code":-1100,"msg":"Illegal characters found in a parameter."}') if p.get("symbol") == "A07USDT" else None)
    done = backfill(chandler, exchange, "--all", "USDT", check=1)
    assert "A07USDT" in done.err and done.err.count("error:") == 1
    assert "29 symbols: 0 minutes stored, 41,760 missing of 29 symbols" in done.err
    assert "Fetched what was missing of 29 of 30 symbols" in done.out
    assert sorted({s for s in chandler.table("klines_1m")["symbol"].to_pylist()}) == [n for n in names if n != "A07USDT"]
    exchange.before = None
    backfill(chandler, exchange, check=0)  # those of the lake
    backfill(chandler, exchange, "--all", "USDT", check=0)
    assert len(chandler.rows("klines_1m", "A07USDT")) == 1440


def test_ranges_that_fail_alike_side_by_side_are_told_once(chandler, exchange):
    market(exchange, ["BTCUSDT"], days=20)
    exchange.before = lambda path, p: (404, {}, b"<Error/>") if path.startswith("/data/") else None
    done = backfill(chandler, exchange, "BTCUSDT", "--source", "archive", check=1)
    assert done.err.count("error:") == 1
    assert "BTCUSDT is missing 2024-05-01 00:00 … 2024-05-21 00:00, in 20 pieces; the first: the archive has no file" in done.err
    assert "Fetched nothing of 28,800 missing minutes" in done.out
