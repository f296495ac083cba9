"""SIGTERM: whatever a command is doing, it ends within five seconds with the exit code that is documented, and leaves a lake that
verifies, without a lock and without unfinished files."""

import contextlib
import datetime
import fcntl
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import pytest

from exchange_double import ExchangeDouble
from program import PROGRAM, ROOT, Chandler

sys.path.insert(0, str(ROOT / "tests/sim"))
from sim_process import Sim  # noqa: E402

LIMIT = 5  # seconds: the contract
PATIENCE = 90
DAY, T0 = 86_400_000, 1_718_841_600_000  # 2024-06-20 00:00 UTC
TICKS = os.sysconf("SC_CLK_TCK")
SINCE = ("--since", "2024-06-20", "--until", "2024-06-21")


class Command:
    """A running command on a lake."""

    def __init__(self, lake, *arguments, stdout=subprocess.DEVNULL, env=None):
        self.lake = pathlib.Path(lake)
        self.process = subprocess.Popen([PROGRAM, *map(str, arguments), "--lake", str(lake)], stdin=subprocess.DEVNULL, stdout=stdout,
                                        stderr=subprocess.PIPE, text=True, cwd=self.lake.parent, env={**os.environ, **(env or {})})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def until(self, condition):
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert self.process.poll() is None, f"it ended by itself: {self.process.returncode}\n{self.process.stderr.read()}"
            assert time.monotonic() < deadline
            time.sleep(0.005)
        return self

    def until_it_has_worked(self, seconds):
        """… for so much processor time: it is in the middle of what it does."""
        def worked():
            fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
            return (int(fields[11]) + int(fields[12])) / TICKS >= seconds
        return self.until(worked)

    def stop(self, code, in_order=True):
        """Ends it. `in_order`: by itself, not because its time was up."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            pytest.fail(f"still running {LIMIT} s after SIGTERM")
        said = self.process.stderr.read()
        assert self.process.returncode == code, said
        assert ("took too long" not in said) == in_order, said
        return said


def assert_in_order(lake):
    """Nobody holds a lock, nothing is left of what was being written, and every invariant holds."""
    for name in (".chandler.lock", ".chandler-speed.lock"):
        if (lake / name).exists():
            with open(lake / name, "r+") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert not [p for p in lake.rglob(".*") if p.is_file() and not p.name.endswith(".lock")]
    assert not list(lake.glob("speed_1m/_status/*"))
    if list(lake.rglob("*.parquet")):
        Chandler(lake, lake.parent)("verify", check=0)


@contextlib.contextmanager
def held(lake, name):
    """The lock as another process holds it."""
    lake.mkdir(parents=True, exist_ok=True)
    with open(lake / name, "a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def silent_server():
    """Takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as server:
        taken, done = [], threading.Event()

        def accept():
            while not done.is_set():
                with contextlib.suppress(OSError):
                    taken.append(server.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        done.set()
        for connection in taken:
            connection.close()


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    """Four years of minutes as a history file, 100 MB."""
    path = tmp_path_factory.mktemp("history") / "history.csv"
    first = int(datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc).timestamp())
    with open(path, "w") as file:
        file.write("Timestamp,Open,High,Low,Close,Volume\n")
        for day in range(4 * 365):
            file.writelines(f"{first + 60 * m},{100 + m % 97}.25,{101 + m % 97}.5,{99 + m % 97}.125,{100 + m % 97}.375,{m % 13}.5\n"
                            for m in range(day * 1440, day * 1440 + 1440))
    return path


@pytest.fixture(scope="module")
def long_lake(history, tmp_path_factory):
    folder = tmp_path_factory.mktemp("long")
    Chandler(folder / "lake", folder)("import", history, "--symbol", "OLDBTC", check=0, timeout=300)
    for table in ("klines_1m", "daily_filled", "prophet_input"):
        for i in range(4):  # the same of four more symbols: a file does not say whose it is
            shutil.copytree(folder / "lake" / table / "symbol=OLDBTC", folder / "lake" / table / f"symbol=OLD{i}")
    return folder / "lake"


@pytest.fixture(scope="module")
def wide_lake(tmp_path_factory):
    """Years of days of many symbols."""
    folder = tmp_path_factory.mktemp("wide")
    chandler = Chandler(folder / "lake", folder)
    for i in range(30):
        chandler("import", ROOT / "data/demo/BTCUSDT_1d.csv", "--symbol", f"S{i:02}USDT", "--interval", "1d", check=0)
    return folder / "lake"


@pytest.fixture
def lake(tmp_path):
    return tmp_path / "lake"


@pytest.fixture
def two_days(exchange):
    for symbol in ("BTCUSDT", "ETHUSDT"):
        exchange.add_days(symbol, T0, 2)
    exchange.now = T0 + 2 * DAY
    return exchange


def backfill(lake, exchange, *more):
    return Command(lake, "backfill", "BTCUSDT", "ETHUSDT", *SINCE, "--rest-url", exchange.url, "--in-flight", "2", *more)


