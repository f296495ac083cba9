import { h } from "../dom";
import type { Page } from "../router";
import { loading } from "../widgets";

export function aboutPage(): Page {
  const notices = h("div", { class: "licences", tabindex: "0", role: "region", "aria-label": "Licences" }, loading());
  void fetch("/licences.txt")
    .then((response) => response.text())
    .then((text) => notices.replaceChildren(h("code", {}, text)))
    .catch(() => notices.replaceChildren("The licences could not be read."));
  return {
    element: h(
      "div",
      { class: "grid fade-in" },
      h(
        "section",
        { class: "card prose" },
        h("div", { class: "card-head" }, h("h1", {}, "About chandler")),
        h("p", {}, "chandler keeps candles: a complete, checked, always current history of crypto markets."),
        h("p", { class: "muted" }, "Everything shown here comes from the lake on this machine. Nothing is asked of any other server."),
        h("h2", {}, "For programs"),
        h("p", {}, "Binance clients read the lake by changing their base URL to ", h("code", {}, location.origin), "."),
        h(
          "p",
          {},
          h("a", { href: "/api/v1/openapi.json", target: "_blank", rel: "noopener" }, "OpenAPI description"),
          " · ",
          h("a", { href: "/metrics", target: "_blank", rel: "noopener" }, "Prometheus metrics"),
        ),
      ),
      h(
        "section",
        { class: "card prose" },
        h("div", { class: "card-head" }, h("h2", {}, "Work of others in this page")),
        h(
          "p",
          { class: "small" },
          "TradingView Lightweight Charts™. Copyright © 2025 TradingView, Inc. ",
          h("a", { href: "https://www.tradingview.com/", target: "_blank", rel: "noopener" }, "https://www.tradingview.com/"),
        ),
        notices,
      ),
    ),
  };
}
