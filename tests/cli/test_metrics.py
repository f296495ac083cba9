"""--metrics-port: what a command that runs for a while tells Prometheus about itself."""

import pathlib
import queue
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request

import pytest

from program import PROGRAM, ROOT
from prometheus_text import scrape

sys.path.insert(0, str(ROOT / "tests/sim"))
from sim_process import Sim  # noqa: E402

DAY, T0 = 86_400_000, 1_718_841_600_000  # 2024-06-20 00:00 UTC
PATIENCE = 60


class Running:
    """A command with --metrics-port 0; `url` is where its metrics are."""

    def __init__(self, lake, *arguments):
        self.process = subprocess.Popen([PROGRAM, *map(str, arguments), "--lake", str(lake), "--metrics-port", "0", "-v"],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        self.lines, self.seen = queue.Queue(), []
        threading.Thread(target=self._read, daemon=True).start()
        self.url = None
        while self.url is None:
            line = self.lines.get(timeout=PATIENCE)
            assert line is not None, f"it ended: {self.process.wait()}\n{''.join(self.seen)}"
            if found := re.search(r"metrics at (http://127\.0\.0\.1:\d+/metrics)", line):
                self.url = found[1]

    def _read(self):
        for line in self.process.stderr:
            self.seen.append(line)
            self.lines.put(line)
        self.lines.put(None)

    def until(self, condition):
        """Scrapes until the condition holds; the metrics that made it true."""
        deadline = time.monotonic() + PATIENCE
        while True:
            metrics = scrape(self.url)
            if condition(metrics):
                return metrics
            assert time.monotonic() < deadline, f"never so: {metrics.samples}"
            time.sleep(0.02)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


def test_a_backfill_tells_how_far_it_is_and_what_the_exchange_said(tmp_path, exchange):
    exchange.now = T0 + 3 * DAY
    for symbol in ("BTCUSDT", "ETHUSDT"):
        exchange.add_days(symbol, T0, 3)
    reached, go_on, told = threading.Event(), threading.Event(), []

    def before(path, parameters):
        if not path.endswith("/klines"):
            return None
        if len(told) == 0 and not told.append(503):
            return 503, {}, b"{}"
        if len(told) == 1 and not told.append(429):
            return 429, {"Retry-After": "1"}, b"{}"
        # All of BTCUSDT is answered, and the first page of ETHUSDT; then the exchange falls silent.
        if parameters["symbol"] == "ETHUSDT" and int(parameters["startTime"]) > T0:
            reached.set()
            go_on.wait(PATIENCE)
        return None

    exchange.before = before
    with Running(tmp_path / "lake", "backfill", "BTCUSDT", "ETHUSDT", "--since", "2024-06-20", "--until", "2024-06-22",
                 "--in-flight", "1", "--request-timeout", "60", "--rest-url", exchange.url) as backfill:
        assert reached.wait(PATIENCE)
        m = backfill.until(lambda m: m("chandler_backfill_symbols_done") == 1)
        assert m.stage == "fetching"
        assert m("chandler_stage_size") == 2 * 3 * 1440
        assert m("chandler_backfill_symbols") == 2
        assert m("chandler_backfill_candles_received_total") == m("chandler_stage_done") == 3 * 1440 + 1000
        assert m("chandler_backfill_candles_added_total") == 3 * 1440
        assert m("chandler_backfill_files_total") == 1
        assert m("chandler_backfill_unanswered_ranges_total") == 0
        assert m("chandler_exchange_requests_total", service="rest") == len(exchange.requests)
        assert m("chandler_exchange_requests_total", service="archive") == 0
        assert m("chandler_exchange_retries_total", service="rest") == 2
        assert m("chandler_exchange_told_to_wait_total", service="rest") == 1
        assert m("chandler_exchange_wait_seconds", service="rest") == 0
        assert m("chandler_exchange_received_bytes_total", service="rest") > 3 * 1440 * 100
        assert 0 < m("chandler_exchange_weight") <= m("chandler_exchange_weight_limit")
        assert m("process_open_fds") > 3 and m("process_resident_memory_bytes") > 1 << 20
        assert abs(m("process_start_time_seconds") - time.time()) < 3600
        go_on.set()
        assert backfill.process.wait(PATIENCE) == 0


def test_a_ban_is_seen_while_it_lasts(tmp_path, exchange):
    exchange.now = T0 + DAY
    exchange.add_days("BTCUSDT", T0, 1)
    exchange.before = lambda path, _: (418, {"Retry-After": "3600"}, b"{}") if path.endswith("/klines") else None
    with Running(tmp_path / "lake", "backfill", "BTCUSDT", "--since", "2024-06-20", "--rest-url", exchange.url) as backfill:
        m = backfill.until(lambda m: m("chandler_exchange_wait_seconds", service="rest") > 0)
        assert m("chandler_exchange_wait_seconds", service="rest") <= 3600
        assert m("chandler_exchange_told_to_wait_total", service="rest") >= 1
        backfill.process.send_signal(signal.SIGTERM)
        assert backfill.process.wait(PATIENCE) == 130


def test_a_forecast_tells_how_far_it_is(tmp_path, chandler):
    chandler("import", ROOT / "data/demo/BTCUSDT_1d.csv", "--symbol", "BTCUSDT", "--interval", "1d", check=0)
    with Running(tmp_path / "lake", "forecast", "--no-plots") as forecast:
        seen = []
        while forecast.process.poll() is None:
            try:
                seen.append(scrape(forecast.url))
            except (urllib.error.URLError, ConnectionError):
                break  # it has just ended
        assert forecast.process.wait(PATIENCE) == 0
    working = [m for m in seen if m.stage == "forecasting"]
    assert all(m("chandler_forecast_symbols") == 1 and m("chandler_stage_size") > 0 for m in working)
    done = [m("chandler_forecast_forecasts_total") for m in seen]
    assert done == sorted(done) and done[-1] > 0
    assert all(m("chandler_forecast_forecasts_total") == m("chandler_stage_done") for m in working[-1:])


def test_live_tells_what_came_and_what_was_stored(tmp_path):
    with Sim("--port", "0", "--now", "2024-06-20T00:10:00Z", "--speed", "60", data=ROOT / "data/demo") as sim:
        with Running(tmp_path / "lake", "live", "BTCUSDT", "--stream-url", sim.stream_url, "--rest-url", sim.url,
                     "--trigger", "200ms") as live:
            m = live.until(lambda m: m("chandler_minutes_added_total") > 5)
            assert m("chandler_messages_total") >= m("chandler_closed_minutes_total") > 0
            assert m("chandler_exchange_requests_total", service="rest") > 0
            assert m("chandler_streams") == 1
            assert m("chandler_rejected_total", reason="not_json") == 0
            # Of everything that was stored it is told how long that took, and none of it took long here.
            m = live.until(lambda m: m("chandler_storing_seconds_count") > 5)
            assert m("chandler_storing_seconds_bucket", le="60") == m("chandler_storing_seconds_count") <= m("chandler_closed_minutes_total")
            assert 0 < m("chandler_storing_seconds_sum") < 60 * m("chandler_storing_seconds_count")
            assert 0 < m("chandler_commit_seconds_count") <= m("chandler_commits_total") + 1
            assert m("chandler_delivery_seconds_count") == 0  # there is no broker
            live.process.send_signal(signal.SIGTERM)
            assert live.process.wait(PATIENCE) == 0


def test_every_command_that_runs_for_a_while_has_the_flag(chandler):
    commands = {c["name"]: {f["name"] for f in c["flags"]} for c in chandler("commands", "--json", check=0).json["commands"]}
    having = {name for name, flags in commands.items() if "metrics-port" in flags}
    assert having == {"backfill", "forecast", "live", "produce", "consume"}


def test_nothing_else_is_served_and_nothing_may_be_sent(tmp_path, exchange):
    exchange.now = T0 + DAY
    exchange.add_days("BTCUSDT", T0, 1)
    exchange.before = lambda path, _: (418, {"Retry-After": "3600"}, b"{}") if path.endswith("/klines") else None
    with Running(tmp_path / "lake", "backfill", "BTCUSDT", "--since", "2024-06-20", "--rest-url", exchange.url) as backfill:
        for request, status in ((backfill.url.replace("/metrics", "/"), 404),
                                (urllib.request.Request(backfill.url, data=b"", method="POST"), 405)):
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(request, timeout=10)
            assert refused.value.code == status


def test_a_port_that_is_taken_ends_the_command_before_it_begins(tmp_path, exchange):
    exchange.now = T0 + DAY
    exchange.add_days("BTCUSDT", T0, 1)
    port = exchange.url.rsplit(":", 1)[1]
    done = subprocess.run([PROGRAM, "backfill", "BTCUSDT", "--since", "2024-06-20", "--rest-url", exchange.url, "--lake",
                           str(tmp_path / "lake"), "--metrics-port", port], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 3 and port in done.stderr
    assert exchange.requests == []
    assert not list(pathlib.Path(tmp_path).rglob("*.parquet"))
