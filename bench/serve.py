"""How fast `chandler serve` answers, beside nginx sending the same bytes as files: `bench/serve.py PROGRAM LAKE SYMBOL`.

Needs wrk and nginx (Debian: wrk nginx-light). Everything runs on loopback, each load for a few seconds. Figures are
ratios of one run on one machine; a busy machine slows both.
"""

import gzip
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request

SECONDS, CONNECTIONS, THREADS = 6, 64, 2


def fetch(url, headers=None):
    with urllib.request.urlopen(urllib.request.Request(url, headers=headers or {}), timeout=60) as answer:
        return answer.read()


def load(url, *headers):
    """Requests per second and the 99th percentile in ms, as wrk measures them; answers that are no 2xx are an error."""
    command = ["wrk", "-t", str(THREADS), "-c", str(CONNECTIONS), "-d", f"{SECONDS}s", "--latency"]
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


def main(program, lake, symbol):
    serve = subprocess.Popen([program, "serve", "--json", "--port", "0", "--lake", lake], stdout=subprocess.PIPE, text=True)
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
        port = 18080
        files = nginx(folder, port)
        time.sleep(0.5)
        rows = []
        for name, headers in (("gzip", ["Accept-Encoding: gzip"]), ("plain", [])):
            ours = load(url + target, *headers)
            theirs = load(f"http://127.0.0.1:{port}/klines.json", *headers)
            rows.append((name, *ours, *theirs, ours[0] / theirs[0]))
        print(f"{'klines?limit=1000':18} {'chandler/s':>11} {'p99 ms':>7} {'nginx/s':>9} {'p99 ms':>7} {'ratio':>6}")
        for name, rate, p99, other, other_p99, ratio in rows:
            print(f"{name:18} {rate:11,.0f} {p99:7.2f} {other:9,.0f} {other_p99:7.2f} {ratio:6.2f}")
        chart = f"/api/v1/candles?symbol={symbol}&interval=1d&limit=10000&detail=prices"
        fetch(url + chart)
        best = min(timed(lambda: fetch(url + chart)) for _ in range(5))
        print(f"the whole daily chart, warm: {best * 1000:.1f} ms; memory {memory_mib(serve.pid):.0f} MiB")
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
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
