import { h, svg } from "../dom";

// In units of a drawing that fills a card: its texts then have the size that they ask for.
export function figureWidth(): number {
  return Math.min(1260, Math.max(280, document.documentElement.clientWidth - 80));
}

// How often values fall into each of a number of equal ranges; `format` writes the ends of the axis.
export function histogram(values: number[], label: string, format: (value: number) => string): Element {
  const finite = values.filter(Number.isFinite).sort((a, b) => a - b);
  if (finite.length < 2) return h("p", { class: "muted" }, "Too few values.");
  // The middle 99%: a single outlier must not squeeze the rest into one bar.
  const low = finite[Math.floor(finite.length * 0.005)]!;
  const high = finite[Math.ceil(finite.length * 0.995) - 1]!;
  const bins = Math.min(41, Math.max(9, Math.round(Math.sqrt(finite.length))));
  const step = (high - low) / bins || 1;
  const counts = new Array<number>(bins).fill(0);
  for (const v of finite) {
    if (v < low || v > high) continue;
    counts[Math.min(bins - 1, Math.floor((v - low) / step))]!++;
  }
  const most = Math.max(...counts);
  const width = figureWidth();
  const height = 190;
  const base = height - 22;
  const x = (value: number) => ((value - low) / (high - low || 1)) * width;
  const bars = counts.map((count, i) => {
    const size = (count / most) * (base - 8);
    const middle = low + (i + 0.5) * step;
    return svg(
      "rect",
      { x: i * (width / bins) + 1, y: base - size, width: width / bins - 2, height: size, rx: 1.5, class: middle < 0 ? "neg" : "pos" },
      svg("title", {}, `${format(low + i * step)} … ${format(low + (i + 1) * step)}: ${count}`),
    );
  });
  const zero = low < 0 && high > 0 ? svg("line", { x1: x(0), x2: x(0), y1: 0, y2: base }) : null;
  return svg(
    "svg",
    { class: "bars", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label },
    ...bars,
    zero,
    svg("line", { x1: 0, x2: width, y1: base, y2: base }),
    svg("text", { x: 0, y: height - 5 }, format(low)),
    low < 0 && high > 0 ? svg("text", { x: x(0), y: height - 5, "text-anchor": "middle" }, "0") : null,
    svg("text", { x: width, y: height - 5, "text-anchor": "end" }, format(high)),
  );
}
