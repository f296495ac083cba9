"""The running parts of a speed layer: simulated exchange, Kafka broker, and chandler's processes, each of which may be killed."""

import json
import os
import pathlib
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
KAFKA = ROOT / "scripts/kafka"


def have_broker():
    fetched = (ROOT / ".deps/kafka/complete-4.1.0-2").exists()
    return shutil.which("java") is not None and (fetched or shutil.which("mvn") is not None)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def broker_port():
    """A port for a broker that comes and goes (the controller's lies 10,000 above). Clients keep knocking while it is down: were
    it one of those that the system hands out, a client could meet itself there, and the broker would find its port taken."""
    dice = random.Random()
    while True:
        port = dice.randrange(11_000, 21_000)
        try:
            for wanted in (port, port + 10_000):
                with socket.socket() as s:
                    s.bind(("127.0.0.1", wanted))
            return port
        except OSError:
            continue


class Broker:
    """Apache Kafka on loopback; its data is in a folder of its own."""

    def __init__(self, folder):
        self.port = broker_port()
        self.address = f"127.0.0.1:{self.port}"
        self.environment = {**os.environ, "CHANDLER_KAFKA_HOME": str(folder), "CHANDLER_KAFKA_HEAP": "384m",
                            "CHANDLER_KAFKA_JVM": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1"}  # it starts often

    def run(self, command):
        # Into a file: the broker would keep a pipe open.
        log = pathlib.Path(self.environment["CHANDLER_KAFKA_HOME"] + ".log")
        with open(log, "ab") as out:
            done = subprocess.run([KAFKA, command, str(self.port)], env=self.environment, timeout=300, stdout=out, stderr=out,
                                  stdin=subprocess.DEVNULL)
        assert done.returncode == 0, f"scripts/kafka {command}:\n{log.read_text()[-4000:]}"

    def __enter__(self):
        self.run("start")
        return self

    def __exit__(self, *_):
        self.run("clean")


class Process:
    """One chandler process that runs until it is told to end."""

    def __init__(self, arguments, log):
        self.arguments, self.log = [str(a) for a in arguments], log
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.arguments, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        return self

    def ended(self):
        """Whether it ended by itself, which it never may."""
        return self.process is not None and self.process.poll() is not None

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None

    def stop(self, timeout=60):
        """Ends it as Ctrl-C does; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout)
        self.process = None
        return code


class Sim:
    def __init__(self, program, data, now, speed, *flags):
        self.process = subprocess.Popen(
            [program, "sim", "--data", data, "--port", "0", "--now", now, "--speed", str(speed), "--json", *map(str, flags)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        started = json.loads(self.process.stdout.readline())
        self.url, self.stream_url = started["url"], started["stream_url"]

    def now_ms(self):
        with urllib.request.urlopen(self.url + "/sim/clock", timeout=10) as reply:
            return json.load(reply)["now"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()


class SpeedSystem:
    """A lake, and the commands that fill it."""

    def __init__(self, program, folder, sim, broker=None, symbols=("BTCUSDT", "ETHUSDT")):
        self.program, self.sim, self.broker, self.symbols = program, sim, broker, symbols
        self.folder = pathlib.Path(folder)
        self.lake = self.folder / "lake"
        self.log = open(self.folder / "processes.log", "ab")
        self.group = "test"
        self.processes = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.kill()
        self.log.close()

    def process(self, *arguments):
        self.processes.append(Process([self.program, *arguments, "--lake", self.lake, "-v"], self.log))
        return self.processes[-1]

    def exchange_flags(self):
        return ["--stream-url", self.sim.stream_url, "--rest-url", self.sim.url]

    def producer(self, *more):
        return self.process("produce", *self.symbols, "--brokers", self.broker.address, *self.exchange_flags(), *more)

    def consumer(self, *more):
        return self.process("consume", "--brokers", self.broker.address, "--group", self.group, "--trigger", "500ms", *more)

    def live(self):
        return self.process("live", *self.symbols, *self.exchange_flags(), "--trigger", "500ms")

    def run(self, *arguments, lake=None, check=(0,)):
        done = subprocess.run([self.program, *map(str, arguments), "--lake", str(lake or self.lake)], capture_output=True,
                              text=True, timeout=300, stdin=subprocess.DEVNULL)
        assert done.returncode in check, f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def minutes(self, symbol, begin_ms, end_ms, lake=None):
        """{open time: all values} of the lake's minutes that open in [begin, end)."""
        text = self.run("candles", symbol, "--interval", "1m", "--format", "csv", lake=lake, check=(0, 1))
        rows = {}
        for line in text.splitlines()[1:]:
            open_time, *values = line.split(",")
            rows[open_time] = values
        begin, end = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ms / 1000)) for ms in (begin_ms, end_ms))
        return {t: v for t, v in rows.items() if begin <= t < end}

    def reference(self):
        """Another lake, filled by the batch layer alone."""
        lake = pathlib.Path(tempfile.mkdtemp(dir=self.folder)) / "reference"
        day = time.strftime("%Y-%m-%d", time.gmtime(self.sim.now_ms() / 1000))
        before = time.strftime("%Y-%m-%d", time.gmtime(self.sim.now_ms() / 1000 - 86400))
        self.run("backfill", *self.symbols, "--since", before, "--until", day, "--source", "rest", "--rest-url", self.sim.url,
                 lake=lake)
        return lake

    def newest_stored(self, symbol):
        """Open time of the last minute in the lake in ms, or 0."""
        done = subprocess.run([self.program, "candles", symbol, "--interval", "1m", "--last", "1", "--json", "--lake",
                               str(self.lake)], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
        if done.returncode != 0:
            return 0
        candles = json.loads(done.stdout)["candles"]
        if not candles:
            return 0
        import calendar
        return calendar.timegm(time.strptime(candles[0]["open_time"], "%Y-%m-%dT%H:%M:%SZ")) * 1000

    def wait_until_stored(self, end_ms, patience=120):
        """Waits until every symbol has a minute that opens at or after the instant; the first that all then have."""
        deadline = time.monotonic() + patience
        while any(self.newest_stored(s) < end_ms for s in self.symbols):
            assert time.monotonic() < deadline, f"the lake does not reach {end_ms}; see {self.log.name}"
            time.sleep(0.3)
        return max(self.newest_stored(s) for s in self.symbols)

    def compare(self, begin_ms, end_ms):
        """The lake must equal the batch layer's, minute for minute, before and after the merge."""
        reference = self.reference()
        want = {s: self.minutes(s, begin_ms, end_ms, lake=reference) for s in self.symbols}
        for when in ("before", "after"):
            for symbol in self.symbols:
                got = self.minutes(symbol, begin_ms, end_ms)
                missing, extra = sorted(want[symbol].keys() - got.keys()), sorted(got.keys() - want[symbol].keys())
                assert not missing and not extra, f"{when} the merge: {symbol} lacks {missing[:5]} ({len(missing)}), has {extra[:5]}"
                for t, values in want[symbol].items():
                    # Open or closed is not a value; everything else must be the same text.
                    assert got[t][:-1] == values[:-1], f"{when} the merge: {symbol} {t}: {got[t]} is not {values}"
            if when == "before":
                self.run("merge")
        assert not list(self.lake.glob("speed_1m/symbol=*"))
        return sum(len(v) for v in want.values())
