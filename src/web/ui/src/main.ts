import { h, icon, svg, type IconName } from "./dom";
import { defaultSymbol, lake, onLake, startLake } from "./lake";
import { addRoute, currentPage, go, href, startRouter, type MakePage } from "./router";
import { onTheme, startTheme, theme, toggleTheme } from "./theme";
import { symbolSearch } from "./widgets";
import { aboutPage } from "./pages/about";
import { chartPage } from "./pages/chart";
import { dataPage } from "./pages/data";
import { forecastsPage } from "./pages/forecasts";
import { homePage } from "./pages/home";
import { livePage } from "./pages/live";
import { modelsPage } from "./pages/models";

const pages: readonly { path: string; title: string; name: IconName; key: string; make: MakePage }[] = [
  { path: "/", title: "Home", name: "home", key: "h", make: homePage },
  { path: "/chart", title: "Chart", name: "chart", key: "c", make: chartPage },
  { path: "/models", title: "Metrics", name: "models", key: "m", make: modelsPage },
  { path: "/forecasts", title: "Forecasts", name: "forecasts", key: "f", make: forecastsPage },
  { path: "/data", title: "Data", name: "data", key: "d", make: dataPage },
  { path: "/live", title: "Live", name: "live", key: "l", make: livePage },
];

function logo(): SVGSVGElement {
  const wick = (x: number, y1: number, y2: number, colour: string) =>
    svg("path", { d: `M${x} ${y1}V${y2}`, stroke: `var(--${colour})`, "stroke-width": "1.8", "stroke-linecap": "round" });
  const body = (x: number, y: number, height: number, colour: string) =>
    svg("rect", { x, y, width: 5, height, rx: 1.4, fill: `var(--${colour})` });
  return svg(
    "svg",
    { viewBox: "0 0 26 26", "aria-hidden": "true" },
    wick(5, 6, 22, "down"),
    wick(13, 2, 20, "up"),
    wick(21, 7, 24, "accent"),
    body(2.5, 10, 8, "down"),
    body(10.5, 6, 10, "up"),
    body(18.5, 12, 7, "accent"),
  );
}

function helpDialog(): HTMLDialogElement {
  const row = (keys: string[], text: string) => [
    h("span", {}, ...keys.flatMap((k, i) => (i ? [" ", h("kbd", {}, k)] : [h("kbd", {}, k)]))),
    h("span", {}, text),
  ];
  const dialog = h(
    "dialog",
    { "aria-label": "Keyboard" },
    h("h2", {}, "Keyboard"),
    h(
      "div",
      { class: "keys" },
      ...row(["/"], "Find a symbol"),
      ...pages.flatMap((p) => row(["g", p.key], p.title)),
      ...row(["t"], "Light or dark"),
      ...row(["←", "→"], "Chart: move through time"),
      ...row(["+", "−"], "Chart: zoom"),
      ...row(["[", "]"], "Chart: shorter or longer candles"),
      ...row(["?"], "This list"),
    ),
    h("button", { class: "button", type: "button", autofocus: true, onclick: () => dialog.close() }, "Close"),
  );
  return dialog;
}

function start(): void {
  startTheme();
  const links = pages.map((p) => h("a", { href: p.path }, icon(p.name), h("span", {}, p.title)));
  const search = symbolSearch((symbol) => {
    // A page that shows one symbol stays; the others lead to the chart.
    const stays = ["/chart", "/forecasts", "/data"].includes(location.pathname);
    go(href(stays ? location.pathname : "/chart", { symbol }));
  });
  const pulse = h("span", { class: "pulse", role: "status" }, h("span", {}, ""));
  const themeButton = h("button", { class: "icon-button", type: "button", onclick: toggleTheme });
  const drawTheme = () => {
    const next = theme() === "dark" ? "light" : "dark";
    themeButton.replaceChildren(icon(next === "light" ? "sun" : "moon"));
    themeButton.setAttribute("aria-label", `Use the ${next} theme`);
  };
  drawTheme();
  onTheme(drawTheme);
  const help = helpDialog();
  const outlet = h("main", { id: "main", tabindex: "-1" });
  const version = h("span", {}, "");
  onLake(() => {
    pulse.dataset["state"] = lake.connected ? "on" : "off";
    const text = lake.connected ? "Connected" : "Not connected";
    pulse.firstElementChild!.textContent = text;
    pulse.title = lake.connected ? "Changes of the lake are shown as they happen" : "The server does not answer; trying again";
    version.textContent = lake.status ? `chandler ${lake.status.version} · ${lake.status.lake}` : "";
  });
  document.body.replaceChildren(
    h(
      "div",
      { class: "shell" },
      h("a", { class: "skip", href: "#main" }, "Skip to the content"),
      h(
        "header",
        { class: "topbar" },
        h("a", { class: "brand", href: "/", "aria-label": "chandler, home" }, logo(), h("span", {}, "chandler")),
        h("nav", { class: "nav", "aria-label": "Pages" }, ...links),
        h("div", { class: "grow" }),
        pulse,
        search,
        themeButton,
        h("button", { class: "icon-button", type: "button", "aria-label": "Keyboard shortcuts", onclick: () => help.showModal() }, icon("help")),
      ),
      outlet,
      h(
        "footer",
        {},
        version,
        h("span", {}, "All times are UTC"),
        h("a", { href: "/api/v1/openapi.json", target: "_blank", rel: "noopener" }, "API"),
        h("a", { href: "/about" }, "About and licences"),
        h("a", { href: "https://www.tradingview.com/", target: "_blank", rel: "noopener" }, "Charts by TradingView"),
      ),
    ),
    help,
  );
  for (const p of pages) addRoute(p.path, p.title, p.make);
  addRoute("/about", "About", aboutPage);
  startLake();
  startRouter(outlet, (path) => {
    links.forEach((link, i) => {
      if (pages[i]!.path === path) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
  });

  let afterG = 0;
  document.addEventListener("keydown", (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey || help.open) return;
    if ((event.target as Element).closest("input,select,textarea")) return;
    if (Date.now() - afterG < 1200) {
      afterG = 0;
      const page = pages.find((p) => p.key === event.key);
      if (page) {
        const symbol = page.path === "/chart" ? (defaultSymbol() ?? undefined) : undefined;
        return go(href(page.path, { symbol }));
      }
    }
    if (event.key === "g") afterG = Date.now();
    else if (event.key === "/") {
      event.preventDefault();
      search.input.focus();
    } else if (event.key === "t") toggleTheme();
    else if (event.key === "?") help.showModal();
    else if (currentPage()?.key?.(event)) event.preventDefault();
  });
}

start();
