"""/api/v3 beside answers that the exchange itself gave: the same keys in the same order, types, number formats and errors."""

import csv
import json
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from dashboard_process import Dashboard  # noqa: E402

from program import ROOT, Chandler  # noqa: E402

RECORDED = ROOT / "tests/data/exchange"
DECIMAL = re.compile(r"-?\d+\.\d{8}")


def recorded(name):
    return json.loads((RECORDED / name).read_text())


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory):
    """A lake of the candles in the recorded answers, in the exchange's own CSV."""
    folder = tmp_path_factory.mktemp("recorded")
    chandler = Chandler(folder / "lake", folder)
    for symbol, interval, answer in (("BTCUSDT", "1m", "klines_1m.json"), ("ETHBTC", "1d", "klines_1d_ETHBTC.json")):
        file = folder / f"{symbol}.csv"
        with file.open("w", newline="") as out:
            csv.writer(out).writerows(recorded(answer))
        chandler("import", file, "--symbol", symbol, "--interval", interval, "--quiet", check=0)
    with Dashboard(folder / "lake") as running:
        yield running


def refused(dashboard, target):
    status, headers, body = dashboard.get("/api/v3/" + target)
    assert status == 400, (target, body)
    assert headers["Content-Type"].startswith("application/json")
    return json.loads(body)


def shape(value):
    """Keys in their order and types; of a text, whether it is a decimal of eight places."""
    if isinstance(value, dict):
        return {key: shape(v) for key, v in value.items()}
    if isinstance(value, list):
        return [shape(v) for v in value[:1]]
    if isinstance(value, str):
        return "decimal" if DECIMAL.fullmatch(value) else "text"
    return type(value).__name__


@pytest.mark.parametrize("endpoint", ["klines", "uiKlines"])
def test_klines_are_the_recorded_bytes(dashboard, endpoint):
    whole = (RECORDED / "klines_1m.json").read_bytes().strip()
    query = f"/api/v3/{endpoint}?symbol=BTCUSDT&interval=1m&startTime=1588740088000&endTime=1588743688000"
    status, headers, body = dashboard.get(query)
    assert (status, body) == (200, whole), "as the exchange answered the same query on 2020-05-06"
    assert headers["Content-Type"].startswith("application/json")


def test_days_of_a_coin_that_costs_little_are_the_recorded_bytes(dashboard):
    query = "/api/v3/klines?symbol=ETHBTC&interval=1d&startTime=1672531200000&endTime=1673136000000&limit=1000"
    assert dashboard.get(query)[2] == (RECORDED / "klines_1d_ETHBTC.json").read_bytes()


def test_a_ticker_has_what_the_exchanges_has(dashboard):
    theirs = {t["symbol"]: t for t in recorded("ticker_24hr.json")}
    ours = dashboard.json("/api/v3/ticker/24hr")
    assert [t["symbol"] for t in ours] == ["BTCUSDT", "ETHBTC"]
    for ticker in ours:
        other = theirs[ticker["symbol"]]
        assert list(ticker) == list(other), "keys in the exchange's order"
        assert shape(ticker) == shape(other)
        assert re.fullmatch(r"-?\d+\.\d{3}", ticker["priceChangePercent"]) and re.fullmatch(r"-?\d+\.\d{3}", other["priceChangePercent"])
    for ticker in [*ours, *theirs.values()]:  # the same sums hold in both
        last, first = float(ticker["lastPrice"]), float(ticker["openPrice"])
        assert float(ticker["priceChange"]) == pytest.approx(last - first, abs=1e-8)
        assert float(ticker["priceChangePercent"]) == pytest.approx((last / first - 1) * 100, abs=6e-4)
        assert float(ticker["weightedAvgPrice"]) == pytest.approx(float(ticker["quoteVolume"]) / float(ticker["volume"]), abs=1e-8)
        assert ticker["closeTime"] - ticker["openTime"] in (86_400_000, 86_399_999)
    one = dashboard.json("/api/v3/ticker/24hr?symbol=BTCUSDT")
    assert one == next(t for t in ours if t["symbol"] == "BTCUSDT"), "one symbol: an object, no list"


