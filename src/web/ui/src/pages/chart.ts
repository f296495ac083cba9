import { api, type ApiError, type Candles } from "../api";
import { CandleView } from "../charts/candle_view";
import { h, replace } from "../dom";
import { follow } from "../events";
import { compact, day, decimalsOf, minute, percent, plural, price } from "../format";
import { defaultSymbol, lake, onLake, rememberSymbol } from "../lake";
import { go, href, setParams, type Page } from "../router";
import { command, empty, failure, loading, segments, toggle } from "../widgets";
import { intervalLength, intervals, rangeInterval, ranges, type Interval, type Range } from "../intervals";

// Candles in one request, and how many are shown at first.
const pageSize = 1500;
const firstView = 220;

interface View {
  symbol: string;
  interval: Interval;
  from?: number;
  to?: number;
}

function readView(params: URLSearchParams): View | null {
  const symbol = params.get("symbol") ?? defaultSymbol();
  if (!symbol) return null;
  const wanted = params.get("interval") as Interval | null;
  const time = (name: string) => {
    const ms = Date.parse(params.get(name) ?? "");
    return Number.isNaN(ms) ? undefined : ms;
  };
  return {
    symbol,
    interval: wanted && intervals.includes(wanted) ? wanted : "1d",
    from: time("from"),
    to: time("to"),
  };
}

// As short as it can be: a day where it is one.
const instant = (ms: number) => (ms % 86_400_000 === 0 ? day(ms) : `${new Date(ms).toISOString().slice(0, 16)}Z`);

