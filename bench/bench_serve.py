"""How fast `chandler serve` answers, beside nginx sending the same bytes as files; then the charts of thirteen years of minutes.

wrk is the load, on loopback, a few seconds each, and takes its share of the same processors. "as fast as it goes" asks again as
soon as an answer is there, on each of 64 connections: all processors are full then, and the slowest answers show how long the
scheduler lets a thread wait, whoever serves. "paced" waits 2 ms before each request, which is somewhat over 20,000 a second:
what a client sees of a server that is busy and not overrun. Figures are of one run on one machine; a busy machine slows both. Fails when an answer is not what the lake holds.
"""

import gzip
import json
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import generate
from measure import PROGRAM, WORK, run

MINUTES = 5_700_000  # thirteen years, less the outages
SYMBOL = "BTCUSDT"
SECONDS, CONNECTIONS, THREADS, PAUSE_MS = 6, 64, 2, 2


def fetch(url, headers=None):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=60) as answer:
        return answer.read()


def load(url, *headers, script=None):
    """Requests per second and the 99th percentile in ms, as wrk measures them; answers that are no 2xx are an error."""
    command = ["wrk", "-t", str(THREADS), "-c", str(CONNECTIONS), "-d", f"{SECONDS}s", "--latency"]
    if script:
        command += ["-s", script]
    for header in headers:
        command += ["-H", header]
    out = subprocess.run([*command, url], capture_output=True, text=True, check=True).stdout
    assert "Non-2xx" not in out, out
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", out).groups()
    return rate, float(number) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]


def nginx(folder, port):
    (folder / "logs").mkdir()
    (folder / "nginx.conf").write_text(f"""
daemon off; worker_processes 2; pid {folder}/nginx.pid; error_log {folder}/logs/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; gzip_static on;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  types {{ application/json json; }}
  server {{ listen 127.0.0.1:{port}; root {folder}/www; }}
}}""")
    return subprocess.Popen([shutil.which("nginx") or "/usr/sbin/nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)],
                            stderr=subprocess.DEVNULL)


def memory_mib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", text)[1]) / 1024


def make_lake():
    source, lake = WORK / f"history-{MINUTES}" / f"{SYMBOL}.csv", WORK / "lakes" / "serve"
    if not lake.exists():
        generate.write_history(source, MINUTES, 0)
        run(PROGRAM, "--lake", lake, "--quiet", "import", source, "--symbol", SYMBOL)
        run(PROGRAM, "--lake", lake, "--quiet", "build")
    return lake


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def main(program, lake, symbol):
    serve = subprocess.Popen([program, "serve", "--json", "--port", "0", "--lake", str(lake)], stdout=subprocess.PIPE, text=True)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="chandler-bench-"))
    folder.chmod(0o755)
    files = None
    try:
        url = json.loads(serve.stdout.readline())["url"]
        target = f"/api/v3/klines?symbol={symbol}&interval=1m&limit=1000"
        body = fetch(url + target)
        assert len(json.loads(body)) == 1000, "the lake has fewer than 1,000 minutes"
        (folder / "www").mkdir()
        (folder / "www/klines.json").write_bytes(body)
        (folder / "www/klines.json.gz").write_bytes(fetch(url + target, {"Accept-Encoding": "gzip"}))
        assert gzip.decompress((folder / "www/klines.json.gz").read_bytes()) == body
        port = free_port()
        files = nginx(folder, port)
        time.sleep(0.5)
        paced = folder / "paced.lua"
        paced.write_text(f"function delay() return {PAUSE_MS} end\n")
        print(f"{'klines?limit=1000':27} {'chandler/s':>11} {'p99 ms':>7} {'nginx/s':>9} {'p99 ms':>7} {'ratio':>6}")
        for pace, script in (("as fast as it goes", None), ("paced", paced)):
            for name, headers in (("gzip", ["Accept-Encoding: gzip"]), ("plain", [])):
                rate, p99 = load(url + target, *headers, script=script)
                other, other_p99 = load(f"http://127.0.0.1:{port}/klines.json", *headers, script=script)
                print(f"{name + ', ' + pace:27} {rate:11,.0f} {p99:7.2f} {other:9,.0f} {other_p99:7.2f} {rate / other:6.2f}", flush=True)
        print("\nanswers over thirteen years of minutes, first and then warm (best of 5)")
        for name, chart, rows in (
            ("daily chart, all of it", "interval=1d&limit=10000", 3500),
            ("5,000 candles of 1h", "interval=1h&limit=5000", 5000),
            ("weeks, all of them", "interval=1w&limit=5000", 500),
        ):
            address = f"{url}/api/v1/candles?symbol={symbol}&{chart}&detail=prices"
            first = timed(lambda: fetch(address))
            assert len(json.loads(fetch(address))["close"]) >= rows, name
            warm = min(timed(lambda: fetch(address)) for _ in range(5))
            print(f"  {name:24} {first * 1000:8.1f} ms {warm * 1000:8.1f} ms")
        print(f"largest resident memory: {memory_mib(serve.pid):.0f} MiB")
    finally:
        for process in (serve, files):
            if process:
                process.terminate()
                process.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def timed(call):
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main(PROGRAM, make_lake(), SYMBOL)