def test_exchange_info_has_what_the_exchanges_has(dashboard):
    theirs, ours = recorded("exchange_info_2025.json"), dashboard.json("/api/v3/exchangeInfo")
    assert set(ours) == set(theirs) and list(ours) == list(recorded("exchange_info_2019.json")), "2025's was recorded with sorted keys"
    assert [{k: v for k, v in limit.items() if k != "limit"} for limit in ours["rateLimits"]] == [
        {k: v for k, v in limit.items() if k != "limit"} for limit in theirs["rateLimits"]]
    other = next(s for s in theirs["symbols"] if s["symbol"] == "ETHBTC")
    for symbol in ours["symbols"]:
        assert set(other) <= set(symbol), "nothing that a client reads is missing"
        common = {key: value for key, value in symbol.items() if key in other and key not in ("filters", "permissions", "permissionSets")}
        assert shape(common) == {key: shape(other[key]) for key in common}
        filters = {f["filterType"]: f for f in symbol["filters"]}
        for wanted in other["filters"]:
            if wanted["filterType"] in filters:
                assert shape(filters[wanted["filterType"]]) == shape(wanted)
        assert {"PRICE_FILTER", "LOT_SIZE", "NOTIONAL", "MARKET_LOT_SIZE"} <= set(filters)


def test_time_and_ping(dashboard):
    assert shape(dashboard.json("/api/v3/time")) == shape(recorded("time.json"))
    assert dashboard.get("/api/v3/ping")[2] == b"{}"


def test_refusals_are_the_exchanges(dashboard):
    assert refused(dashboard, "klines?symbol=BOGUS&limit=2&interval=1h") == recorded("error_invalid_symbol.json")
    illegal = recorded("error_illegal_limit.json")  # of /depth: its legal range is a list
    ours = refused(dashboard, "klines?symbol=BTCUSDT&interval=1m&limit=two")
    assert ours["code"] == illegal["code"]
    assert ours["msg"].split("'; legal range is '")[0] == illegal["msg"].split("'; legal range is '")[0]
    # From the exchange's documentation of error codes.
    mandatory = "Mandatory parameter '{}' was not sent, was empty/null, or malformed."
    for target, code, message in (
        ("klines?interval=1m", -1102, mandatory.format("symbol")),
        ("klines?symbol=BTCUSDT", -1102, mandatory.format("interval")),
        ("klines?symbol=BTCUSDT&interval=", -1105, "Parameter 'interval' was empty."),
        ("klines?symbol=BTCUSDT&interval=1m&limit=", -1105, "Parameter 'limit' was empty."),
        ("klines?symbol=BOGUS&interval=1", -1121, "Invalid symbol."),  # the symbol is looked for first
        ("klines?symbol=BTCUSDT&interval=7m", -1120, "Invalid interval."),
        ("klines?symbol=BTCUSDT&interval=1D", -1120, "Invalid interval."),
        ("klines?symbol=&interval=1m", -1105, "Parameter 'symbol' was empty."),
        ("klines?symbol=btcusdt&interval=1m", -1100, "Illegal characters found in parameter 'symbol'; legal range is '^[A-Z0-9-_.]{1,20}$'."),
        ("klines?symbol=BTCUSDT&interval=1m&startTime=-1", -1100, "Illegal characters found in parameter 'startTime'; legal range is '^[0-9]{1,20}$'."),
        ("klines?symbol=BTCUSDT&interval=1m&limit=0", -1130, "Data sent for parameter 'limit' is not valid."),
        ("klines?symbol=BTCUSDT&interval=1m&x=1", -1104, "Not all sent parameters were read; read '2' parameter(s) but was sent '3'."),
        ("klines?symbol=BTCUSDT&symbol=BTCUSDT&interval=1m", -1101, "Duplicate values for a parameter detected."),
        ("ticker/24hr?symbol=BTCUSDT&symbols=%5B%22BTCUSDT%22%5D", -1128, "Combination of optional parameters invalid."),
        ("ticker/24hr?type=BIG", -1139, "Invalid ticker type."),
        ("ticker/24hr?symbolStatus=OPEN", -1122, "Invalid symbolStatus."),
        ("ticker/24hr?symbol=BTCUSDT&symbolStatus=HALT", -1220, "The symbol's status does not match the requested symbolStatus."),
        ("exchangeInfo?symbol=BOGUS", -1121, "Invalid symbol."),
        ("exchangeInfo?symbol=BTCUSDT&symbolStatus=TRADING", -1128, "Combination of optional parameters invalid."),
        ("exchangeInfo?symbols=%5B%22BTCUSDT%22,%22BTCUSDT%22%5D", -1151, "Symbol is present multiple times in the list."),
        ("exchangeInfo?permissions=FREE", -1130, "Data sent for parameter 'permissions' is not valid."),
    ):
        assert refused(dashboard, target) == {"code": code, "msg": message}, target


def test_an_operation_that_is_not_offered_is_refused_as_clients_expect_it(dashboard):
    status, _, body = dashboard.get("/api/v3/depth?symbol=BTCUSDT")
    assert (status, json.loads(body)) == (404, {"code": -1020, "msg": "This operation is not supported."})


