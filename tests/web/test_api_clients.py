"""The APIs as clients see them that we did not write: ccxt and python-binance read the lake as if it were the exchange;
pyarrow reads the Arrow stream; an independent validator reads the OpenAPI document."""

import io
import json
import pathlib
import sys

import ccxt
import jsonschema
import pyarrow.ipc
import pytest
from binance.client import Client
from binance.exceptions import BinanceAPIException
from openapi_spec_validator import OpenAPIV31SpecValidator

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from dashboard_process import Dashboard  # noqa: E402

from program import ROOT, Chandler  # noqa: E402

MAY_31, JUNE_1 = 1717113600000, 1717200000000


def recorded():
    """Rows of 2024-05-31 as the exchange sent them."""
    lines = (ROOT / "tests/data/binance/BTCUSDT-1m-2024-05-31.csv").read_text().split()
    rows = [line.split(",") for line in lines]
    return [[int(r[0]), *r[1:6], int(r[6]), r[7], int(r[8]), *r[9:11], r[11]] for r in rows]


@pytest.fixture(scope="module")
def dashboard(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clients")
    chandler = Chandler(folder / "lake", folder)
    for day in ("2024-05-31", "2024-06-01"):
        chandler("import", ROOT / f"tests/data/binance/BTCUSDT-1m-{day}.csv", "--symbol", "BTCUSDT", "--quiet", check=0)
    with Dashboard(folder / "lake") as running:
        yield running


@pytest.fixture(scope="module")
def python_binance(dashboard):
    Client.API_URL = dashboard.url + "/api"
    client = Client(ping=False)
    client.API_URL = dashboard.url + "/api"
    return client


def test_python_binance_pages_through_a_day_and_gets_the_recorded_rows(python_binance):
    rows = python_binance.get_historical_klines("BTCUSDT", "1m", MAY_31, JUNE_1 - 1)
    assert [r[:11] for r in rows] == [r[:11] for r in recorded()]


def test_python_binance_understands_errors_and_the_rest(python_binance):
    with pytest.raises(BinanceAPIException) as refused:
        python_binance.get_klines(symbol="NOSUCH", interval="1m")
    assert (refused.value.status_code, refused.value.code, refused.value.message) == (400, -1121, "Invalid symbol.")
    assert python_binance.ping() == {}
    assert python_binance._get_earliest_valid_timestamp("BTCUSDT", "1m") == MAY_31
    assert python_binance.get_symbol_info("BTCUSDT")["quoteAsset"] == "USDT"
    assert [k[0] for k in python_binance.get_ui_klines(symbol="BTCUSDT", interval="1d", limit=2)] == [MAY_31, JUNE_1]


def test_ccxt_pages_through_a_day_at_any_interval(dashboard):
    exchange = ccxt.binance({"enableRateLimit": False, "options": {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False}})
    exchange.urls["api"]["public"] = dashboard.url + "/api/v3"
    exchange.load_markets()
    since, rows = MAY_31, []
    while since < JUNE_1:
        page = exchange.fetch_ohlcv("BTC/USDT", "1m", since, 500, {"until": JUNE_1 - 1})
        assert page
        rows += page
        since = rows[-1][0] + 60_000
    wanted = [[r[0], *(float(v) for v in r[1:6])] for r in recorded()]
    assert rows == wanted
    hours = exchange.fetch_ohlcv("BTC/USDT", "1h", MAY_31, 24)
    assert [h[0] for h in hours] == [MAY_31 + i * 3_600_000 for i in range(24)]
    assert [h[2] for h in hours] == [max(r[2] for r in wanted[i * 60:i * 60 + 60]) for i in range(24)]
    assert exchange.fetch_ticker("BTC/USDT")["quoteVolume"] > 1e8


def test_the_arrow_stream_and_the_csv_tell_what_the_json_tells(dashboard):
    target = "/api/v1/candles?symbol=BTCUSDT&interval=15m&limit=100"
    columns = dashboard.json(target)
    status, headers, body = dashboard.get(target + "&format=arrow")
    assert (status, headers["Content-Type"]) == (200, "application/vnd.apache.arrow.stream")
    table = pyarrow.ipc.open_stream(io.BytesIO(body)).read_all()
    assert table.column("close").to_pylist() == columns["close"]
    assert table.column("open_time").cast("int64").to_pylist() == columns["open_time"]
    lines = dashboard.get(target + "&format=csv")[2].decode().splitlines()
    assert [float(line.split(",")[4]) for line in lines[1:]] == columns["close"]


def test_the_openapi_document_is_valid(dashboard):
    document = dashboard.json("/api/v1/openapi.json")
    OpenAPIV31SpecValidator(document).validate()
    assert "/api/v1/candles" in document["paths"]


def test_the_openapi_document_describes_what_is_answered(dashboard):
    """Each address that needs nothing more than a symbol, answered and compared with the schema that is promised for it."""
    document, compared = dashboard.json("/api/v1/openapi.json"), []
    for path, described in document["paths"].items():
        answer = described["get"]["responses"]["200"]["content"]
        needed = [p["name"] for p in described["get"].get("parameters", []) if p.get("required")]
        if "application/json" not in answer or not set(needed) <= {"symbol"}:
            continue
        status, _, body = dashboard.get(path + ("?symbol=BTCUSDT" if needed else ""))
        if status == 404:  # no forecast was made here
            continue
        assert status == 200, (path, body)
        schema = {**answer["application/json"]["schema"], "components": document.get("components", {})}
        jsonschema.validate(json.loads(body), schema)
        compared.append(path)
    assert {"/api/v1/status", "/api/v1/streams", "/api/v1/candles", "/api/v1/gaps", "/api/v1/tables"} <= set(compared)


def test_prometheus_text_names_the_lake(dashboard):
    dashboard.json("/api/v1/status")
    status, headers, body = dashboard.get("/metrics")
    assert status == 200 and headers["Content-Type"].startswith("text/plain; version=0.0.4")
    lines = body.decode().splitlines()
    assert any(line.startswith('chandler_http_requests_total{path="/api/v1/status",status="2xx"} ') for line in lines)
    assert all(line.startswith("#") or len(line.rsplit(" ", 1)) == 2 for line in lines)


def test_an_address_that_others_can_reach_needs_the_token(tmp_path):
    with Dashboard(tmp_path / "lake", "--listen", "0.0.0.0:0") as running:
        token = running.about["token"]
        assert token and len(token) >= 40
        port = running.url.rsplit(":", 1)[1]
        running.url = f"http://127.0.0.1:{port}"
        assert running.get("/api/v1/status")[0] == 401
        assert running.get("/api/v1/status", {"Authorization": f"Bearer {token}"})[0] == 200
    with Dashboard(tmp_path / "lake", "--listen", "0.0.0.0:0", "--public") as running:
        assert running.about["token"] is None
        running.url = "http://127.0.0.1:" + running.url.rsplit(":", 1)[1]
        assert json.loads(running.get("/api/v1/status")[2])["total"] == 0
