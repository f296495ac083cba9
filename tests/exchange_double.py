"""A second, independent implementation of the few endpoints that a backfill needs, to be bent to a test's will.

It shares no code with `chandler sim`: what both agree on is what Binance's documentation says.
"""

import bisect
import http.server
import json
import threading
import urllib.parse

MINUTE, DAY = 60_000, 86_400_000


def minute_kline(open_time, price=100.0, volume=1.0, width=MINUTE):
    """One row as the exchange sends it."""
    return [open_time, f"{price:.8f}", f"{price + 1:.8f}", f"{price - 1:.8f}", f"{price + 0.5:.8f}", f"{volume:.8f}",
            open_time + width - 1, f"{volume * price:.8f}", 3, f"{volume / 2:.8f}", f"{volume * price / 2:.8f}", "0"]


class ExchangeDouble:
    def __init__(self):
        self.now = 0  # ms; the exchange's clock
        self.klines = {}  # (symbol, interval) -> {open_time: row}
        self.requests = []  # (path, parameters)
        self.before = None  # hook(path, parameters) -> None or (status, headers, body)
        self.status = {}  # symbol -> status, TRADING if absent
        self.limit = 6000
        double = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                url = urllib.parse.urlsplit(self.path)
                parameters = dict(urllib.parse.parse_qsl(url.query))
                status, headers, body = double.answer(url.path, parameters)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 64
            daemon_threads = True

            def handle_error(self, *_):
                pass  # a client that was killed

        self._lock = threading.Lock()
        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def add(self, symbol, open_times, interval="1m", price=lambda t: 100.0 + t // MINUTE % 500 / 10):
        width = DAY if interval == "1d" else MINUTE
        rows = self.klines.setdefault((symbol, interval), {})
        for t in open_times:
            rows[t] = minute_kline(t, price(t), 1.0 + t // MINUTE % 7, width)

    def add_days(self, symbol, first, days, **kwargs):
        self.add(symbol, range(first, first + days * DAY, MINUTE), **kwargs)

    def kline_requests(self):
        return [p for path, p in self.requests if path.endswith("/klines")]

    def answer(self, path, parameters):
        with self._lock:
            self.requests.append((path, parameters))
            bent = self.before(path, parameters) if self.before else None
            if bent is not None:
                return bent
            if path == "/api/v3/time":
                return self._json({"serverTime": self.now})
            if path == "/api/v3/exchangeInfo":
                return self._json(self._exchange_info())
            if path == "/api/v3/klines":
                return self._klines(parameters)
            return 404, {}, b"<html>no such page</html>"

    def _exchange_info(self):
        symbols = sorted({s for s, _ in self.klines})
        return {"timezone": "UTC", "serverTime": self.now,
                "rateLimits": [{"rateLimitType": "REQUEST_WEIGHT", "interval": "MINUTE", "intervalNum": 1, "limit": self.limit}],
                "symbols": [{"symbol": s, "status": self.status.get(s, "TRADING"), "baseAsset": s.removesuffix("USDT"),
                             "quoteAsset": "USDT"} for s in symbols]}

    def _klines(self, parameters):
        rows = self.klines.get((parameters.get("symbol"), parameters.get("interval")))
        if rows is None:
            return self._json({"code": -1121, "msg": "Invalid symbol."}, 400)
        times = sorted(rows)
        first = bisect.bisect_left(times, int(parameters.get("startTime", 0)))
        last = bisect.bisect_right(times, min(int(parameters.get("endTime", self.now)), self.now))
        return self._json([rows[t] for t in times[first:last]][:int(parameters.get("limit", 500))])

    @staticmethod
    def _json(value, status=200):
        return status, {"Content-Type": "application/json", "X-MBX-USED-WEIGHT-1M": "1"}, json.dumps(value).encode()

    def __enter__(self):
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
