import { api, type ApiError, type OpenCandle, type SpeedProcess, type Stream } from "../api";
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

const badge = (kind: "good" | "warn" | "bad", text: string) => h("span", { class: `badge ${kind}` }, text);
const fact = (name: string, value: string, title = "", kind: "" | "warn" = "") =>
  h("div", { class: "fact", title }, h("dt", {}, name), h("dd", { class: `num ${kind}` }, value));

export function livePage(): Page {
  const element = h("div", { class: "page fade-in" }, loading("Looking for streams…"));
  const head = h("div", { class: "page-head" }, h("h1", {}, "Live"), h("span", { class: "muted" }, "what the speed layer has written last"));
  const trouble = h("div", {});
  const cards = h("div", { class: "grid" });
  const workers = h("div", { class: "grid" });
  const table = h("section", { class: "card", "aria-label": "Open candles" });
  const sort: SortState = { column: 0, descending: false };
  const sights = new Map<string, Sight[]>();
  const before = new Map<string, number>();
  let streams: Stream[] = [];
  let processes: SpeedProcess[] = [];
  let now = 0; // the server's
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
    return h(
      "section",
      { class: "card", "aria-label": `Stream ${stream.stream}` },
      h(
        "div",
        { class: "card-head" },
        h("h2", {}, `Stream ${stream.stream}`),
        lag < 120_000 ? badge("good", "flowing") : badge("warn", `silent for ${duration(lag)}`),
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

  // A replayed exchange lives in another time: the difference of the clocks would say nothing.
  function lagOf(p: SpeedProcess): string {
    const lag = now - p.newest_event;
    return p.newest_event === 0 || Math.abs(lag) > 7 * 86_400_000 ? "–" : duration(Math.max(0, lag));
  }

  function processCard(p: SpeedProcess): HTMLElement {
    const produces = p.command === "produce";
    const reasons = Object.entries(p.rejected_by_reason).map(([reason, n]) => `${reason.replaceAll("_", " ")}: ${count(n)}`);
    const state = p.fresh ? badge("good", "running") : badge("bad", `no sign of life for ${duration(now - p.updated_at)}`);
    const broken = p.reconnects > 0 || p.commit_failures > 0;
    return h(
      "section",
      { class: "card", "aria-label": `Process ${p.process}` },
      h("div", { class: "card-head" }, h("h2", { title: p.process }, `chandler ${p.command}`), state),
      h(
        "dl",
        { class: "facts" },
        fact("Messages", p.fresh ? `${p.messages_per_second < 10 ? p.messages_per_second.toFixed(1) : compact(p.messages_per_second)} /s` : "–", "Over the last seconds"),
        fact("Since the start", count(p.messages), "Messages received"),
        fact("Newest event", p.newest_event ? `${minute(p.newest_event).slice(0, 10)} ${second(p.newest_event)}` : "–"),
        fact("Lag", lagOf(p), "From the newest event, by the exchange's clock, to now, by this machine's"),
        fact("Reconnects", count(p.reconnects), "Connections that broke and were replaced", p.reconnects > 0 ? "warn" : ""),
        fact("Late", count(p.late), "Older than the watermark; stored all the same"),
        fact("Rejected", count(p.rejected), reasons.join("\n") || "Messages put aside as dead letters", p.rejected > 0 ? "warn" : ""),
        fact("Fetched", count(p.fetched), "Minutes that the streams failed to tell, asked for by REST"),
        produces ? fact("Published", count(p.published), "Acknowledged by the broker") : fact("Minutes stored", count(p.minutes_added + p.minutes_replaced), `${count(p.minutes_added)} new, ${count(p.minutes_replaced)} replaced`),
        fact(p.command === "consume" ? "Partitions" : "Connections", count(p.streams)),
        p.command === "consume" ? fact("Unread", count(p.unread), "Messages that wait in the topic") : null,
        produces ? null : fact("Last commit", p.last_commit ? `${duration(Math.max(0, now - p.last_commit))} ago` : "–", `${count(p.commits)} so far`),
        p.commit_failures ? fact("Failed commits", count(p.commit_failures), "Tried again at the next one", "warn") : null,
      ),
      reasons.length ? h("p", { class: "muted small" }, `Rejected: ${reasons.join(", ")}. See speed_1m/_dead_letter.jsonl.`) : null,
      broken && p.fetched > 0 ? h("p", { class: "muted small" }, `${plural(p.fetched, "minute")} that went missing meanwhile came by REST.`) : null,
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
    if (streams.length === 0 && processes.length === 0) {
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
    replace(workers, ...processes.map(processCard));
    replace(cards, ...streams.map(card));
    drawTable();
    if (!element.contains(head)) replace(element, head, trouble, workers, cards, table);
  }

  async function load(): Promise<void> {
    try {
      const next = await api.streams();
      if (stopped) return;
      processes = next.processes;
      now = next.now;
      observe(next.streams);
      trouble.replaceChildren();
      draw();
    } catch (error) {
      if (stopped) return;
      // What was seen last stays, below what is wrong.
      trouble.replaceChildren(failure(error as ApiError));
      if (!element.contains(head)) replace(element, h("h1", { class: "sr-only" }, "Live"), trouble);
    }
  }
  const stops = [onChange(() => void load()), onLake(() => element.contains(cards) && draw())];
  void load();
  // Processes tell their figures every other second; where none runs, silence still has to be told.
  let ticks = 0;
  const timer = window.setInterval(() => (processes.length > 0 || ++ticks % 5 === 0) && void load(), 2_000);
  return {
    element,
    destroy() {
      stopped = true;
      window.clearInterval(timer);
      for (const stop of stops) stop();
    },
  };
}