# The batch layer


def test_a_backfill_while_the_exchange_does_not_answer(lake, two_days):
    asked, end = threading.Event(), threading.Event()

    def before(path, parameters):
        if path.endswith("/klines") and int(parameters["startTime"]) > T0:  # the first pages come
            asked.set()
            end.wait(PATIENCE)

    two_days.before = before
    with backfill(lake, two_days, "--request-timeout", "600") as command:
        command.until(asked.is_set).stop(130)
        end.set()
    assert_in_order(lake)


@pytest.mark.parametrize("status", [429, 418])
def test_a_backfill_that_was_told_to_wait_an_hour(lake, two_days, status):
    told = threading.Event()
    two_days.before = lambda path, _: told.set() or (status, {"Retry-After": "3600"}, b"{}") if path.endswith("/klines") else None
    with backfill(lake, two_days) as command:
        command.until(told.is_set).stop(130)
    assert_in_order(lake)


def test_a_backfill_whose_requests_fail_again_and_again(lake, two_days):
    failed = []
    two_days.before = lambda path, _: failed.append(1) or (503, {}, b"") if path.endswith("/klines") else None
    with backfill(lake, two_days) as command:
        command.until(lambda: len(failed) > 3).stop(130)
    assert_in_order(lake)


def test_a_backfill_while_the_archive_does_not_answer(lake, two_days):
    two_days.now = T0 + 40 * DAY
    with silent_server() as port, backfill(lake, two_days, "--archive-url", f"http://127.0.0.1:{port}") as command:
        command.until(lambda: len(two_days.requests) >= 2)
        time.sleep(0.3)
        command.stop(130)
    assert_in_order(lake)


def test_a_backfill_keeps_what_it_has_and_the_next_one_finishes(lake, two_days):
    two_days.before = lambda path, _: time.sleep(0.1) if path.endswith("/klines") else None
    with backfill(lake, two_days) as command:
        command.until(lambda: len(two_days.kline_requests()) >= 5).stop(130)
    assert_in_order(lake)
    kept = Chandler(lake, lake.parent).table("klines_1m")
    assert kept is not None and 0 < kept.num_rows < 2 * 2880
    with backfill(lake, two_days) as command:
        assert command.process.wait(PATIENCE) == 0
    assert Chandler(lake, lake.parent).table("klines_1m").num_rows == 2 * 2880


def test_an_import_of_a_large_file(lake, history):
    with Command(lake, "import", history, "--symbol", "OLDBTC", "--threads", "1") as command:
        command.until_it_has_worked(0.2).stop(130)
    assert_in_order(lake)
    assert list(lake.rglob("*.parquet")) == []  # all or nothing


@pytest.mark.parametrize("arguments", [("build", "--reread"), ("verify",)], ids=lambda a: " ".join(a))
def test_a_job_over_years_of_minutes(lake, long_lake, arguments):
    shutil.copytree(long_lake, lake)
    with Command(lake, *arguments, "--threads", "1") as command:
        command.until_it_has_worked(0.1).stop(130)
    assert_in_order(lake)


@pytest.mark.parametrize("arguments", [("report",), ("forecast", "--regressors", "ma7,ma30")], ids=lambda a: a[0])
def test_a_job_over_many_symbols(lake, wide_lake, arguments):
    shutil.copytree(wide_lake, lake)
    with Command(lake, *arguments) as command:
        command.until_it_has_worked(0.7).stop(130)
    assert_in_order(lake)
    assert not (lake / "reports").exists() and not (lake / "forecasts/latest.json").exists()


def test_an_audit_while_the_exchange_does_not_answer(lake, two_days):
    with backfill(lake, two_days) as command:
        assert command.process.wait(PATIENCE) == 0
    with silent_server() as port, Command(lake, "verify", "--audit", "--rest-url", f"http://127.0.0.1:{port}") as command:
        time.sleep(0.5)
        command.stop(130)
    assert_in_order(lake)


def test_the_demo(lake):
    with Command(lake, "demo") as command:
        command.until_it_has_worked(0.1).stop(130)
    assert_in_order(lake)


# The speed layer


@pytest.fixture(scope="module")
def market():
    with Sim("--port", "0", "--now", "2024-06-20T00:10:00Z", "--speed", "60", data=ROOT / "data/demo") as sim:
        yield sim


def follow(lake, market, *more):
    return Command(lake, "live", "BTCUSDT", "ETHUSDT", "--stream-url", market.stream_url, "--rest-url", market.url, "--trigger", "200ms",
                   *more)


def stored(lake):
    return lambda: list(lake.glob("speed_1m/symbol=*/**/*.parquet"))


