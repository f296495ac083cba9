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
        ("klines?symbol=BTCUSDT&interval=", -1102, mandatory.format("interval")),
        ("klines?symbol=BTCUSDT&interval=7m", -1120, "Invalid interval."),
        ("klines?symbol=BTCUSDT&interval=1D", -1120, "Invalid interval."),
        ("klines?symbol=&interval=1m", -1105, "Parameter 'symbol' was empty."),
        ("klines?symbol=btcusdt&interval=1m", -1100, "Illegal characters found in parameter 'symbol'; legal range is '^[A-Z0-9-_.]{1,20}$'."),
        ("klines?symbol=BTCUSDT&interval=1m&startTime=-1", -1100, "Illegal characters found in parameter 'startTime'; legal range is '^[0-9]{1,20}$'."),
        ("klines?symbol=BTCUSDT&interval=1m&limit=0", -1130, "Data sent for parameter 'limit' is not valid."),
        ("klines?symbol=BTCUSDT&interval=1m&x=1", -1104, "Not all sent parameters were read; read '2' parameter(s) but was sent '3'."),
        ("klines?symbol=BTCUSDT&symbol=BTCUSDT&interval=1m", -1101, "Duplicate values for a parameter detected."),
        ("ticker/24hr?symbol=BTCUSDT&symbols=%5B%22BTCUSDT%22%5D", -1128, "Combination of optional parameters invalid."),
        ("exchangeInfo?symbol=BOGUS", -1121, "Invalid symbol."),
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
