import { address, api, type ApiError, type RunInfo, type Series } from "../api";
import { histogram } from "../charts/histogram";
import { LineView, type LineSpec } from "../charts/line_view";
import { h, icon, replace } from "../dom";
import { count, day, percent, price, runTime } from "../format";
import { defaultSymbol, lake, onLake, rememberSymbol } from "../lake";
import { setParams, type Page } from "../router";
import { namedRows, number, pointsOf, text, type Named } from "../sheet";
import { command, empty, failure, loading, notice, segments } from "../widgets";

const dayMs = 86_400_000;
const historyShown = 180; // days before the forecast

// Three digits, however small the effect.
const small = (v: number): string => (v === 0 ? "0" : Math.abs(v) < 10 ? v.toFixed(Math.min(8, Math.max(2, 2 - Math.floor(Math.log10(Math.abs(v)))))) : price(v));

const ofOrigin = (rows: Named[], horizon: number) => rows.filter((row) => number(row["horizon"]) === null || number(row["horizon"]) === horizon);

const linePoints = (rows: Named[], name: string) =>
  rows
    .flatMap((row) => {
      const value = number(row[name]);
      const time = Date.parse(text(row["ds"]));
      return value === null || Number.isNaN(time) ? [] : [{ time, value }];
    })
    .sort((a, b) => a.time - b.time)
    .filter((p, i, all) => i === 0 || p.time !== all[i - 1]!.time);

