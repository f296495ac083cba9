"""The simulator as clients see it that we did not write: ccxt and python-binance page through klines and get the rows
of the recorded files, to the last digit."""

import pathlib
import sys

import ccxt
import pytest
from binance.client import Client
from binance.exceptions import BinanceAPIException

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from sim_process import Sim, recorded  # noqa: E402

NOW = "2024-06-01T12:00:30Z"
MAY_31, JUNE_1, DAY = 1717113600000, 1717200000000, 86_400_000


@pytest.fixture(scope="module")
def sim():
    with Sim("--now", NOW, "--speed", "0") as running:
        yield running


@pytest.fixture(scope="module")
def python_binance(sim):
    Client.API_URL = sim.url + "/api"
    client = Client(ping=False)
    client.API_URL = sim.url + "/api"
    return client


@pytest.fixture(scope="module")
def binance(sim):
    exchange = ccxt.binance({"enableRateLimit": False, "options": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False}})
    exchange.urls["api"]["public"] = sim.url + "/api/v3"
    exchange.load_markets()
    return exchange


def test_python_binance_pages_through_a_day_and_gets_the_recorded_rows(python_binance):
    rows = python_binance.get_historical_klines("BTCUSDT", "1m", MAY_31, JUNE_1 - 1)
    assert rows == recorded("2024-05-31")


def test_python_binance_generator_stops_at_the_open_candle(python_binance):
    rows = list(python_binance.get_historical_klines_generator("BTCUSDT", "1m", JUNE_1))
    whole = recorded("2024-06-01")
    assert rows[:-1] == whole[:720]
    assert rows[-1][0] == whole[720][0] and rows[-1] != whole[720], "the last one is still open"
    assert float(rows[-1][5]) <= float(whole[720][5])


def test_python_binance_finds_the_first_candle(python_binance):
    assert python_binance._get_earliest_valid_timestamp("BTCUSDT", "1m") == recorded("2023-03-24")[0][0]


def test_python_binance_reads_the_outage_as_it_was(python_binance):
    rows = python_binance.get_historical_klines("BTCUSDT", "1m", "24 Mar, 2023", "24 Mar, 2023 23:59")
    wanted = recorded("2023-03-24")
    cut = [r for r in wanted if r[6] != r[0] + 59_999]
    assert len(cut) == 1, "the minute in which the exchange stopped ends early in the recording"
    cut[0][6] = cut[0][0] + 59_999  # the simulator knows when candles open, not when a recording was cut
    assert rows == wanted


def test_python_binance_understands_errors_tickers_and_the_rest(python_binance):
    with pytest.raises(BinanceAPIException) as refused:
        python_binance.get_klines(symbol="NOSUCH", interval="1m")
    assert (refused.value.status_code, refused.value.code, refused.value.message) == (400, -1121, "Invalid symbol.")
    with pytest.raises(BinanceAPIException) as refused:
        python_binance.get_klines(symbol="BTCUSDT")
    assert refused.value.code == -1102
    assert python_binance.ping() == {}
    assert python_binance.get_server_time() == {"serverTime": JUNE_1 + DAY // 2 + 30_000}
    assert python_binance.get_symbol_info("BTCUSDT")["baseAsset"] == "BTC"
    assert python_binance.get_ticker(symbol="BTCUSDT")["count"] > 100_000
    assert [k[0] for k in python_binance.get_ui_klines(symbol="BTCUSDT", interval="1d", limit=2)] == [MAY_31, JUNE_1]


def test_ccxt_pages_through_a_day_and_gets_the_recorded_rows(binance):
    since, rows = MAY_31, []
    while since < JUNE_1:
        page = binance.fetch_ohlcv("BTC/USDT", "1m", since, 500, {"until": JUNE_1 - 1})
        assert page, "no page inside the day may be empty"
        rows += page
        since = rows[-1][0] + 60_000
    assert rows == [[r[0], *(float(v) for v in r[1:6])] for r in recorded("2024-05-31")]


@pytest.mark.parametrize("timeframe", ["3m", "15m", "1h", "4h", "12h", "1d", "3d", "1w", "1M"])
def test_ccxt_reads_every_interval_and_it_is_the_sum_of_its_minutes(binance, timeframe):
    rows = binance.fetch_ohlcv("BTC/USDT", timeframe, JUNE_1 - 40 * DAY, 1000)
    minutes = [r for day in ("2024-05-31", "2024-06-01") for r in recorded(day)]
    closed = JUNE_1 + DAY // 2
    for opened, following in zip(rows, rows[1:]):
        inside = [m for m in minutes if opened[0] <= m[0] < following[0]]
        if following[0] > closed or not inside:
            continue
        assert opened[1] == float(inside[0][1]) and opened[4] == float(inside[-1][4])
        assert opened[2] == max(float(m[2]) for m in inside) and opened[3] == min(float(m[3]) for m in inside)
        assert opened[5] == pytest.approx(sum(float(m[5]) for m in inside), rel=1e-12)
    assert rows[-1][0] <= closed


def test_ccxt_understands_markets_tickers_and_errors(binance):
    market = binance.market("BTC/USDT")
    assert market["active"] and market["spot"] and market["precision"]["price"] == 0.01
    ticker = binance.fetch_ticker("BTC/USDT")
    assert ticker["low"] <= ticker["last"] <= ticker["high"] and ticker["timestamp"] == JUNE_1 + DAY // 2 + 30_000
    with pytest.raises(ccxt.BadSymbol):
        binance.public_get_klines({"symbol": "NOSUCH", "interval": "1m"})


def test_ccxt_is_told_to_wait_at_the_limit():
    with Sim("--now", NOW, "--speed", "0", "--weight-limit", "30") as sim:
        exchange = ccxt.binance({"enableRateLimit": False, "options": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False}})
        exchange.urls["api"]["public"] = sim.url + "/api/v3"
        exchange.load_markets()
        with pytest.raises(ccxt.DDoSProtection):
            for _ in range(20):
                exchange.public_get_klines({"symbol": "BTCUSDT", "interval": "1m", "limit": 1})
        assert sim.stats["told_to_wait"] == 1
        assert exchange.last_response_headers["Retry-After"]


def test_statistics_and_clock_are_there_for_tests(sim):
    stats = sim.stats
    assert stats["paths"]["/api/v3/klines"] > 3 and stats["max_weight_per_minute"] <= stats["weight_limit"] == 6000
    assert sim.get("/sim/clock")["time"] == "2024-06-01T12:00:30Z"