def test_what_the_exchange_does_not_refuse(dashboard):
    minutes = "/api/v3/klines?symbol=BTCUSDT&interval=1m"
    assert len(dashboard.json(minutes + "&limit=5000")) == 60, "a limit that is too large is cut"
    assert dashboard.json(minutes + "&startTime=1588743688000&endTime=1588740088000") == [], "a range that ends before it begins is empty"
    assert dashboard.json(minutes + "&startTime=99999999999999999999") == []
    assert [k[0] for k in dashboard.json(minutes + "&limit=2")] == [k[0] for k in recorded("klines_1m.json")[-2:]], "the newest, oldest first"
    assert [k[0] for k in dashboard.json(minutes + "&limit=2&startTime=0")] == [k[0] for k in recorded("klines_1m.json")[:2]]


def names(dashboard, query):
    return [s["symbol"] for s in dashboard.json("/api/v3/exchangeInfo" + query)["symbols"]]


def test_symbols_are_chosen_by_permission_and_status(dashboard):
    both, lists = ["BTCUSDT", "ETHBTC"], "?permissions=%5B%22{}%22%5D"
    assert names(dashboard, "") == names(dashboard, "?permissions=SPOT") == both
    assert names(dashboard, lists.format("MARGIN%22,%22LEVERAGED")) == names(dashboard, lists.format("TRD_GRP_002%22,%22SPOT")) == both
    assert names(dashboard, "?permissions=LEVERAGED") == names(dashboard, lists.format("TRD_GRP_025")) == []
    assert names(dashboard, "?symbolStatus=TRADING") == ["ETHBTC"], "BTCUSDT ends years before"
    assert names(dashboard, "?symbolStatus=BREAK") == ["BTCUSDT"] and names(dashboard, "?symbolStatus=HALT") == []
    tickers = dashboard.json("/api/v3/ticker/24hr?symbols=%5B%22BTCUSDT%22,%22ETHBTC%22%5D&symbolStatus=TRADING&type=MINI")
    assert [t["symbol"] for t in tickers] == ["ETHBTC"] and "bidPrice" not in tickers[0]
    one = dashboard.json("/api/v3/exchangeInfo?symbol=ETHBTC&showPermissionSets=false")["symbols"][0]
    assert one["permissionSets"] == [] and one["symbol"] == "ETHBTC"


def test_times_are_told_and_taken_in_microseconds(dashboard):
    """The same header, and numbers of the same size, as the exchange's documentation gives."""
    def answer(target, unit="MICROSECOND"):
        status, _, body = dashboard.get("/api/v3/" + target, {"X-MBX-TIME-UNIT": unit})
        return status, json.loads(body)

    first, last = 1588740120000, 1588740180000
    target = f"klines?symbol=BTCUSDT&interval=1m&startTime={first}&endTime={last}"
    rows = dashboard.json("/api/v3/" + target)
    assert [r[0] for r in rows] == [first, last]
    in_microseconds = [[r[0] * 1000, *r[1:6], r[6] * 1000 + 999, *r[7:]] for r in rows]
    assert answer(target) == answer(target, "microsecond") == (200, in_microseconds)
    assert answer(target, "millisecond") == (200, rows), "and one does not stand for the other in the cache"
    assert dashboard.json(f"/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime={first}000&endTime={last}999") == rows
    assert dashboard.json(f"/api/v3/klines?symbol=BTCUSDT&interval=1m&startTime={first}001&endTime={last}000") == rows[1:]
    assert answer(target, "SECOND") == (400, {"code": -1194, "msg": "Invalid value for time unit; expected either MICROSECOND or MILLISECOND."})
    assert answer("time")[1]["serverTime"] // 1_000_000_000 == dashboard.json("/api/v3/time")["serverTime"] // 1_000_000
    ticker, other = answer("ticker/24hr?symbol=ETHBTC")[1], dashboard.json("/api/v3/ticker/24hr?symbol=ETHBTC")
    assert (ticker["openTime"], ticker["closeTime"]) == (other["openTime"] * 1000, other["closeTime"] * 1000 + 999)


def test_every_answer_tells_the_weight_that_was_used(dashboard):
    for target in ("ping", "time", "exchangeInfo", "klines?symbol=BTCUSDT&interval=1m", "ticker/24hr", "klines?symbol=BOGUS&interval=1m"):
        _, headers, _ = dashboard.get("/api/v3/" + target)
        assert headers["X-MBX-USED-WEIGHT"] == headers["X-MBX-USED-WEIGHT-1M"] == "0", target
