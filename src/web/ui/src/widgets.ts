// Pieces that several pages share.
import type { ApiError } from "./api";
import { h, icon, styled, svg, type IconName } from "./dom";
import { price } from "./format";
import { lake } from "./lake";

export function loading(what = "Loading…"): HTMLElement {
  return h("div", { class: "loading", role: "status" }, what);
}

export function empty(name: IconName, title: string, text: string, ...more: Node[]): HTMLElement {
  return h("div", { class: "empty fade-in" }, icon(name), h("h2", {}, title), h("p", {}, text), ...more);
}

export function notice(kind: "error" | "warning" | "info" | "good", title: string, text = "", ...more: Node[]): HTMLElement {
  return h(
    "div",
    { class: `notice ${kind}`, role: kind === "error" ? "alert" : "note" },
    icon(kind),
    h("div", {}, h("strong", {}, title), text ? h("p", { class: "muted" }, text) : null, ...more),
  );
}

export function failure(error: ApiError): HTMLElement {
  return notice("error", error.message, error.remedy ?? "", ...(error.where ? [h("code", { class: "where" }, error.where)] : []));
}

// A command to run in a terminal, with a button that copies it.
export function command(text: string): HTMLElement {
  const button = h("button", { type: "button", "aria-label": `Copy: ${text}` }, "Copy");
  button.addEventListener("click", (event) => {
    event.stopPropagation();
    void navigator.clipboard?.writeText(text).then(
      () => {
        button.textContent = "Copied";
        window.setTimeout(() => (button.textContent = "Copy"), 1500);
      },
      () => (button.textContent = "Select it"),
    );
  });
  return h("span", { class: "command" }, h("code", {}, text), button);
}