export function chartPage(params: URLSearchParams): Page {
  const element = h("div", { class: "page" });
  const title = h("div", { class: "chart-title" });
  const legend = h("div", { class: "legend", "aria-live": "off" });
  const canvas = h("div", { class: "chart-canvas" });
  const message = h("div", { class: "chart-message" });
  const card = h("div", { class: "chart-card", tabindex: "0", role: "img" }, legend, canvas, message);
  const foot = h("div", { class: "chart-foot" });
  const view = new CandleView(canvas);
  let shown: View | null = null;
  let range: Range | null = null;
  let loadingOlder = false;
  let noOlder = false;
  let abort = new AbortController();
  let stopEvents = () => {};
  let catchingUp = false;
  let hasForecast = false;

  const intervalButtons = segments("Interval", intervals.map((i) => [i, i] as const), null, (interval) => {
    if (!shown) return;
    const [from, to] = view.visibleTimes() ?? [undefined, undefined];
    // The same stretch of time, as far as its candles are still a picture.
    const bars = from !== undefined && to !== undefined ? (to - from) / intervalLength(interval) : 0;
    const keep = bars > 30 && bars < 3000;
    range = null;
    open({ symbol: shown.symbol, interval, from: keep ? from : undefined, to: keep ? to : undefined });
  });
  const rangeButtons = segments("Range", ranges.map((r) => [r, r] as const), null, (wanted) => showRange(wanted));
  const maButton = toggle("MA7 · MA30", true, (on) => view.showAverages(on));
  const volumeButton = toggle("Volume", true, (on) => view.showVolume(on));
  const logButton = toggle("Log", false, (on) => view.logarithmic(on), "Logarithmic price scale");
  const forecastButton = toggle("Forecast", true, (on) => view.showForecast(on));
  const csv = h("a", { class: "button", download: "" }, "CSV");
  const toolbar = h(
    "div",
    { class: "toolbar" },
    intervalButtons,
    rangeButtons,
    h("div", { class: "segments push", role: "group", "aria-label": "Show" }, maButton, volumeButton, logButton, forecastButton),
    csv,
  );

  function drawTitle(): void {
    if (!shown) return;
    const status = lake.status?.symbols.find((s) => s.symbol === shown!.symbol);
    const change = status?.last_price && status.day_ago_price ? status.last_price / status.day_ago_price - 1 : null;
    // What is shown may end long before now; the price is that of now.
    const bar = view.last();
    const ends = bar ? bar.time + intervalLength(shown.interval) : 0;
    const last = bar && ends >= (status?.last_time ?? 0) ? bar.close : status?.last_price;
    replace(
      title,
      h("h1", {}, shown.symbol),
      h("span", { class: "price num" }, price(last)),
      change === null ? null : h("span", { class: `num ${change < 0 ? "down" : "up"}` }, `${percent(change)} in 24 h`),
      status?.live_at ? h("span", { class: "badge good" }, "live") : null,
      status ? h("span", { class: "muted small" }, status.last_time ? `last ${minute(status.last_time)}` : "") : null,
    );
  }

  // The labels of the scale stay free.
  view.onScaleWidth((pixels) => card.style.setProperty("--scale-width", `${pixels}px`));

  function drawLegend(): void {
    const bar = view.legend();
    if (!bar) return replace(legend);
    const change = bar.previous ? bar.close / bar.previous - 1 : null;
    const decimals = decimalsOf(bar.close); // in all of them, or they would jump under the pointer
    const exact = (v: number) => price(v, decimals);
    const value = (name: string, text: string) => h("span", {}, `${name} `, h("b", {}, text));
    replace(
      legend,
      h("b", {}, shown && intervalLength(shown.interval) >= 86_400_000 ? day(bar.time) : minute(bar.time)),
      value("O", exact(bar.open)),
      value("H", exact(bar.high)),
      value("L", exact(bar.low)),
      value("C", exact(bar.close)),
      change === null ? null : h("span", { class: change < 0 ? "down" : "up" }, percent(change)),
      value("V", compact(bar.volume)),
      bar.ma7 === null ? null : h("span", { class: "ma7" }, `MA7 ${exact(bar.ma7)}`),
      bar.ma30 === null ? null : h("span", { class: "ma30" }, `MA30 ${exact(bar.ma30)}`),
      bar.forecast === null ? null : h("span", { class: "forecast" }, `forecast ${exact(bar.forecast)}`),
      bar.filled ? h("span", { class: "badge warn" }, "no data: filled with the last close") : null,
      bar.provisional ? h("span", { class: "badge good" }, "still open") : null,
      bar.missing ? h("span", { class: "badge warn" }, `${plural(bar.missing, "minute")} missing`) : null,
    );
  }

  function drawFoot(): void {
    const { filled } = view.counts();
    replace(
      foot,
      filled ? h("span", {}, h("span", { class: "swatch hole" }), `${plural(filled, "candle")} without data, filled with the last close`) : null,
      view.last()?.provisional ? h("span", {}, h("span", { class: "swatch live" }), "the last candle is still open") : null,
      hasForecast && view.forecastFits() ? h("span", {}, h("span", { class: "swatch forecast" }), "forecast with its interval") : null,
      h("span", {}, "Drag or ← → to move, wheel or + − to zoom"),
      h("span", {}, "Charts: ", h("a", { href: "https://www.tradingview.com/", target: "_blank", rel: "noopener" }, "TradingView Lightweight Charts™")),
    );
    forecastButton.hidden = !(hasForecast && view.forecastFits());
  }

  function say(node: Node | null): void {
    message.hidden = node === null;
    replace(message, node);
  }

  async function open(next: View): Promise<void> {
    abort.abort();
    abort = new AbortController();
    const { signal } = abort;
    const symbolChanged = shown?.symbol !== next.symbol;
    shown = next;
    noOlder = false;
    rememberSymbol(next.symbol);
    intervalButtons.choose(next.interval);
    rangeButtons.choose(range);
    setParams({
      symbol: next.symbol,
      interval: next.interval,
      from: next.from === undefined ? undefined : instant(next.from),
      to: next.to === undefined ? undefined : instant(next.to),
    });
    csv.href = href("/api/v1/candles", { symbol: next.symbol, interval: next.interval, format: "csv", limit: "100000" });
    csv.setAttribute("aria-label", `Download ${next.symbol} ${next.interval} as CSV`);
    card.setAttribute("aria-label", `Candles of ${next.symbol}, ${next.interval}`);
    document.title = `${next.symbol} ${next.interval} · chandler`;
    if (symbolChanged) {
      view.clear();
      replace(legend);
      hasForecast = false;
    }
    drawTitle();
    const patience = window.setTimeout(() => say(loading()), 150);
    try {
      const length = intervalLength(next.interval);
      // A little more than what is asked for: the averages need what came before.
      const page =
        next.from !== undefined
          ? await api.candles(
              { symbol: next.symbol, interval: next.interval, from: Math.max(0, next.from - 40 * length), to: next.to === undefined ? undefined : Math.max(next.to + length, next.from + length), limit: 10_000, fill: true },
              signal,
            )
          : await api.candles({ symbol: next.symbol, interval: next.interval, limit: pageSize, fill: true }, signal);
      window.clearTimeout(patience);
      say(null);
      view.setCandles(page, next.interval);
      if (page.open_time.length === 0) {
        say(empty("chart", "No candles here", "The lake has none in this range.", h("button", { class: "button", type: "button", onclick: () => showRange("All") }, "Show all")));
      } else if (next.from !== undefined) {
        view.showTimes(next.from, next.to ?? page.open_time[page.open_time.length - 1]!);
      } else {
        view.showLast(firstView);
      }
      drawTitle();
      drawLegend();
      drawFoot();
      listen();
      if (symbolChanged) void loadForecast(next.symbol, signal);
    } catch (error) {
      window.clearTimeout(patience);
      if (signal.aborted) return;
      view.clear();
      replace(legend);
      replace(foot);
      forecastButton.hidden = true;
      const failed = error as ApiError;
      say(
        failed.code === "not_found"
          ? empty("search", `${next.symbol} is not in this lake`, failed.remedy, command(`chandler backfill ${next.symbol}`))
          : failure(failed),
      );
    }
  }

  async function loadForecast(symbol: string, signal: AbortSignal): Promise<void> {
    try {
      const latest = (await api.runs(signal)).runs.find((run) => run.latest);
      if (!latest?.symbols.includes(symbol)) return;
      const forecast = await api.forecast(symbol, latest.run, signal);
      hasForecast = view.setForecast(forecast);
      drawLegend();
    } catch {
      hasForecast = false; // the chart is complete without one
    }
    if (!signal.aborted) drawFoot();
  }

  function showRange(wanted: Range): void {
    if (!shown) return;
    const status = lake.status?.symbols.find((s) => s.symbol === shown!.symbol);
    const end = status?.last_time ?? view.last()?.time;
    if (!end) return;
    const first = Date.parse(status?.first_day ?? "") || (status?.first ?? end);
    const { interval, from } = rangeInterval(wanted, first, end);
    range = wanted;
    void open({ symbol: shown.symbol, interval, from, to: undefined });
  }

  async function loadOlder(): Promise<void> {
    const first = view.first();
    if (!shown || loadingOlder || noOlder || first === null) return;
    loadingOlder = true;
    const { symbol, interval } = shown;
    try {
      const page = await api.candles({ symbol, interval, to: first, limit: pageSize, fill: true }, abort.signal);
      if (shown.symbol === symbol && shown.interval === interval) {
        if (page.open_time.length === 0) noOlder = true;
        else view.prepend(page);
        drawFoot();
      }
    } catch {
      noOlder = true; // the next look at this symbol tries again
    }
    loadingOlder = false;
  }

  function drawNewest(): void {
    drawTitle();
    if (!view.isHovered()) drawLegend();
    drawFoot();
  }

  // What came while nobody told us: the server was away, or this machine slept.
  async function catchUp(): Promise<void> {
    const last = view.last();
    if (!shown || catchingUp || !last) return;
    catchingUp = true;
    const { symbol, interval } = shown;
    try {
      const page = await api.candles({ symbol, interval, from: last.time, limit: pageSize, fill: true }, abort.signal);
      if (shown.symbol === symbol && shown.interval === interval) {
        view.append(page);
        drawNewest();
      }
    } catch {
      // the next event tries again
    }
    catchingUp = false;
  }

  function listen(): void {
    stopEvents();
    if (!shown) return;
    const { symbol, interval } = shown;
    stopEvents = follow(href("/api/v1/live", { symbol, interval }), {
      candle: (event) => {
        const page = JSON.parse(event.data) as Candles;
        if (shown?.symbol !== page.symbol || shown.interval !== page.interval) return;
        if (view.update(page)) drawNewest();
        else if (shown.to === undefined) void catchUp(); // else a time is shown that ends before now
      },
      gone: () => {
        stopEvents();
        say(empty("search", `${symbol} has left the lake`, "Its files are not there any more.", h("a", { class: "button", href: "/" }, "All symbols")));
      },
    });
  }

  let urlTimer: number | undefined;
  view.onMove((from, to) => {
    // In the next frame: while candles are put in, the range is for a moment that of all of them.
    requestAnimationFrame(() => {
      if (view.atLeft()) void loadOlder();
    });
    window.clearTimeout(urlTimer);
    urlTimer = window.setTimeout(() => {
      if (!element.isConnected || !view.movedByReader()) return;
      setParams({ from: instant(from), to: instant(to) });
      rangeButtons.choose((range = null));
    }, 300);
  });
  view.onHover(drawLegend);

  const start = (p: URLSearchParams) => {
    const wanted = readView(p);
    if (wanted) {
      if (!element.contains(card)) replace(element, title, toolbar, card, foot);
      range = null;
      void open(wanted);
    } else if (lake.status) {
      replace(element, h("h1", { class: "sr-only" }, "Chart"), empty("chart", "There is nothing to chart yet", "The lake is empty.", command("chandler backfill BTCUSDT")));
    } else {
      replace(element, loading("Reading the lake…"));
    }
  };
  const stop = onLake(() => {
    if (shown) drawTitle();
    else start(new URLSearchParams(location.search));
  });
  start(params);

  return {
    element,
    update: start,
    key(event) {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step) view.pan(step * (event.shiftKey ? 60 : 15));
      else if (event.key === "+" || event.key === "=") view.zoom(0.8);
      else if (event.key === "-") view.zoom(1.25);
      else if (event.key === "[" || event.key === "]") {
        if (!shown) return false;
        const next = intervals[intervals.indexOf(shown.interval) + (event.key === "]" ? 1 : -1)];
        if (next) go(href("/chart", { symbol: shown.symbol, interval: next }));
      } else if (event.key === "End") view.showLast(firstView);
      else return false;
      return true;
    },
    destroy() {
      abort.abort();
      stopEvents();
      stop();
      window.clearTimeout(urlTimer);
      view.destroy();
    },
  };
}
