import type { LakeStatus, Problem, SymbolStatus } from "../api";
import { h, replace } from "../dom";
import { bytes, compact, count, duration, minute, percent, plural, price, share } from "../format";
import { lake, onLake } from "../lake";
import { go, href, type Page } from "../router";
import { command, empty, failure, loading, meter, notice, sortedTable, sparkline, type SortState, type TableColumn } from "../widgets";

const mostProblems = 4;
const leastLag = 10_000; // ms: streams of symbols that are all live end seconds apart
const longAgo = 2 * 86_400_000; // a lake that ends so long before now is not followed

const changeOf = (s: SymbolStatus): number | null =>
  s.last_price === null || !s.day_ago_price ? null : s.last_price / s.day_ago_price - 1;

function batchState(s: SymbolStatus, damaged: boolean): HTMLElement {
  if (damaged) return h("span", { class: "badge bad" }, "damaged");
  if (s.minutes === 0 && s.exchange_days === 0) return h("span", { class: "badge" }, "none yet");
  if (s.not_asked_minutes > 0) return h("span", { class: "badge warn" }, `${plural(s.not_asked_minutes, "minute")} to fetch`);
  if (s.minutes === 0) return h("span", { class: "badge info" }, "days only");
  return h("span", { class: "badge good" }, "complete");
}

function speedState(s: SymbolStatus, newest: number | null): HTMLElement {
  if (s.live_at !== null) {
    const behind = newest === null ? 0 : newest - s.live_at;
    return behind < 120_000
      ? h("span", { class: "badge good" }, "live")
      : h("span", { class: "badge warn" }, `silent for ${duration(behind)}`);
  }
  if (s.speed_minutes > 0) return h("span", { class: "badge info" }, `${count(s.speed_minutes)} min to merge`);
  return h("span", { class: "badge" }, "not live");
}

const columns = (newest: number | null, damaged: ReadonlySet<string>): TableColumn<SymbolStatus>[] => [
  {
    name: "Symbol",
    key: (s) => s.symbol,
    cell: (s) => h("a", { class: "cell", href: href("/chart", { symbol: s.symbol }) }, s.symbol),
  },
  { name: "Last price", right: true, class: "price", key: (s) => s.last_price, cell: (s) => price(s.last_price) },
  {
    name: "60 days",
    cell: (s) => sparkline(s.closes, `${s.symbol}: closes of the last ${s.closes.length} days`),
  },
  {
    name: "24 h",
    right: true,
    key: changeOf,
    cell: (s) => {
      const change = changeOf(s);
      return h("span", { class: change === null ? "faint" : change < 0 ? "down" : "up" }, percent(change));
    },
  },
  { name: "Volume 24 h", right: true, class: "hide-phone", key: (s) => s.quote_volume, cell: (s) => compact(s.quote_volume) },
  {
    name: "Coverage",
    key: (s) => (s.minutes ? s.coverage : null),
    cell: (s) => (s.minutes ? h("span", {}, meter(s.coverage), h("span", { class: "num small" }, share(s.coverage))) : h("span", { class: "none" }, "–")),
  },
  {
    name: "Days",
    right: true,
    class: "hide-phone",
    key: (s) => s.days,
    cell: (s) => h("span", { title: `${s.first_day ?? "–"} … ${s.last_day ?? "–"}` }, count(s.days)),
  },
  { name: "Lag", right: true, key: (s) => s.lag_ms, cell: (s) => (s.lag_ms >= leastLag ? h("span", { title: "Behind the newest symbol" }, duration(s.lag_ms)) : h("span", { class: "none" }, "–")) },
  { name: "Batch", class: "hide-phone", key: (s) => (damaged.has(s.symbol) ? -Infinity : -s.not_asked_minutes), cell: (s) => batchState(s, damaged.has(s.symbol)) },
  { name: "Speed", key: (s) => s.live_at, cell: (s) => speedState(s, newest) },
];

// What one command mends is one line.
function grouped(problems: Problem[]): Problem[] {
  const groups = new Map<string, Problem>();
  for (const p of problems) {
    const key = p.remedy && p.symbol ? `${p.symbol} ${p.remedy}` : `${groups.size}`;
    const first = groups.get(key);
    if (first) first.what += `; ${p.what}`;
    else groups.set(key, { ...p });
  }
  return [...groups.values()];
}

const isRead = (status: LakeStatus): boolean => status.symbols.length >= status.total;

function allIsWell(status: LakeStatus): HTMLElement {
  const behind = status.newest === null ? 0 : status.now - status.newest;
  if (behind < longAgo) return notice("good", "Nothing is wrong", "Every symbol is complete and up to date.");
  return notice("good", "Nothing is wrong", `Every symbol is complete up to ${minute(status.newest)}, ${duration(behind)} ago. What came since is fetched by`, command("chandler backfill"));
}

