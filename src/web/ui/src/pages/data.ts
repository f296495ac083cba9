import { api, type ApiError, type Cell, type Partition, type Table } from "../api";
import { calendarView } from "../charts/calendar";
import { h, replace, styled } from "../dom";
import { bytes, compact, count, day, duration, minute, percent, plural } from "../format";
import { defaultSymbol, lake, onChange, onLake, rememberSymbol } from "../lake";
import { href, setParams, type Page } from "../router";
import { command, empty, failure, loading, segments, sortedTable, type SortState } from "../widgets";

const queries = [
  ["top_price_change_days", "Largest moves"],
  ["top_volume_days", "Largest volumes"],
  ["avg_volume_per_month", "Volume by month"],
  ["avg_return_per_year", "Return by year"],
] as const;
type QueryName = (typeof queries)[number][0];

// How the values of a column are written. Decimals stand below each other: as many as the column needs, at most the eight
// that the exchange tells (what sums leave behind them is the machine's), fewer where ten digits are there already.
function writer(values: (Cell | boolean)[], type: string): (value: Cell | boolean) => string {
  let decimals = 0;
  if (type === "double") {
    const numbers = values.filter((v): v is number => typeof v === "number");
    const whole = Math.max(1, ...numbers.map((v) => Math.trunc(Math.abs(v)).toString().length));
    const needed = Math.max(0, ...numbers.map((v) => (v.toFixed(8).replace(/0+$/, "").split(".")[1] ?? "").length));
    decimals = Math.min(needed, Math.max(2, 10 - whole));
  }
  return (value) =>
    value === null ? "–" : typeof value !== "number" ? String(value) : type === "timestamp" ? minute(value) : value.toFixed(decimals);
}

// Candles of which a gap and what is around it are some hundreds.
const intervalFor = (gap: number): string => (gap < 3 * 86_400_000 ? "5m" : gap < 40 * 86_400_000 ? "1h" : "1d");

