"""`chandler sim` as a process of its own, for tests."""

import json
import pathlib
import signal
import subprocess
import urllib.request

from program import PROGRAM, ROOT

DATA = ROOT / "tests/data/binance"


class Sim:
    """The simulator over the recorded candles, on a free port, until the `with` ends."""

    def __init__(self, *arguments, data=DATA):
        self.process = subprocess.Popen([PROGRAM, "sim", "--json", "--data", str(data), *map(str, arguments)],
                                        stdout=subprocess.PIPE, text=True)
        text = ""
        while not text.endswith("}\n") or text.count("{") != text.count("}"):
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError(f"the simulator ended: {self.process.wait()}")
            text += line
        self.about = json.loads(text)
        self.url, self.stream_url = self.about["url"], self.about["stream_url"]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=20) as answer:
            return json.load(answer)

    def post(self, path):
        with urllib.request.urlopen(urllib.request.Request(self.url + path, method="POST"), timeout=20) as answer:
            return json.load(answer)

    @property
    def stats(self):
        return self.get("/sim/stats")


def recorded(day):
    """The rows of a recorded day, as the API sends them: numbers where it sends numbers, strings where strings."""
    rows = []
    for line in (pathlib.Path(DATA) / f"BTCUSDT-1m-{day}.csv").read_text().splitlines():
        fields = line.split(",")
        rows.append([int(fields[0]), *fields[1:6], int(fields[6]), fields[7], int(fields[8]), *fields[9:12]])
    return rows
