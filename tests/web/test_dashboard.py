"""The dashboard in a browser: on a lake of real candles, on an empty one, on one of 500 symbols."""

import csv
import json
import pathlib
import re
import shutil
import sys
import time

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "speed"))
import speed_system  # noqa: E402
from dashboard_process import PAGES, READY, Dashboard, coloured_pixels, open_page, picture, set_open_candle, until  # noqa: E402

from program import PROGRAM, ROOT, Chandler  # noqa: E402


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_every_page_shows_the_lake_without_a_complaint(browser, dashboard, path, scheme):
    page = open_page(browser.page(dashboard.url, scheme=scheme), path, READY[path])
    page.wait_for_load_state("load")
    page.wait_for_timeout(600)
    picture(page, f"{PAGES[path]}-{scheme}")
    assert page.complaints == []
    assert page.locator("main").inner_text().strip()
    assert page.locator(".loading").count() == 0, "nothing is left half shown"
    assert page.locator('nav a[aria-current="page"]').count() == (0 if path == "/about" else 1)


@pytest.mark.parametrize("path", PAGES)
def test_every_page_of_an_empty_lake_says_what_to_do(browser, empty, path):
    page = open_page(browser.page(empty.url), path, ".licences code" if path == "/about" else ".empty .command")
    picture(page, f"empty-{PAGES[path]}")
    assert page.complaints == []
    if path != "/about":
        assert "chandler " in page.locator(".empty .command code").first.inner_text()
    page.set_viewport_size({"width": 390, "height": 844})
    picture(page, f"empty-phone-{PAGES[path]}")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.parametrize("path", PAGES)
def test_every_page_fits_a_phone(browser, dashboard, path):
    page = open_page(browser.page(dashboard.url, 390, 844, touch=True), path, READY[path])
    page.wait_for_timeout(500)
    picture(page, f"phone-{PAGES[path]}")
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390, f"{path} is {width} pixels wide"
    assert page.complaints == []


def test_candles_are_drawn(browser, dashboard):
    page = open_page(browser.page(dashboard.url), "/chart?symbol=BTCUSDT&interval=1d", ".legend b")
    page.wait_for_timeout(500)
    up, down, ma7, ma30 = coloured_pixels(page, ".chart-canvas", ["up", "down", "accent", "info"])
    assert up > 500 and down > 500, (up, down)
    assert ma7 > 100 and ma30 > 100, (ma7, ma30)
    page.get_by_role("button", name="MA7 · MA30").click()
    page.wait_for_timeout(300)
    assert coloured_pixels(page, ".chart-canvas", ["accent"])[0] < ma7 / 4, "the averages can be hidden"


def test_a_deep_link_shows_what_it_names_and_follows_the_reader(browser, dashboard):
    target = "/chart?symbol=ETHUSDT&interval=2h&from=2024-06-01&to=2024-06-10"
    page = open_page(browser.page(dashboard.url), target, ".legend b")
    assert page.locator("h1").inner_text() == "ETHUSDT"
    assert page.locator('.segments button[aria-pressed="true"]', has_text=re.compile("^2h$")).count() == 1
    assert page.url.endswith(target)
    page.keyboard.press("]")
    until(page, "location.search.includes('interval=4h')")
    page.keyboard.press("/")
    page.keyboard.type("btcu")
    page.keyboard.press("Enter")
    until(page, "location.search.includes('symbol=BTCUSDT')")
    until(page, "document.querySelector('h1').textContent === 'BTCUSDT'")
    page.go_back()
    until(page, "document.querySelector('h1').textContent === 'ETHUSDT'")
    page.get_by_role("button", name="1Y", exact=True).click()
    until(page, "location.search.includes('interval=1d')")
    assert page.complaints == []


def test_thirteen_years_of_days_fit_and_the_legend_leaves_the_scale_free(browser, dashboard):
    page = open_page(browser.page(dashboard.url, 1280), "/chart?symbol=BTCUSDT&interval=1d&from=2017-08-17&to=2024-06-25", ".legend b")
    page.wait_for_timeout(500)
    picture(page, "chart-all-days")
    link = page.evaluate("location.search")
    assert "from=2017-08-17" in link, link
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_timeout(500)
    legend, scale = (page.locator(s).bounding_box() for s in (".legend", ".chart-canvas table td:last-child >> nth=0"))
    assert scale["width"] > 40 and legend["x"] + legend["width"] <= scale["x"], (legend, scale)


def test_older_candles_come_when_the_reader_goes_there(browser, dashboard):
    page = open_page(browser.page(dashboard.url), "/chart?symbol=BTCUSDT&interval=1h", ".legend b")
    asked = []
    page.on("request", lambda r: asked.append(r.url) if "/api/v1/candles" in r.url and "to=" in r.url else None)
    for _ in range(40):
        page.keyboard.press("Shift+ArrowLeft")
    page.wait_for_timeout(500)
    assert asked, "the history before the first page was asked for"
    assert page.complaints == []