export function forecastsPage(params: URLSearchParams): Page {
  const element = h("div", { class: "page fade-in" }, loading());
  const symbolPicker = h("select", { class: "input", "aria-label": "Symbol" });
  const runPicker = h("select", { class: "input", "aria-label": "Run" });
  const body = h("div", { class: "page" });
  let runs: RunInfo[] | null = null;
  let run: RunInfo | undefined;
  let symbol = params.get("symbol") ?? "";
  let abort = new AbortController();
  let views: LineView[] = [];

  const clearViews = () => {
    for (const view of views) view.destroy();
    views = [];
  };
  const plot = (specs: LineSpec[], low = false, format?: (value: number) => string): HTMLElement => {
    const place = h("div", { class: low ? "plot low" : "plot" });
    // A chart measures its place, so it is made when that has a size: once it is in the page.
    const seen = new ResizeObserver(() => {
      if (place.clientWidth === 0) return;
      seen.disconnect();
      views.push(new LineView(place, specs, format));
    });
    seen.observe(place);
    return place;
  };
  const card = (title: string, about: string, ...content: (Node | null)[]) =>
    h("section", { class: "card" }, h("div", { class: "card-head" }, h("h2", {}, title), h("span", { class: "muted small" }, about)), ...content);

  async function forecastCard(signal: AbortSignal): Promise<HTMLElement> {
    const table = await api.forecast(symbol, run!.run, signal);
    const yhat = pointsOf(table, "yhat");
    const low = new Map(pointsOf(table, "yhat_lower").map((p) => [p.time, p.value]));
    const high = new Map(pointsOf(table, "yhat_upper").map((p) => [p.time, p.value]));
    const first = yhat[0]?.time ?? Date.now();
    const last = yhat[yhat.length - 1];
    let past: { time: number; value: number }[] = [];
    try {
      const candles = await api.candles({ symbol, interval: "1d", from: first - historyShown * dayMs, to: (last?.time ?? first) + dayMs, limit: 2000 }, signal);
      past = candles.open_time.map((time, i) => ({ time, value: candles.close[i]! }));
    } catch (error) {
      if (signal.aborted) throw error; // else: the symbol has left the lake, the forecast is still there
    }
    const band = yhat.flatMap((p) => (low.has(p.time) && high.has(p.time) ? [{ time: p.time, low: low.get(p.time)!, high: high.get(p.time)! }] : []));
    return card(
      "Forecast",
      last ? `${count(yhat.length)} days from ${day(first)}; on ${day(last.time)} ${price(last.value)}, with 80% between ${price(low.get(last.time))} and ${price(high.get(last.time))}` : "",
      plot([
        { name: "close", colour: "info", points: past },
        { name: "forecast", colour: "forecast", points: yhat, band },
      ]),
      h("div", { class: "keyline" }, h("span", {}, h("span", { class: "swatch actual" }), "close"), h("span", {}, h("span", { class: "swatch forecast" }), "forecast, 80% interval")),
    );
  }

  function download(name: string): HTMLElement {
    return h(
      "p",
      {},
      h("a", { class: "button", href: address("/api/v1/forecast-sheet", { name, run: run!.run, format: "csv" }), download: `${name}.csv` }, icon("download"), "Actual against predicted, CSV"),
    );
  }

  async function errorCards(signal: AbortSignal): Promise<HTMLElement[]> {
    const rows = namedRows(await api.sheet(`${symbol}_actual_vs_pred`, run!.run, signal));
    const horizons = [...new Set(rows.map((row) => number(row["horizon"])).filter((n): n is number => n !== null))].sort((a, b) => a - b);
    const wanted = [...new Set([horizons[0], horizons[Math.floor((horizons.length - 1) / 2)], horizons[horizons.length - 1]])].filter((n): n is number => n !== undefined);
    const place = h("div", {});
    const show = (horizon: number) => {
      const own = horizons.length ? ofOrigin(rows, horizon) : rows;
      replace(
        place,
        plot([
          { name: "actual", colour: "info", points: linePoints(own, "y") },
          { name: "predicted", colour: "forecast", points: linePoints(own, "yhat") },
        ]),
        h("h3", {}, "Error in percent"),
        plot([{ name: "error", colour: "down", kind: "bars", points: linePoints(own, "pct_error") }], true, (v) => percent(v / 100, 1)),
      );
    };
    const ahead = segments("Days ahead", wanted.map((n) => [String(n), `${n} d ahead`] as const), String(wanted[wanted.length - 1] ?? ""), (value) => {
      ahead.choose(value);
      show(Number(value));
    });
    show(wanted[wanted.length - 1] ?? 0);
    const errors = rows.map((row) => number(row["pct_error"])).filter((n): n is number => n !== null);
    const mean = errors.reduce((sum, e) => sum + e, 0) / (errors.length || 1);
    const within = rows.filter((row) => {
      const [y, low, high] = [number(row["y"]), number(row["yhat_lower"]), number(row["yhat_upper"])];
      return y !== null && low !== null && high !== null && y >= low && y <= high;
    }).length;
    return [
      card("Actual against predicted", `${count(rows.length)} forecasts of days that nothing was fitted to`, wanted.length > 1 ? ahead : null, place, download(`${symbol}_actual_vs_pred`)),
      card(
        "Residuals",
        `mean ${percent(mean / 100)}; ${rows.length ? ((within / rows.length) * 100).toFixed(1) : "–"}% inside the 80% interval`,
        histogram(errors, `How often errors of ${symbol} are how large`, (v) => percent(v / 100, 0)),
      ),
    ];
  }

  async function componentCards(signal: AbortSignal): Promise<HTMLElement | null> {
    let table: Series;
    try {
      table = await api.components(symbol, run!.run, signal);
    } catch (error) {
      if (signal.aborted) throw error;
      return null; // the run did not fit a model with components to this symbol
    }
    const skip = new Set(["ds", "y", "yhat", "trend", "additive_terms", "multiplicative_terms"]);
    const single = table.columns.map((c) => c.name).filter((name) => !skip.has(name));
    // `holidays` is the sum of the holidays: of one it would be the same picture again.
    const seasons = ["yearly", "weekly", "daily", "holidays"];
    const names = single.filter((name) => name !== "holidays" || single.filter((n) => !seasons.includes(n)).length !== 1);
    const recent = (name: string, days: number) => pointsOf(table, name).slice(-days);
    return card(
      "Components",
      "what Prophet's model makes of the history; it need not be the model that was chosen",
      h("h3", {}, "trend"),
      plot([
        { name: "close", colour: "line-strong", points: pointsOf(table, "y") },
        { name: "trend", colour: "accent", points: pointsOf(table, "trend") },
      ]),
      h(
        "div",
        { class: "grid" },
        ...names.map((name) => h("div", {}, h("h3", {}, name), plot([{ name, colour: "info", points: recent(name, name === "weekly" ? 42 : 1100) }], true, small))),
      ),
    );
  }

  async function load(): Promise<void> {
    abort.abort();
    abort = new AbortController();
    const { signal } = abort;
    clearViews();
    setParams({ symbol, run: run!.latest ? undefined : run!.run });
    replace(body, loading());
    try {
      const forecast = await forecastCard(signal);
      if (signal.aborted) return;
      const rest = h("div", { class: "page" }, loading());
      replace(body, forecast, rest);
      const [errors, components, verdicts] = await Promise.all([
        errorCards(signal).catch((error: ApiError) => (signal.aborted ? [] : [failure(error)])),
        componentCards(signal),
        api.verdicts(run!.run, signal).catch(() => null),
      ]);
      if (signal.aborted) return;
      const verdict = verdicts?.summary?.symbols.find((v) => v.symbol === symbol);
      if (verdict?.verdict) forecast.before(notice(verdict.naive_wins ? "info" : "good", verdict.verdict));
      replace(rest, ...errors, components);
    } catch (error) {
      if (!signal.aborted) replace(body, failure(error as ApiError));
    }
  }

  function choose(): void {
    const list = runs!;
    const wantedRun = new URLSearchParams(location.search).get("run");
    run = list.find((r) => r.run === wantedRun) ?? list.find((r) => r.latest) ?? list[0]!;
    const symbols = run.symbols;
    const fallback = defaultSymbol();
    if (!symbols.includes(symbol)) symbol = fallback && symbols.includes(fallback) ? fallback : (symbols[0] ?? "");
    if (symbol) rememberSymbol(symbol);
    symbolPicker.replaceChildren(...symbols.map((s) => h("option", { value: s, selected: s === symbol }, s)));
    runPicker.replaceChildren(...list.map((r) => h("option", { value: r.run, selected: r === run }, `${runTime(r.run)}${r.latest ? " (latest)" : ""}`)));
    replace(element, h("div", { class: "page-head" }, h("h1", {}, "Forecasts"), h("span", { class: "grow" }), symbolPicker, runPicker), body);
    if (symbol) void load();
    else replace(body, notice("warning", "This run has no forecast", "Every symbol was refused; Metrics says why."));
  }

  async function start(): Promise<void> {
    try {
      runs = (await api.runs()).runs;
    } catch (error) {
      return replace(element, h("h1", { class: "sr-only" }, "Forecasts"), failure(error as ApiError));
    }
    if (runs.length) return choose();
    replace(
      element,
      h("h1", { class: "sr-only" }, "Forecasts"),
      empty("forecasts", "No forecast yet", "A forecast shows where the price may go, how wide the interval is, and how wrong it has been.", command(lake.status?.total === 0 ? "chandler backfill BTCUSDT" : "chandler forecast")),
    );
  }
  symbolPicker.addEventListener("change", () => {
    symbol = symbolPicker.value;
    rememberSymbol(symbol);
    void load();
  });
  runPicker.addEventListener("change", () => {
    setParams({ run: runPicker.value });
    choose();
  });
  let started = false;
  const begin = () => {
    if (started || (!lake.status && !lake.error)) return;
    started = true;
    void start();
  };
  const stop = onLake(begin);
  begin();
  return {
    element,
    update(p) {
      symbol = p.get("symbol") ?? symbol;
      if (runs?.length) choose();
    },
    destroy() {
      abort.abort();
      clearViews();
      stop();
    },
  };
}