export function dataPage(params: URLSearchParams): Page {
  const element = h("div", { class: "page fade-in" }, loading("Reading the lake…"));
  const tables = h("div", { class: "tables" });
  const detail = h("section", { class: "card" });
  const calendar = h("section", { class: "card" });
  const gaps = h("section", { class: "card" });
  const answers = h("section", { class: "card" });
  const partitionSort: SortState = { column: 0, descending: true };
  let symbol: string | null = null;
  let table = params.get("table") ?? "daily_filled";
  let query: QueryName = "top_price_change_days";
  let abort = new AbortController();
  let stopCalendar: (() => void) | null = null;

  const picker = h("select", { class: "input", "aria-label": "Symbol" });
  picker.addEventListener("change", () => show(picker.value));
  const head = h("div", { class: "page-head" }, h("h1", {}, "Data"), h("span", { class: "grow" }), picker);

  // Fills a part when its data is there; a failure is told in its place and the rest goes on.
  async function part(into: HTMLElement, name: string, make: (signal: AbortSignal) => Promise<(Node | null)[]>): Promise<void> {
    const { signal } = abort;
    if (!into.hasChildNodes()) replace(into, loading());
    try {
      const nodes = await make(signal);
      if (!signal.aborted) replace(into, nodes);
    } catch (error) {
      if (!signal.aborted) replace(into, name ? title(name, "") : null, failure(error as ApiError));
    }
  }

  const title = (text: string, about: string, ...more: Node[]) =>
    h("div", { class: "card-head" }, h("h2", {}, text), h("span", { class: "muted small" }, about), h("span", { class: "grow" }), ...more);

  function drawTables(signal: AbortSignal): Promise<(Node | null)[]> {
    return api.tables(signal).then(({ tables: list }) =>
      list.map((t: Table) =>
        h(
          "button",
          {
            type: "button",
            "aria-pressed": String(t.table === table),
            onclick: () => {
              table = t.table;
              setParams({ table });
              for (const b of tables.querySelectorAll("button")) b.setAttribute("aria-pressed", String(b.dataset["table"] === table));
              void part(detail, table, drawDetail);
            },
            "data-table": t.table,
          },
          h("b", {}, t.table),
          h("span", { class: "muted small" }, t.about),
          h("span", { class: "num small" }, `${plural(t.symbols, "symbol")} · ${plural(t.partitions, "file")} · ${bytes(t.bytes)}`),
        ),
      ),
    );
  }

  async function drawDetail(signal: AbortSignal): Promise<(Node | null)[]> {
    const name = table;
    const [all, files] = await Promise.all([api.tables(signal), api.partitions(name, symbol!, signal)]);
    const schema = all.tables.find((t) => t.table === name);
    const rows = h("div", {});
    const list = h("div", { class: "scroll-y" });
    const showRows = (partition?: string) => void part(rows, "", (s) => drawRows(name, partition, s));
    const order = new Map(files.partitions.map((p, i) => [p.path, i])); // the server's order is that of time
    const timed = files.partitions.some((p) => p.first !== null || p.error);
    const drawList = () =>
      replace(
        list,
        sortedTable<Partition>(
          [
            { name: "Partition", key: (p) => order.get(p.path) ?? 0, cell: (p) => h("button", { type: "button", class: "plain", title: "Show its last rows", onclick: () => showRows(p.path) }, h("code", {}, p.path.split("/").slice(2, -1).join("/") || "part.parquet")) },
            { name: "Rows", right: true, key: (p) => p.rows, cell: (p) => (p.rows === null ? "–" : count(p.rows)) },
            { name: "Bytes", right: true, key: (p) => p.bytes, cell: (p) => bytes(p.bytes) },
            ...(timed
              ? [
                  { name: "First", key: (p: Partition) => p.first, cell: (p: Partition) => minute(p.first) },
                  { name: "Last", key: (p: Partition) => p.last, cell: (p: Partition) => (p.error ? h("span", { class: "badge bad" }, p.error) : minute(p.last)) },
                ]
              : []),
          ],
          files.partitions,
          partitionSort,
          drawList,
          { caption: `Partitions of ${name}`, open: (p) => showRows(p.path) },
        ),
      );
    drawList();
    const total = files.partitions.reduce((sum, p) => sum + (p.rows ?? 0), 0);
    if (files.partitions.length) showRows();
    return [
      title(name, files.partitions.length ? `${symbol}: ${plural(total, "row")} in ${plural(files.partitions.length, "file")}` : ""),
      h(
        "div",
        { class: "schema" },
        ...(schema?.columns ?? []).map((c) => h("span", {}, c.name, " ", h("em", {}, c.type + (c.nullable ? ", may be null" : "")))),
      ),
      files.partitions.length ? list : h("p", { class: "muted" }, `${symbol} has nothing in this table.`),
      rows,
    ];
  }

  async function drawRows(name: string, partition: string | undefined, signal: AbortSignal): Promise<(Node | null)[]> {
    const page = await api.rows({ table: name, symbol: symbol!, partition, limit: 12 }, signal);
    const n = page.columns[0]?.values.length ?? 0;
    const write = page.columns.map((c) => writer(c.values, c.type));
    const right = (type: string) => (["double", "int32", "int64"].includes(type) ? "right" : "");
    return [
      styled(h("h3", {}, `Last rows of ${page.partition}`), { margin: "16px 0 6px", overflowWrap: "anywhere" }),
      h(
        "div",
        { class: "table-wrap", tabindex: "0", role: "region", "aria-label": `Last rows of ${page.partition}` },
        h(
          "table",
          {},
          h("caption", { class: "sr-only" }, `Rows ${page.offset + 1} to ${page.offset + n} of ${page.rows}`),
          h("thead", {}, h("tr", {}, ...page.columns.map((c) => h("th", { scope: "col", class: right(c.type) }, c.name)))),
          h(
            "tbody",
            {},
            ...Array.from({ length: n }, (_, i) =>
              h("tr", {}, ...page.columns.map((c, k) => h("td", { class: `num ${right(c.type)}`, title: typeof c.values[i] === "number" && c.type === "double" ? String(c.values[i]) : null }, write[k]!(c.values[i] ?? null)))),
            ),
          ),
        ),
      ),
    ];
  }

  async function drawCalendar(signal: AbortSignal): Promise<(Node | null)[]> {
    const data = await api.calendar(symbol!, signal);
    stopCalendar?.();
    stopCalendar = null;
    if (data.minutes.length === 0) return [title("Coverage", "minutes of each day"), h("p", { class: "muted" }, "No days yet.")];
    const view = calendarView(data, (chosen) => {
      const end = day(Date.parse(chosen) + 86_400_000);
      history.pushState(null, "", href("/chart", { symbol: symbol!, interval: "5m", from: chosen, to: end }));
      window.dispatchEvent(new PopStateEvent("popstate"));
    });
    stopCalendar = view.destroy;
    const key = (name: string, text: string) => h("span", {}, styled(h("span", { class: "swatch" }), { background: `var(--${name})` }), text);
    const total = data.minutes.length;
    const complete = data.minutes.filter((m, i) => m >= 1440 || (data.open_day && i === total - 1)).length;
    const daily = data.minutes.filter((m) => m === 0).length;
    return [
      title("Coverage", `${plural(total, "day")} from ${data.first_day}, ${count(complete)} with every minute${daily ? `, ${count(daily)} known by the exchange's daily candle` : ""}`),
      view.element,
      h(
        "div",
        { class: "keyline" },
        key("heat-4", "complete"),
        key("heat-3", "up to 10 minutes missing"),
        key("heat-2", "up to 4 hours missing"),
        key("heat-1", "more missing"),
        key("heat-0", "no data"),
        data.minutes.includes(0) ? key("heat-days", "daily candle only") : null,
        data.open_day ? key("heat-open", "not over yet") : null,
      ),
    ];
  }

  async function drawGaps(signal: AbortSignal): Promise<(Node | null)[]> {
    const data = await api.gaps(symbol!, 200, signal);
    gaps.parentElement?.classList.toggle("stacked", data.total === 0); // one line needs no column
    if (data.total === 0) return [title("Gaps", "runs of missing minutes"), h("p", { class: "muted" }, "No minute is missing between the first and the last.")];
    return [
      title("Gaps", `${plural(data.total, "gap")}, ${plural(data.minutes, "minute")}${data.total > 200 ? "; the 200 longest" : ", the longest first"}`),
      h(
        "div",
        { class: "scroll-y" },
        h(
          "table",
          {},
          h("caption", { class: "sr-only" }, `Gaps of ${symbol}`),
          h("thead", {}, h("tr", {}, ...["From", "To", "Minutes", "Length", ""].map((name, i) => h("th", { scope: "col", class: i > 1 && i < 4 ? "right" : "" }, name)))),
          h(
            "tbody",
            {},
            ...data.gaps.map((gap) =>
              h(
                "tr",
                {},
                h("td", { class: "num" }, h("a", { href: href("/chart", { symbol: symbol!, interval: intervalFor(gap.end - gap.begin), from: day(gap.begin - 43_200_000 - (gap.end - gap.begin) / 4), to: day(gap.end + 86_400_000 + (gap.end - gap.begin) / 4) }) }, minute(gap.begin))),
                h("td", { class: "num" }, minute(gap.end)),
                h("td", { class: "right" }, count(gap.minutes)),
                h("td", { class: "right" }, duration(gap.end - gap.begin)),
                h("td", {}, gap.asked ? h("span", { class: "badge info", title: "The exchange was asked and has no such minutes" }, "the exchange's own") : h("span", { class: "badge warn" }, "not asked yet")),
              ),
            ),
          ),
        ),
      ),
    ];
  }

  async function drawAnswers(signal: AbortSignal): Promise<(Node | null)[]> {
    const name = query;
    const data = await api.query(symbol!, name, signal);
    const rows = name === "avg_volume_per_month" ? data.rows.slice(-24).reverse() : name === "avg_return_per_year" ? [...data.rows].reverse() : data.rows.slice(0, 15);
    const most = Math.max(...rows.map((r) => Math.abs(r.value)), 1e-300);
    const percents = name === "top_price_change_days" || name === "avg_return_per_year";
    const about = {
      top_price_change_days: "from the day’s open to its close",
      top_volume_days: "in the base asset",
      avg_volume_per_month: "mean of a day, in the base asset",
      avg_return_per_year: "mean of the daily returns",
    }[name];
    return [
      title(
        "Questions",
        about,
        segments("Question", queries, name, (next) => {
          query = next;
          void part(answers, "Questions", drawAnswers);
        }),
      ),
      rows.length
        ? h(
            "div",
            { class: "hbars num" },
            ...rows.flatMap((row) => [
              h("span", {}, row.label),
              h("span", { class: "bar" }, styled(h("i", { class: percents ? (row.value < 0 ? "neg" : "pos") : "" }), { width: `${(Math.abs(row.value) / most) * 100}%` })),
              h("span", { class: percents ? (row.value < 0 ? "down" : "up") : "" }, percents ? percent(row.value / 100, name === "avg_return_per_year" ? 3 : 2) : compact(row.value)),
            ]),
          )
        : h("p", { class: "muted" }, "Too few days for an answer."),
    ];
  }

  function load(): void {
    abort.abort();
    abort = new AbortController();
    void part(tables, "", drawTables);
    void part(calendar, "Coverage", drawCalendar);
    void part(gaps, "Gaps", drawGaps);
    void part(answers, "Questions", drawAnswers);
    void part(detail, table, drawDetail);
  }

  function show(next: string): void {
    symbol = next;
    rememberSymbol(next);
    setParams({ symbol: next, table });
    drawPicker();
    for (const section of [calendar, gaps, answers, detail]) section.replaceChildren();
    load();
  }

  function drawPicker(): void {
    const names = (lake.status?.symbols ?? []).map((s) => s.symbol);
    if (symbol && !names.includes(symbol)) names.unshift(symbol);
    if (names.length !== picker.options.length || picker.value !== symbol) {
      picker.replaceChildren(...names.map((name) => h("option", { value: name, selected: name === symbol }, name)));
    }
  }

  function start(p: URLSearchParams): void {
    const wanted = p.get("symbol") ?? defaultSymbol();
    if (lake.error && !lake.status) return replace(element, h("h1", { class: "sr-only" }, "Data"), failure(lake.error));
    if (!lake.status) return;
    if (lake.status.total === 0) {
      return replace(element, h("h1", { class: "sr-only" }, "Data"), empty("data", "No tables yet", "The lake is empty. What is stored will be shown here: tables, coverage day by day, gaps, rows.", command("chandler backfill BTCUSDT")));
    }
    if (!wanted) return;
    if (!element.contains(head)) replace(element, head, tables, calendar, h("div", { class: "grid" }, gaps, answers), detail);
    if (wanted !== symbol) show(wanted);
    else drawPicker();
  }
  const stops = [onLake(() => start(new URLSearchParams(location.search))), onChange(() => symbol && load())];
  start(params);
  return {
    element,
    update: start,
    destroy() {
      abort.abort();
      stopCalendar?.();
      for (const stop of stops) stop();
    },
  };
}
