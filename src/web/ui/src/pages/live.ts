import { api, type ApiError, type OpenCandle, type Stream } from "../api";
import { h, replace } from "../dom";
import { compact, count, duration, minute, percent, plural, price, second } from "../format";
import { lake, onChange, onLake } from "../lake";
import { go, href, type Page } from "../router";
import { command, empty, failure, loading, sortedTable, type SortState } from "../widgets";

interface Row extends OpenCandle {
  stream: string;
}

// What the reader sees move, from one state of the lake to the next.
interface Sight {
  at: number; // of this machine
  position: number | null;
  trades: number;
  events: number;
}

export function livePage(): Page {
  const element = h("div", { class: "chart-page fade-in" }, loading("Looking for streams…"));
  const head = h("div", { class: "page-head" }, h("h1", {}, "Live"), h("span", { class: "muted" }, "what the speed layer has written last"));
  const cards = h("div", { class: "grid" });
  const table = h("section", { class: "card", "aria-label": "Open candles" });
  const sort: SortState = { column: 0, descending: false };
  const sights = new Map<string, Sight[]>();
  const before = new Map<string, number>();
  let streams: Stream[] = [];
  let stopped = false;

  function rate(stream: Stream): string {
    const seen = sights.get(stream.stream) ?? [];
    const first = seen[0];
    const last = seen[seen.length - 1];
    if (!first || !last || last.at - first.at < 1000) return "measuring…";
    const span = (last.at - first.at) / 1000;
    const moved = first.position !== null && last.position !== null ? last.position - first.position : last.events - first.events;
    return `${compact(moved / span)} /s`;
  }

  function observe(next: Stream[]): void {
    for (const stream of next) {
      const list = sights.get(stream.stream) ?? [];
      const previous = list[list.length - 1];
      let moved = 0;
      for (const candle of stream.open) {
        const key = `${stream.stream} ${candle.symbol}`;
        if (before.get(key) !== candle.event_time) moved++;
        before.set(key, candle.event_time);
      }
      list.push({
        at: Date.now(),
        position: stream.position,
        trades: stream.open.reduce((sum, c) => sum + (c.trades ?? 0), 0),
        events: (previous?.events ?? 0) + (previous ? moved : 0),
      });
      sights.set(stream.stream, list.slice(-30));
    }
    streams = next;
  }

  function card(stream: Stream): HTMLElement {
    const newest = Math.max(...stream.open.map((c) => c.event_time), stream.watermark ?? 0);
    const reference = Math.max(lake.status?.newest ?? 0, newest);
    const lag = reference - newest;
    const oldest = stream.open.length ? Math.min(...stream.open.map((c) => c.event_time)) : null;
    const fact = (name: string, value: string, title = "") => h("div", { class: "fact", title }, h("dt", {}, name), h("dd", { class: "num" }, value));
    return h(
      "section",
      { class: "card", "aria-label": `Stream ${stream.stream}` },
      h(
        "div",
        { class: "card-head" },
        h("h2", {}, stream.stream),
        lag < 120_000 ? h("span", { class: "badge good" }, "flowing") : h("span", { class: "badge warn" }, `silent for ${duration(lag)}`),
      ),
      h(
        "dl",
        { class: "facts" },
        fact("Symbols", count(stream.open.length)),
        fact("Updates", rate(stream), "As they reach the lake"),
        fact("Last event", newest ? `${minute(newest).slice(0, 10)} ${second(newest)}` : "–"),
        fact("Slowest symbol", oldest === null ? "–" : `${duration(newest - oldest)} behind`),
        fact("Watermark", stream.watermark === null ? "–" : minute(stream.watermark), "No event before it is expected any more"),
        stream.position === null ? null : fact("Position", count(stream.position), "The next message to be read"),
      ),
    );
  }

  function drawTable(): void {
    const rows: Row[] = streams.flatMap((s) => s.open.map((c) => ({ ...c, stream: s.stream })));
    const reference = Math.max(lake.status?.newest ?? 0, ...rows.map((r) => r.event_time));
    replace(
      table,
      h("div", { class: "card-head" }, h("h2", {}, "Open candles"), h("span", { class: "muted small" }, "the minute that is not over yet")),
      rows.length
        ? sortedTable<Row>(
            [
              { name: "Symbol", key: (r) => r.symbol, cell: (r) => h("a", { class: "cell", href: href("/chart", { symbol: r.symbol, interval: "1m" }) }, r.symbol) },
              { name: "Minute", key: (r) => r.open_time, cell: (r) => minute(r.open_time) },
              { name: "Open", right: true, cell: (r) => price(r.open) },
              { name: "High", right: true, cell: (r) => price(r.high) },
              { name: "Low", right: true, cell: (r) => price(r.low) },
              { name: "Last", right: true, key: (r) => r.close, cell: (r) => h("strong", { class: r.close < r.open ? "down" : "up" }, price(r.close)) },
              { name: "Change", right: true, key: (r) => r.close / r.open - 1, cell: (r) => percent(r.close / r.open - 1, 3) },
              { name: "Volume", right: true, key: (r) => r.volume, cell: (r) => compact(r.volume) },
              { name: "Trades", right: true, key: (r) => r.trades, cell: (r) => (r.trades === null ? "–" : count(r.trades)) },
              { name: "Behind", right: true, key: (r) => reference - r.event_time, cell: (r) => duration(reference - r.event_time) },
            ],
            rows,
            sort,
            drawTable,
            { caption: "Open candles", open: (r) => go(href("/chart", { symbol: r.symbol, interval: "1m" })) },
          )
        : h("p", { class: "muted" }, "Every candle is closed; the next event opens one."),
    );
  }

  function draw(): void {
    if (streams.length === 0) {
      const waiting = lake.status?.symbols.reduce((sum, s) => sum + s.speed_minutes, 0) ?? 0;
      replace(
        element,
        h("h1", { class: "sr-only" }, "Live"),
        empty(
          "live",
          "No live stream",
          waiting
            ? `Nothing is followed at the moment. ${plural(waiting, "minute")} of an earlier stream wait to be merged.`
            : "Nothing is followed at the moment. Start the speed layer and its streams appear here by themselves.",
          command("chandler live BTCUSDT ETHUSDT"),
        ),
      );
      return;
    }
    replace(cards, ...streams.map(card));
    drawTable();
    if (!element.contains(head)) replace(element, head, cards, table);
  }

  async function load(): Promise<void> {
    try {
      const { streams: next } = await api.streams();
      if (stopped) return;
      observe(next);
      draw();
    } catch (error) {
      if (!stopped) replace(element, failure(error as ApiError));
    }
  }
  const stops = [onChange(() => void load()), onLake(() => element.contains(cards) && draw())];
  void load();
  // Where nothing comes any more, silence still has to be told.
  const timer = window.setInterval(() => void load(), 10_000);
  return {
    element,
    destroy() {
      stopped = true;
      window.clearInterval(timer);
      for (const stop of stops) stop();
    },
  };
}
