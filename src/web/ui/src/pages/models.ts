import { api, ApiError, type Verdict, type Verdicts } from "../api";
import { h, replace, svg } from "../dom";
import { count, runTime } from "../format";
import { lake, onChange } from "../lake";
import { figureWidth } from "../charts/histogram";
import { href, setParams, type Page } from "../router";
import { namedRows, number, text, type Named } from "../sheet";
import { command, empty, failure, loading, notice, sortedTable, type SortState, type TableColumn } from "../widgets";

const fixed = (value: number | null, digits: number, unit = "") => (value === null ? "–" : `${value.toFixed(digits)}${unit}`);

export function isNaive(row: Named): boolean {
  return text(row["model"]) === "naive";
}

function modelName(row: Named): string {
  const extras = [text(row["mode"]), text(row["prior"])].filter(Boolean).join(", ");
  return extras ? `${text(row["model"])} (${extras})` : text(row["model"]);
}

// Where the measured share lies against what the interval promises.
function coverage(value: number | null, nominal: number): Node | string {
  if (value === null) return "–";
  const ratio = value > 1.5 ? value / 100 : value;
  const off = Math.abs(ratio - nominal);
  return h("span", { class: off > 0.07 ? "down" : off > 0.03 ? "" : "up" }, `${(ratio * 100).toFixed(1)}%`);
}

const figure = (name: string, title: string, digits: number, unit = ""): TableColumn<Named> => ({
  name: title,
  right: true,
  key: (row) => number(row[name]),
  cell: (row) => fixed(number(row[name]), digits, unit),
});

const columns: TableColumn<Named>[] = [
  { name: "Symbol", key: (row) => text(row["symbol"]), cell: (row) => h("a", { class: "cell", href: href("/forecasts", { symbol: text(row["symbol"]) }) }, text(row["symbol"])) },
  {
    name: "Model",
    key: modelName,
    cell: (row) =>
      h(
        "span",
        { class: "model" },
        modelName(row),
        " ",
        number(row["saved"]) === 1 || text(row["saved"]) === "true" ? h("span", { class: "badge good" }, "chosen") : null,
        " ",
        isNaive(row) ? h("span", { class: "badge" }, "the bar to clear") : null,
      ),
  },
  figure("mase", "MASE", 3),
  {
    name: "Skill",
    right: true,
    key: (row) => number(row["skill"]),
    cell: (row) => {
      const skill = number(row["skill"]);
      return skill === null ? "–" : h("span", { class: skill < 0 ? "down" : skill > 0 ? "up" : "" }, `${skill > 0 ? "+" : skill < 0 ? "−" : ""}${Math.abs(skill * 100).toFixed(1)}%`);
    },
  },
  figure("mape", "MAPE", 2, "%"),
  figure("cv_mape", "MAPE in training", 2, "%"),
  figure("smape", "sMAPE", 2, "%"),
  { name: "80% covers", right: true, key: (row) => number(row["coverage80"]), cell: (row) => coverage(number(row["coverage80"]), 0.8) },
  { name: "95% covers", right: true, key: (row) => number(row["coverage95"]), cell: (row) => coverage(number(row["coverage95"]), 0.95) },
  figure("width80_pct", "80% width", 1, "%"),
  { name: "Forecasts", right: true, key: (row) => number(row["targets"]), cell: (row) => (number(row["targets"]) === null ? "–" : count(number(row["targets"])!)) },
];

function verdictCard(v: Verdict): HTMLElement {
  if (v.error) return h("section", { class: "card" }, h("div", { class: "card-head" }, h("h2", {}, v.symbol)), notice("warning", "No forecast", v.error));
  return h(
    "section",
    { class: "card" },
    h(
      "div",
      { class: "card-head" },
      h("h2", {}, h("a", { href: href("/forecasts", { symbol: v.symbol }) }, v.symbol)),
      h("span", { class: `badge ${v.naive_wins ? "warn" : "good"}` }, v.naive_wins ? "yesterday's price is not beaten" : (v.model ?? "")),
    ),
    h("p", {}, v.verdict ?? ""),
    h("p", { class: "muted small" }, `MASE ${fixed(v.mase ?? null, 3)} against ${fixed(v.naive_mase ?? null, 3)} of naive · fitted to ${v.last_day ?? "–"} on ${count(v.days ?? 0)} days`),
  );
}

const palette = ["info", "accent", "up", "forecast", "down", "muted"];

// Error by days ahead: a line a model.
function horizonPlot(rows: Named[], symbol: string): Node | null {
  const own = rows.filter((row) => text(row["symbol"]) === symbol && number(row["horizon"]) !== null && number(row["mape"]) !== null);
  const models = [...new Set(own.map(modelName))];
  if (models.length === 0) return null;
  const width = figureWidth();
  const height = 230;
  const left = 38;
  const base = height - 26;
  const horizons = Math.max(...own.map((row) => number(row["horizon"])!));
  const most = Math.max(...own.map((row) => number(row["mape"])!)) || 1;
  const x = (d: number) => left + ((d - 1) / Math.max(1, horizons - 1)) * (width - left - 8);
  const y = (v: number) => base - (v / most) * (base - 10);
  const lines = models.map((model, i) => {
    const points = own.filter((row) => modelName(row) === model).sort((a, b) => number(a["horizon"])! - number(b["horizon"])!);
    const d = points.map((row, k) => `${k ? "L" : "M"}${x(number(row["horizon"])!).toFixed(1)} ${y(number(row["mape"])!).toFixed(1)}`).join("");
    return svg("path", { d, fill: "none", stroke: `var(--${palette[i % palette.length]})`, "stroke-width": 2, "stroke-linejoin": "round", "stroke-dasharray": i < palette.length ? null : "5 4" }, svg("title", {}, model));
  });
  const ticks = [0, 0.5, 1].flatMap((part) => [
    svg("line", { x1: left, x2: width, y1: y(most * part), y2: y(most * part), opacity: 0.45 }),
    svg("text", { x: left - 6, y: y(most * part) + 4, "text-anchor": "end" }, `${(most * part).toFixed(0)}%`),
  ]);
  return h(
    "div",
    {},
    svg(
      "svg",
      { class: "bars", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `MAPE of ${symbol} by days ahead` },
      ...ticks,
      ...lines,
      svg("text", { x: left, y: height - 6 }, "1 day ahead"),
      svg("text", { x: width, y: height - 6, "text-anchor": "end" }, `${horizons} days ahead`),
    ),
    h("div", { class: "keyline" }, ...models.map((model, i) => h("span", {}, svg("svg", { width: 18, height: 10, "aria-hidden": "true" }, svg("line", { x1: 0, x2: 18, y1: 5, y2: 5, "stroke-width": 3, "stroke-dasharray": i < palette.length ? null : "5 3", stroke: `var(--${palette[i % palette.length]})` })), " ", model))),
  );
}

