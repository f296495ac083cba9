"""That everybody can use the dashboard: axe-core looks at every page, and the keyboard reaches what the mouse does."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from dashboard_process import PAGES, READY, Dashboard, open_page, picture, until  # noqa: E402

from program import ROOT, Chandler  # noqa: E402

AXE = ROOT / "src/web/ui/node_modules/axe-core/axe.min.js"  # of the dashboard's development: scripts/setup fetches it
SIZES = {"desktop": (1360, 850), "phone": (390, 844)}


def offences(page):
    """What axe-core finds in the page as it is now: contrast, names, roles, structure, reach of the keyboard."""
    until(page, "document.getAnimations().length === 0")  # half faded in, nothing has its contrast
    page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
    return [f"{v['id']} at {' '.join(map(str, n['target']))}: {n['failureSummary']}" for v in found for n in v["nodes"]]


@pytest.mark.parametrize("scheme", ["dark", "light"])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("path", PAGES)
def test_axe_has_nothing_to_say_of_a_page(browser, dashboard, path, size, scheme):
    page = open_page(browser.page(dashboard.url, *SIZES[size], scheme=scheme), path, READY[path])
    until(page, "!document.querySelector('.loading')")
    assert offences(page) == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_axe_has_nothing_to_say_of_an_empty_lake_the_search_and_the_help(browser, empty, dashboard, scheme):
    page = browser.page(empty.url, scheme=scheme)
    for path in PAGES:
        open_page(page, path, ".licences code" if path == "/about" else ".empty .command")
        assert offences(page) == [], path
    page = open_page(browser.page(dashboard.url, scheme=scheme), "/", READY["/"])
    page.keyboard.press("/")
    page.wait_for_selector(".options li")
    assert offences(page) == [], "the list of the search"
    page.keyboard.type("no such")
    page.wait_for_selector(".options .none")
    assert offences(page) == [], "the list of a search that finds nothing"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    page.wait_for_selector("dialog[open]")
    assert offences(page) == [], "the keyboard's help"


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_damage_is_told_of_the_symbol_that_has_it_and_can_be_read(browser, tmp_path, scheme):
    chandler = Chandler(tmp_path / "lake", tmp_path)
    for symbol in ("GOODUSDT", "HURTUSDT"):
        chandler("import", ROOT / "tests/data/binance/BTCUSDT-1m-2024-05-31.csv", "--symbol", symbol, "--quiet", check=0)
    chandler("build", "--quiet", check=0)
    file = tmp_path / "lake/klines_1m/symbol=HURTUSDT/year=2024/month=5/part.parquet"
    file.write_bytes(file.read_bytes()[:3000])
    with Dashboard(tmp_path / "lake") as running:
        page = open_page(browser.page(running.url, scheme=scheme), "/", ".problems li")
        assert page.locator(".problems li").count() == 1 and "HURTUSDT" in page.locator(".problems li").inner_text()
        rows = {row.split()[0]: row for row in page.locator(".symbols tbody tr").all_inner_texts()}
        assert "damaged" in rows["HURTUSDT"] and "damaged" not in rows["GOODUSDT"] and "100%" in rows["GOODUSDT"]
        assert offences(page) == []
        picture(page, f"damaged-home-{scheme}")
        for path in ("/chart?symbol=HURTUSDT", "/data?symbol=HURTUSDT"):
            open_page(page, path, ".notice.error")
            until(page, "!document.querySelector('.loading')")
            assert "klines_1m/symbol=HURTUSDT" in page.locator(".notice.error").first.inner_text(), "which file it is"
            assert offences(page) == [], path
        picture(page, f"damaged-data-{scheme}")


def test_the_keyboard_reaches_what_the_mouse_does(browser, dashboard):
    page = open_page(browser.page(dashboard.url), "/data?symbol=BTCUSDT&table=klines_1m", ".heat canvas")
    page.wait_for_selector("h3:has-text('month=6')")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip", "first of all, past the navigation"
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.textContent.trim().slice(0, 40) || document.activeElement.ariaLabel"))
        outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none", f"one sees where one is: {seen[-1]}"
        if seen[-1] == "year=2024/month=5":
            break
    assert {"Chart", "Largest volumes", "year=2024/month=5"} <= set(seen) and any(s.startswith("klines_1d") for s in seen), seen
    page.keyboard.press("Enter")
    page.wait_for_selector("h3:has-text('month=5')")
    page.keyboard.press("g")
    page.keyboard.press("l")
    until(page, "location.pathname === '/live'")
    assert page.evaluate("document.activeElement.id") == "main", "a screen reader goes on with the new page"
    assert page.complaints == []


def test_prices_of_a_millionth_have_a_scale_and_long_names_fit(browser, tmp_path):
    chandler = Chandler(tmp_path / "lake", tmp_path)
    rows = [f"{1_704_067_200_000 + d * 86_400_000},{0.0000071 + d * 1e-8:.10f},{0.0000075 + d * 1e-8:.10f},{0.000007 + d * 1e-8:.10f},"
            f"{0.0000072 + d * 1e-8:.10f},1000,{1_704_153_599_999 + d * 86_400_000},0.0072,10,500,0.0036,0" for d in range(90)]
    (tmp_path / "cheap.csv").write_text("\n".join(rows) + "\n")
    name = "1000000CATWITHALONGNAMETHATHARDLYENDS_USDT_PERPETUAL_2026Q4"
    chandler("import", tmp_path / "cheap.csv", "--symbol", name, "--interval", "1d", "--quiet", check=0)
    chandler("build", "--quiet", check=0)
    with Dashboard(tmp_path / "lake") as running:
        page = browser.page(running.url, 390, 844)
        for path in ("/", f"/chart?symbol={name}", f"/data?symbol={name}"):
            open_page(page, path, {"/": READY["/"], "/c": ".legend b", "/d": ".heat canvas"}[path[:2]])
            until(page, "!document.querySelector('.loading')")
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        open_page(page, f"/chart?symbol={name}", ".legend b")
        page.wait_for_timeout(500)
        picture(page, "phone-chart-millionths")
        # The scale is a canvas: without labels it has one colour, that of the last price aside.
        drawn = page.evaluate("""() => {
          const scale = document.querySelector('.chart-canvas table td:last-child canvas');
          const data = scale.getContext('2d').getImageData(0, 0, scale.width, scale.height).data;
          let rows = 0;
          for (let y = 0; y < scale.height; y++) {
            let found = false;
            for (let x = 4; x < scale.width; x++) if (data[(y * scale.width + x) * 4 + 3] > 60) found = true;
            rows += Number(found);
          }
          return rows / scale.height;
        }""")
        assert drawn > 0.08, f"labels in {drawn:.0%} of the scale's height"
        assert page.complaints == []