function problemList(status: LakeStatus, all: boolean, more: () => void): HTMLElement {
  const problems = grouped(status.problems);
  if (problems.length === 0) {
    return isRead(status) ? allIsWell(status) : notice("info", "Reading the lake", `${count(status.symbols.length)} of ${plural(status.total, "symbol")} so far; every figure below grows until all are read.`);
  }
  const shown = all ? problems : problems.slice(0, mostProblems);
  const kind = { error: "bad", warning: "warn", info: "info" } as const;
  return h(
    "section",
    { class: "card problems", "aria-label": "What is wrong" },
    h(
      "ul",
      {},
      ...shown.map((p) =>
        h(
          "li",
          {},
          h("span", { class: `badge ${kind[p.severity]}` }, p.severity),
          h("span", { class: "what" }, p.symbol ? h("strong", {}, `${p.symbol} `) : null, p.what),
          p.remedy ? command(p.remedy) : null,
        ),
      ),
      problems.length > mostProblems
        ? h("li", {}, h("button", { class: "button", type: "button", onclick: more }, all ? "Show fewer" : `Show all ${count(problems.length)}`))
        : null,
    ),
  );
}

function summary(status: LakeStatus): HTMLElement {
  const sum = (f: (s: SymbolStatus) => number) => status.symbols.reduce((total, s) => total + f(s), 0);
  const stat = (name: string, value: string, about: string) => h("div", { class: "stat" }, h("dt", {}, name), h("dd", {}, value, h("small", {}, about)));
  const minutes = sum((s) => s.minutes);
  const missing = sum((s) => s.missing_minutes);
  const live = status.symbols.filter((s) => s.live_at !== null).length;
  const first = status.symbols.map((s) => s.first_day).filter((d): d is string => d !== null).sort()[0];
  const behind = status.newest === null ? 0 : status.now - status.newest;
  return h(
    "dl",
    { class: "stats" },
    stat("Symbols", count(status.total), live ? `${count(live)} live` : "no live stream"),
    stat("Minutes", compact(minutes), missing ? `${plural(missing, "minute")} missing` : "none missing"),
    stat("Days", count(sum((s) => s.days)), `${plural(sum((s) => s.filled_days), "day")} filled`),
    stat("History from", first ?? "–", first && status.newest ? duration(status.newest - Date.parse(first)) : ""),
    stat("Newest", status.newest === null ? "–" : minute(status.newest).slice(0, 10), status.newest === null ? "" : `${minute(status.newest).slice(11)} · ${behind > 60_000 ? `${duration(behind)} ago` : "now"}`),
    stat("On disk", bytes(sum((s) => s.bytes)), status.lake),
  );
}

export function homePage(): Page {
  const element = h("div", { class: "page fade-in" }, loading("Reading the lake…"));
  const sort: SortState = { column: 0, descending: false };
  let filter = "";
  let allProblems = false;
  const filterInput = h("input", { class: "input", type: "search", placeholder: "Filter symbols", "aria-label": "Filter symbols" });
  filterInput.addEventListener("input", () => {
    filter = filterInput.value.trim().toUpperCase();
    drawTable();
  });
  const table = h("div", {});
  const head = h("div", {});
  const panel = h(
    "section",
    { class: "card symbols", "aria-label": "Symbols" },
    h("div", { class: "card-head" }, h("h2", {}, "Symbols"), h("span", { class: "grow" }), filterInput),
    table,
  );
  let built = false;

  const drawTable = () => {
    const status = lake.status;
    if (!status) return;
    const damaged = new Set(status.problems.flatMap((p) => (p.severity === "error" && p.symbol ? [p.symbol] : [])));
    const rows = status.symbols.filter((s) => s.symbol.toUpperCase().includes(filter));
    filterInput.hidden = status.total < 8;
    replace(
      table,
      rows.length
        ? sortedTable(columns(status.newest, damaged), rows, sort, drawTable, {
            caption: "Symbols of the lake",
            open: (s) => go(href("/chart", { symbol: s.symbol })),
          })
        : h("p", { class: "muted" }, "No symbol is called that."),
      status.symbols.length < status.total ? h("p", { class: "faint small" }, `Reading: ${count(status.symbols.length)} of ${count(status.total)} symbols so far…`) : null,
    );
  };
  const draw = () => {
    const status = lake.status;
    if (!status) {
      if (lake.error) replace(element, h("h1", { class: "sr-only" }, "Home"), failure(lake.error));
      return;
    }
    if (status.total === 0) {
      built = false;
      replace(
        element,
        h("h1", { class: "sr-only" }, "Home"),
        ...status.problems.map((p) => notice(p.severity, p.what, p.remedy)),
        empty(
          "data",
          "This lake is empty",
          "Candles appear here as soon as the first ones are stored; this page need not be loaded again.",
          command("chandler backfill BTCUSDT ETHUSDT"),
          h("span", { class: "faint small" }, "or from a file you have"),
          command("chandler import FILE.csv --symbol BTCUSD"),
        ),
      );
      return;
    }
    replace(
      head,
      lake.error ? failure(lake.error) : null,
      problemList(status, allProblems, () => {
        allProblems = !allProblems;
        draw();
      }),
    );
    const stats = summary(status);
    if (!built) {
      replace(element, h("h1", { class: "sr-only" }, "Home"), head, stats, panel);
      built = true;
    } else {
      element.querySelector("dl.stats")?.replaceWith(stats);
    }
    drawTable();
  };
  const stop = onLake(draw);
  draw();
  return { element, destroy: stop };
}