export function modelsPage(params: URLSearchParams): Page {
  const element = h("div", { class: "page fade-in" }, loading());
  // By symbol, and within it as ordered when read: a MASE of one symbol says nothing beside another's.
  const sort: SortState = { column: 0, descending: false };
  const table = h("div", {});
  const plot = h("div", {});
  const picker = h("select", { class: "input", "aria-label": "Symbol" });
  let rows: Named[] = [];
  let horizon: Named[] = [];
  let symbol = params.get("symbol") ?? "";
  let stopped = false;

  const drawTable = () => {
    const shown = rows.filter((row) => !symbol || text(row["symbol"]) === symbol);
    replace(table, sortedTable(columns, shown, sort, drawTable, { caption: "Models by symbol" }));
    const plotted = symbol || (rows.map((row) => text(row["symbol"])).sort()[0] ?? "");
    const drawn = horizonPlot(horizon, plotted);
    replace(
      plot,
      h("div", { class: "card-head" }, h("h2", {}, "Error by days ahead"), h("span", { class: "muted small" }, `${plotted}: mean absolute percentage error on days that nothing was fitted to`)),
      drawn ?? h("p", { class: "muted" }, "This run has no figures by days ahead."),
    );
  };
  picker.addEventListener("change", () => {
    symbol = picker.value;
    setParams({ symbol: symbol || undefined });
    drawTable();
  });

  function draw(verdicts: Verdicts): void {
    const symbols = [...new Set(rows.map((row) => text(row["symbol"])))];
    if (symbol && !symbols.includes(symbol)) symbol = "";
    picker.replaceChildren(h("option", { value: "" }, "All symbols"), ...symbols.map((s) => h("option", { value: s, selected: s === symbol }, s)));
    const list = verdicts.summary?.symbols ?? [];
    const beaten = list.filter((v) => v.naive_wins === false).length;
    const leaking = verdicts.summary?.kind === "same_day_regressors";
    replace(
      element,
      h("div", { class: "page-head" }, h("h1", {}, "Metrics"), h("span", { class: "muted" }, `run of ${runTime(verdicts.run)}`), h("span", { class: "grow" }), picker),
      leaking ? notice("error", "These figures are no forecast errors", "The run gave the models same-day averages, which contain the answer.") : null,
      list.length
        ? notice(
            beaten ? "good" : "info",
            beaten ? `${beaten} of ${list.length} symbols have a model that beats yesterday's price` : "No model beats yesterday's price",
            beaten ? "Everywhere else the naive forecast is what was saved." : "The naive forecast is what was saved; its interval is calibrated all the same.",
          )
        : null,
      h("div", { class: "grid" }, ...list.slice(0, 12).map(verdictCard)),
      h(
        "section",
        { class: "card" },
        h("div", { class: "card-head" }, h("h2", {}, "Models"), h("span", { class: "muted small" }, "measured on the last fifth, which was touched once, after the choice")),
        table,
        h("p", { class: "faint small" }, "MASE: error relative to the step of one day. Skill: how much smaller the error is than naive's; below zero, naive is better. An interval that says 80% should cover 80%."),
      ),
      h("section", { class: "card" }, plot),
    );
    drawTable();
  }

  async function load(): Promise<void> {
    try {
      if ((await api.runs()).runs.length === 0) throw new ApiError("not_found", "the lake has no forecasts", "");
      const [sheet, verdicts, byHorizon] = await Promise.all([
        api.sheet("metrics"),
        api.verdicts(),
        api.sheet("metrics_by_horizon").catch(() => null),
      ]);
      if (stopped) return;
      const error = (row: Named) => number(row["mase"]) ?? Infinity;
      rows = namedRows(sheet).sort((a, b) => error(a) - error(b) || 0);
      horizon = byHorizon ? namedRows(byHorizon) : [];
      draw(verdicts);
    } catch (error) {
      if (stopped) return;
      const failed = error as ApiError;
      replace(
        element,
        h("h1", { class: "sr-only" }, "Metrics"),
        failed.code === "not_found"
          ? empty("models", "No model has been measured yet", "A forecast fits every model to the past, measures each against the days it has not seen, and keeps the best.", command(lake.status?.total === 0 ? "chandler backfill BTCUSDT" : "chandler forecast"))
          : failure(failed),
      );
    }
  }
  void load();
  const stop = onChange(() => void load());
  return {
    element,
    update(p) {
      symbol = p.get("symbol") ?? "";
      if (rows.length) {
        picker.value = symbol;
        drawTable();
      }
    },
    destroy() {
      stopped = true;
      stop();
    },
  };
}