def test_the_live_candle_moves(browser, lake, dashboard):
    last = dashboard.json("/api/v1/candles?symbol=BTCUSDT&interval=1m&limit=1")
    begin = last["open_time"][0] + (0 if last["provisional"][0] else 60_000)
    close = last["close"][0]
    candle = {"open_time": begin, "open": close, "low": close - 5, "volume": 1.5}
    set_open_candle(lake, "BTCUSDT", begin + 2_000, high=close + 5, close=close + 1, **candle)
    page = open_page(browser.page(dashboard.url), "/chart?symbol=BTCUSDT&interval=1m", ".legend b")
    until(page, "[...document.querySelectorAll('.legend b')].some((b) => b.textContent === %r)" % f"{close + 1:,.2f}")
    before = page.evaluate("document.querySelector('.chart-canvas canvas').toDataURL()")
    set_open_candle(lake, "BTCUSDT", begin + 30_000, high=close + 400, close=close + 321.25, **candle)
    until(page, "[...document.querySelectorAll('.legend b')].some((b) => b.textContent === %r)" % f"{close + 321.25:,.2f}")
    page.wait_for_timeout(200)
    assert page.evaluate("document.querySelector('.chart-canvas canvas').toDataURL()") != before, "and its picture with it"
    assert page.locator(".legend", has_text="still open").count() == 1
    picture(page, "chart-live")
    open_page(page, "/live", ".facts")
    assert page.locator("tbody tr", has_text="BTCUSDT").count() == 1
    picture(page, "live-flowing")
    shutil.rmtree(lake / "speed_1m")
    page.wait_for_selector(".empty")
    assert page.complaints == []


def test_the_pages_come_back_after_the_server_was_away(browser, tmp_path):
    chandler = Chandler(tmp_path / "lake", tmp_path)
    day = ROOT / "tests/data/binance"
    chandler("import", day / "BTCUSDT-1m-2024-05-31.csv", "--symbol", "BTCUSDT", "--quiet", check=0)
    newest = """document.querySelector('.legend b')?.textContent === %r"""
    with Dashboard(tmp_path / "lake") as running:
        port = int(running.url.rsplit(":", 1)[1])
        page = open_page(browser.page(running.url), "/chart?symbol=BTCUSDT&interval=1m", ".legend b")
        live = open_page(browser.page(running.url), "/live", ".empty")
        until(page, newest % "2024-05-31 23:59")
    page.wait_for_selector('.pulse[data-state="off"]')
    live.wait_for_selector(".notice.error")
    assert page.locator(".legend b").first.inner_text() == "2024-05-31 23:59", "what was seen last stays"
    chandler("import", day / "BTCUSDT-1m-2024-06-01.csv", "--symbol", "BTCUSDT", "--quiet", check=0)
    with Dashboard(tmp_path / "lake", port=port):
        page.wait_for_selector('.pulse[data-state="on"]')
        until(page, newest % "2024-06-01 23:59")
        page.wait_for_timeout(500)
        picture(page, "chart-after-a-pause")
        assert page.locator(".chart-foot", has_text="filled").count() == 0, "and with what came meanwhile"
        until(live, "!document.querySelector('.notice.error')")
        assert all("Failed to load resource" in c for c in [*page.complaints, *live.complaints])


