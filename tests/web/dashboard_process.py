"""`chandler serve` as a process of its own, and a browser that looks at it."""

import json
import pathlib
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request

from playwright.sync_api import sync_playwright

from program import PROGRAM, ROOT

PICTURES = ROOT / "build/screenshots"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

PAGES = {"/": "home", "/chart": "chart", "/models": "metrics", "/forecasts": "forecasts", "/data": "data", "/live": "live",
         "/about": "about"}
# What is on a page once it has all it asked for.
READY = {"/": ".symbols tbody tr", "/chart": ".legend b", "/models": "h1", "/forecasts": "h1", "/data": ".heat canvas",
         "/live": ".empty, .facts", "/about": ".licences code"}


class Dashboard:
    """Serves a lake on a free port until the `with` ends."""

    def __init__(self, lake, *arguments, port=0):
        command = [PROGRAM, "serve", "--json", "--port", str(port), "--lake", str(lake), *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"serve ended: {self.process.wait()}")
        self.about = json.loads(line)
        self.url = self.about["url"]
        while self.get("/api/v3/exchangeInfo")[0] == 503:  # the symbols are still being read
            time.sleep(0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(20) == 0, "a served lake ends in order"

    def get(self, target, headers=None):
        """Status, headers and body."""
        request = urllib.request.Request(self.url + target, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def json(self, target):
        status, _, body = self.get(target)
        assert status == 200, body
        return json.loads(body)


class Browser:
    """Chromium. Its pages note what a careful page never has: errors on the console, requests to other hosts."""

    def __init__(self):
        self.playwright = sync_playwright().start()
        self.chromium = self.playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])

    def close(self):
        self.chromium.close()
        self.playwright.stop()

    def page(self, url, width=1360, height=850, scheme="dark", touch=False):
        context = self.chromium.new_context(viewport={"width": width, "height": height}, color_scheme=scheme,
                                            has_touch=touch, accept_downloads=True)
        page = context.new_page()
        page.set_default_timeout(30_000)
        page.complaints = []
        page.on("console", lambda m: page.complaints.append(m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: page.complaints.append(str(e)))
        page.on("request", lambda r: None if r.url.startswith((url, "data:", "blob:")) else page.complaints.append(f"asks {r.url}"))
        page.base = url
        return page


def open_page(page, path, ready):
    """Goes there and waits until what has to be seen is there."""
    page.goto(page.base + path)
    page.wait_for_selector(ready)
    return page


def until(page, expression, timeout=30):
    """Waits until a JavaScript expression is true. (Playwright's own waiting evaluates text inside the page, which the
    page's policy forbids, as it should.)"""
    end = time.monotonic() + timeout
    while not page.evaluate(expression):
        assert time.monotonic() < end, f"never true: {expression}"
        page.wait_for_timeout(50)


def picture(page, name):
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(PICTURES / f"{name}.png"))


def coloured_pixels(page, selector, colours):
    """How many pixels of the canvases below a selector are nearly of each colour (a name of the style sheet)."""
    return page.evaluate(
        """([selector, names]) => {
          const style = getComputedStyle(document.documentElement);
          const wanted = names.map((n) => {
            const hex = parseInt(style.getPropertyValue('--' + n).trim().slice(1), 16);
            return [hex >> 16, (hex >> 8) & 255, hex & 255];
          });
          const counts = names.map(() => 0);
          for (const canvas of document.querySelectorAll(selector + ' canvas')) {
            if (!canvas.width || !canvas.height) continue;
            const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
            for (let i = 0; i < data.length; i += 4) {
              if (data[i + 3] < 200) continue;
              wanted.forEach(([r, g, b], k) => {
                if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 24) counts[k]++;
              });
            }
          }
          return counts;
        }""",
        [selector, colours],
    )


def set_open_candle(lake, symbol, event_time, **candle):
    """Writes what the speed layer writes while a minute is open: whole, then in place."""
    folder = pathlib.Path(lake) / "speed_1m/_open"
    folder.mkdir(parents=True, exist_ok=True)
    row = {"symbol": symbol, "event_time": event_time, "quote_volume": None, "taker_buy_volume": None,
           "taker_buy_quote_volume": None, "trades": 7, **candle}
    aside = folder / ".live.json.part"
    aside.write_text(json.dumps({"stream": "live", "position": None, "watermark": event_time - 60_000, "open": [row]}))
    aside.rename(folder / "live.json")