def test_live_and_then_a_merge(lake, market):
    with follow(lake, market) as live:
        live.until(stored(lake)).stop(0)
    assert_in_order(lake)
    # Merged is everything, but the files of speed_1m cannot go while another process writes there.
    with held(lake, ".chandler-speed.lock"), Command(lake, "merge") as merge:
        merge.until(lambda: list(lake.glob("klines_1m/symbol=ETHUSDT/**/*.parquet")))
        time.sleep(0.5)
        assert "is being written" in merge.stop(3)
    assert_in_order(lake)
    Chandler(lake, lake.parent)("merge", check=0)
    assert not stored(lake)()


def test_live_while_another_process_writes_speed_1m(lake, market):
    with held(lake, ".chandler-speed.lock"), follow(lake, market, "-v") as live:
        time.sleep(2)
        assert "is being written" in live.stop(3)


def test_live_while_the_exchange_does_not_answer(lake, market):
    with silent_server() as port:
        for rest in (f"http://127.0.0.1:{port}", market.url):
            with Command(lake, "live", "BTCUSDT", "--rest-url", rest, "--stream-url", f"ws://127.0.0.1:{port}") as live:
                time.sleep(0.5)
                live.stop(130)
    assert_in_order(lake)


MOCK = ("--kafka-property", "test.mock.num.brokers=1")  # librdkafka's own, inside the process


def speed_command(name, lake, market, *broker):
    exchange = ("BTCUSDT", "--stream-url", market.stream_url, "--rest-url", market.url) if name == "produce" else ()
    return Command(lake, name, *exchange, *broker, "-v")


@pytest.mark.parametrize("name", ["produce", "consume"])
def test_the_broker_is_not_there_or_says_nothing(lake, market, name):
    with silent_server() as port:
        for address in (f"127.0.0.1:{port}", "127.0.0.1:9"):
            with speed_command(name, lake, market, "--brokers", address) as command:
                time.sleep(0.5)
                command.stop(130)
    assert_in_order(lake)


@pytest.mark.parametrize("name", ["produce", "consume"])
def test_with_a_broker(lake, market, name):
    with speed_command(name, lake, market, *MOCK) as command:
        time.sleep(2)
        command.stop(0)
    assert_in_order(lake)


# Servers


def test_serve_with_listeners_slow_readers_and_half_a_request(lake, long_lake):
    shutil.copytree(long_lake, lake)
    with Command(lake, "serve", "--port", "0", stdout=subprocess.PIPE) as serve:
        port = int(re.search(r"http://127\.0\.0\.1:(\d+)", serve.process.stdout.readline())[1])
        clients = []

        def connect(request, read=0):
            client = socket.create_connection(("127.0.0.1", port), timeout=30)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.sendall(request)
            clients.append(client)
            if read:
                assert client.recv(read)

        for _ in range(5):
            connect(b"GET /api/v1/live?symbol=OLDBTC HTTP/1.1\r\nHost: localhost\r\n\r\n", read=16)
            # All minutes of four years, of which this client reads the first bytes.
            connect(b"GET /api/v1/candles?symbol=OLDBTC&interval=1m&start=2020-01-01&limit=1000000 HTTP/1.1\r\nHost: localhost\r\n\r\n")
            connect(b"GET /api/v1/sta")
        time.sleep(0.5)
        serve.stop(0)
        for client in clients:
            client.close()
    assert_in_order(lake)


def test_the_sim_with_streams_and_requests_that_hang():
    sim = Command(ROOT / "data/demo/none", "sim", "--data", ROOT / "data/demo", "--port", "0", "--latency", "60000",
                  stdout=subprocess.PIPE)
    with sim:
        port = int(re.search(r"http://127\.0\.0\.1:(\d+)", sim.process.stdout.readline())[1])
        stream = socket.create_connection(("127.0.0.1", port), timeout=30)
        stream.sendall(b"GET /ws/btcusdt@kline_1m HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                       b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n")
        assert b"101" in stream.recv(64)
        waiting = socket.create_connection(("127.0.0.1", port), timeout=30)
        waiting.sendall(b"GET /api/v3/time HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(0.3)
        sim.stop(0)
        stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        stream.close()
        waiting.close()


# What no stop reaches


def test_a_command_whose_output_nobody_reads(long_lake):
    with Command(long_lake, "candles", "OLDBTC", "--interval", "1m", "--format", "csv", stdout=subprocess.PIPE) as command:
        time.sleep(1)
        command.stop(130, in_order=False)


def test_a_second_signal_ends_it_at_once(lake, two_days):
    asked = threading.Event()
    two_days.before = lambda path, _: asked.set() or (429, {"Retry-After": "3600"}, b"{}") if path.endswith("/klines") else None
    with held(lake, ".chandler-speed.lock"), Command(lake, "candles", "OLDBTC") as command:
        command.process.wait(PATIENCE)  # a reader is not kept out
    with backfill(lake, two_days) as command:
        command.until(asked.is_set)
        command.process.send_signal(signal.SIGINT)
        command.process.send_signal(signal.SIGTERM)
        assert command.process.wait(LIMIT) == 130