export function sparkline(values: number[], label: string): SVGSVGElement | HTMLElement {
  if (values.length < 2) return h("span", { class: "faint" }, "–");
  const width = 120;
  const height = 34;
  const low = Math.min(...values);
  const range = Math.max(...values) - low || 1;
  const x = (i: number) => (i / (values.length - 1)) * (width - 4) + 2;
  const y = (v: number) => height - 4 - ((v - low) / range) * (height - 8);
  const line = values.map((v, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(v).toFixed(1)}`).join("");
  const rises = values[values.length - 1]! >= values[0]!;
  return svg(
    "svg",
    { class: `spark ${rises ? "up" : "down"}`, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    svg("path", { d: `${line}L${width - 2} ${height}L2 ${height}Z`, fill: "currentColor", opacity: "0.12" }),
    svg("path", { d: line, fill: "none", stroke: "currentColor", "stroke-width": "1.5", "stroke-linejoin": "round" }),
  );
}

export function meter(ratio: number): HTMLElement {
  const bar = styled(h("i", { class: ratio < 0.999 ? "low" : "" }), { width: `${Math.max(2, ratio * 100)}%` });
  return h("span", { class: "meter", "aria-hidden": "true" }, bar);
}

export function segments<T extends string>(
  label: string,
  values: readonly (readonly [T, string])[],
  chosen: T | null,
  choose: (value: T) => void,
): HTMLElement & { choose: (value: T | null) => void } {
  const buttons = values.map(([value, text]) =>
    h("button", { type: "button", "data-value": value, onclick: () => choose(value) }, text),
  );
  const element = Object.assign(h("div", { class: "segments", role: "group", "aria-label": label }, ...buttons), {
    choose(value: T | null) {
      for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset["value"] === value));
    },
  });
  element.choose(chosen);
  return element;
}

export function toggle(text: string, on: boolean, changed: (on: boolean) => void, title = ""): HTMLButtonElement {
  const button = h("button", { type: "button", "aria-pressed": String(on), title }, text);
  button.addEventListener("click", () => {
    const next = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(next));
    changed(next);
  });
  return button;
}

// Finds a symbol by a part of its name: what starts with it comes first.
export function matching(text: string, symbols: readonly string[]): string[] {
  const wanted = text.trim().toUpperCase();
  const starts = symbols.filter((s) => s.toUpperCase().startsWith(wanted));
  const contains = wanted ? symbols.filter((s) => !s.toUpperCase().startsWith(wanted) && s.toUpperCase().includes(wanted)) : [];
  return [...starts, ...contains];
}

let combos = 0;

// A text field with a list of the lake's symbols (the combobox pattern of WAI-ARIA).
export function symbolSearch(choose: (symbol: string) => void, shortcut = true): HTMLElement & { input: HTMLInputElement } {
  const id = `symbols-${++combos}`;
  const list = h("ul", { class: "options", id, role: "listbox", "aria-label": "Symbols", hidden: true });
  const input = h("input", {
    class: "input",
    type: "text",
    role: "combobox",
    placeholder: window.innerWidth > 560 ? "Find a symbol" : "Symbol",
    "aria-label": "Find a symbol",
    "aria-autocomplete": "list",
    "aria-controls": id,
    "aria-expanded": "false",
    autocomplete: "off",
    spellcheck: "false",
  });
  let found: string[] = [];
  let at = 0;
  const close = () => {
    list.hidden = true;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const take = (symbol: string | undefined) => {
    if (!symbol) return;
    input.value = "";
    close();
    input.blur();
    choose(symbol);
  };
  const draw = () => {
    const status = new Map((lake.status?.symbols ?? []).map((s) => [s.symbol, s]));
    found = matching(input.value, [...status.keys()]).slice(0, 60);
    at = Math.min(at, Math.max(0, found.length - 1));
    list.replaceChildren(
      ...(found.length
        ? found.map((symbol, i) => {
            const item = h(
              "li",
              { role: "option", id: `${id}-${i}`, "aria-selected": String(i === at) },
              h("span", {}, symbol),
              h("span", { class: "muted num" }, price(status.get(symbol)?.last_price)),
            );
            item.addEventListener("mousedown", (event) => {
              event.preventDefault();
              take(symbol);
            });
            return item;
          })
        : [h("li", { class: "none", role: "option", "aria-disabled": "true", "aria-selected": "false" }, status.size ? "No symbol is called that" : "The lake is empty")]),
    );
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    if (found.length) input.setAttribute("aria-activedescendant", `${id}-${at}`);
    else input.removeAttribute("aria-activedescendant");
    list.children[at]?.scrollIntoView({ block: "nearest" });
  };
  input.addEventListener("input", () => {
    at = 0;
    draw();
  });
  input.addEventListener("focus", draw);
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      at = (at + (event.key === "ArrowDown" ? 1 : found.length - 1)) % Math.max(1, found.length);
      draw();
    } else if (event.key === "Enter") {
      take(found[at]);
    } else if (event.key === "Escape") {
      input.value = "";
      close();
      input.blur();
    }
  });
  return Object.assign(
    h("div", { class: "combo field" }, icon("search"), input, shortcut ? h("kbd", { "aria-hidden": "true" }, "/") : null, list),
    { input },
  );
}

export interface TableColumn<T> {
  name: string;
  right?: boolean;
  class?: string;
  // What rows are ordered by; none: the column cannot be sorted by.
  key?: (row: T) => number | string | null;
  cell: (row: T) => Node | string;
}

// A table that is ordered by a click on its head. `state` outlives redrawing.
export interface SortState {
  column: number;
  descending: boolean;
}
export function sortedTable<T>(
  columns: readonly TableColumn<T>[],
  rows: readonly T[],
  state: SortState,
  redraw: () => void,
  options: { caption: string; open?: (row: T) => void } = { caption: "" },
): HTMLElement {
  const key = columns[state.column]?.key;
  const ordered = [...rows];
  if (key) {
    ordered.sort((a, b) => {
      const x = key(a);
      const y = key(b);
      if (x === y) return 0;
      if (x === null) return 1; // unknown last, whichever way
      if (y === null) return -1;
      return (x < y ? -1 : 1) * (state.descending ? -1 : 1);
    });
  }
  const head = columns.map((column, i) => {
    const active = state.column === i;
    const text = column.key
      ? h(
          "button",
          {
            type: "button",
            onclick: () => {
              state.descending = active ? !state.descending : Boolean(column.right);
              state.column = i;
              redraw();
            },
          },
          column.name,
          h("span", { class: "arrow", "aria-hidden": "true" }, active ? (state.descending ? "↓" : "↑") : "↕"),
        )
      : column.name;
    return h(
      "th",
      { scope: "col", class: column.right ? "right" : "", "aria-sort": active && column.key ? (state.descending ? "descending" : "ascending") : null },
      text,
    );
  });
  const body = ordered.map((row) => {
    const tr = h(
      "tr",
      { class: options.open ? "link" : "" },
      ...columns.map((c) => h("td", { class: `${c.right ? "right " : ""}${c.class ?? ""}` }, c.cell(row))),
    );
    if (options.open) {
      tr.addEventListener("click", (event) => {
        if (!(event.target as Element).closest("a,button")) options.open!(row);
      });
    }
    return tr;
  });
  return h(
    "div",
    { class: "table-wrap" },
    h("table", {}, h("caption", { class: "sr-only" }, options.caption), h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...body)),
  );
}