def test_the_live_page_tells_how_the_processes_are_doing(browser, tmp_path):
    """A real `chandler live` on an embedded exchange whose streams break, repeat and lose messages; and what a killed process left."""
    with (speed_system.Sim(PROGRAM, ROOT / "data/demo", "2024-06-20T12:00:10Z", 60, "--stream-faults", "0.05", "--seed", "5") as sim,
          speed_system.SpeedSystem(PROGRAM, tmp_path, sim) as system, Dashboard(system.lake) as running):
        live = system.live().start()
        page = open_page(browser.page(running.url), "/live", "section[aria-label^='Process live-']")
        until(page, "document.querySelectorAll('tbody tr').length === 2")
        facts = """(() => Object.fromEntries([...document.querySelectorAll("section[aria-label^='Process'] .fact")]
                      .map((f) => [f.querySelector('dt').textContent, f.querySelector('dd').textContent])))()"""
        until(page, f"Number({facts}.Reconnects) > 0", timeout=60)
        shown = page.evaluate(facts)
        assert shown["Messages"].endswith(" /s") and {"Late", "Lag", "Rejected", "Minutes stored"} <= set(shown)
        # What is told now can be newer than what was read off the page, never less.
        told = running.json("/api/v1/streams")["processes"][0]
        assert told["fresh"] and told["command"] == "live" and int(shown["Reconnects"]) <= told["reconnects"]
        status = next((system.lake / "speed_1m/_status").glob("live-*.json"))
        killed = {**json.loads(status.read_text()), "process": "consume-else-7", "command": "consume", "rejected": 4, "late": 1234,
                  "rejected_by_reason": {"bad_number": 4}, "updated_at": int(time.time() * 1000) - 300_000}
        (status.parent / "consume-else-7.json").write_text(json.dumps(killed))
        page.wait_for_selector("section[aria-label='Process consume-else-7']")
        text = page.locator("section[aria-label='Process consume-else-7']").inner_text()
        assert "no sign of life" in text and "1,234" in text and "bad number: 4" in text
        picture(page, "live-process")
        open_page(page, "/", ".problems li")
        first = page.locator(".problems li").first.inner_text()
        assert "consume-else-7" in first and "chandler consume" in first, "what is wrong, first"
        open_page(page, "/live", "section[aria-label='Process consume-else-7']")
        page.set_viewport_size({"width": 390, "height": 844})
        page.wait_for_timeout(300)
        picture(page, "phone-live-process")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert live.stop() == 0
        until(page, "!document.querySelector(\"section[aria-label^='Process live']\")")
        assert page.complaints == []


def test_downloads_hold_what_the_lake_holds(browser, dashboard, tmp_path):
    page = open_page(browser.page(dashboard.url), "/chart?symbol=BTCUSDT&interval=1d", ".legend b")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download BTCUSDT 1d as CSV").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    rows = list(csv.DictReader(file.open()))
    wanted = dashboard.json("/api/v1/candles?symbol=BTCUSDT&interval=1d&limit=100000")
    assert [float(r["close"]) for r in rows] == wanted["close"]
    assert file.name == "BTCUSDT_1d.csv"


def test_forecasts_are_drawn_and_can_be_downloaded(browser, dashboard, tmp_path):
    page = open_page(browser.page(dashboard.url), "/forecasts?symbol=BTCUSDT", ".plot canvas")
    page.wait_for_selector("svg.bars rect")
    page.wait_for_timeout(600)
    assert coloured_pixels(page, ".plot", ["forecast"])[0] > 50
    with page.expect_download() as download:
        page.locator("section.card", has=page.locator("h2", has_text="Actual against predicted")).get_by_role("link").click()
    file = tmp_path / "avp.csv"
    download.value.save_as(file)
    assert file.read_text().startswith("ds,yhat,y,error,abs_error,pct_error")
    page.goto(page.base + "/models?symbol=BTCUSDT")
    page.wait_for_selector("tbody tr")
    assert page.locator("tbody tr", has_text="naive").count() >= 1, "naive is always in the table"
    assert page.complaints == []


def test_the_calendar_leads_to_the_day(browser, dashboard):
    page = open_page(browser.page(dashboard.url), "/data?symbol=BTCUSDT", ".heat canvas")
    pixels = coloured_pixels(page, ".heat", ["heat-4"])[0]
    assert pixels > 1000, "complete days are drawn"
    page.locator(".tables button", has_text="klines_1m").click()
    page.wait_for_selector("h3:has-text('klines_1m')")
    assert "open_time" in page.locator("table").last.inner_text()
    assert page.complaints == []


def test_500_symbols_are_a_list_one_can_use(browser, lake, tmp_path_factory):
    folder = tmp_path_factory.mktemp("many")
    many = folder / "lake"
    month = sorted((lake / "klines_1m/symbol=ETHUSDT").glob("year=*/month=*"))[0]
    for i in range(500):
        target = many / "klines_1m" / f"symbol=COIN{i:03}USDT" / month.parent.name / month.name
        target.parent.mkdir(parents=True)
        shutil.copytree(month, target)
    Chandler(many, folder)("build", "--quiet", check=0, timeout=600)
    with Dashboard(many) as running:
        page = browser.page(running.url)
        page.goto(page.base + "/")
        until(page, "document.querySelectorAll('.symbols tbody tr').length === 500", timeout=120)
        picture(page, "home-500")
        page.get_by_placeholder("Filter symbols").fill("coin49")
        until(page, "document.querySelectorAll('.symbols tbody tr').length === 10")
        page.locator("tbody a", has_text="COIN497USDT").click()
        page.wait_for_selector(".legend b")
        picture(page, "chart-of-500")
        for table in ("klines_1m", "daily_filled", "prophet_input"):
            shutil.rmtree(many / table / "symbol=COIN497USDT")
        page.wait_for_selector(".chart-message .empty", timeout=60_000)
        picture(page, "chart-vanished")
        assert "left the lake" in page.locator(".chart-message").inner_text()
        assert page.complaints == []
