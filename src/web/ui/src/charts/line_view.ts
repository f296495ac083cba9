// Lines over days: actual against predicted, errors over time, components.
import { createChart, HistogramSeries, LineSeries, type IChartApi, type ISeriesApi, type UTCTimestamp } from "lightweight-charts";
import { colour, onTheme } from "../theme";
import { Band } from "./band";
import { chartOptions } from "./options";

export interface Point {
  time: number; // ms
  value: number;
}
export interface LineSpec {
  name: string;
  colour: string; // a name of tokens.css
  points: Point[];
  kind?: "line" | "bars"; // bars: green above zero, red below
  band?: { time: number; low: number; high: number }[];
}

const seconds = (ms: number) => (ms / 1000) as UTCTimestamp;

// The scales of charts below each other are equally wide, so that their days stand below each other; a phone has room for
// years of days only where a day may be a fraction of a pixel.
const scaleWidth = 76;
const leastDay = 0.02;
// Half a label of the time scale: so much is free beside the first and the last day, or their labels would be cut in two.
const edge = 20; // pixels

function lineOptions(formatter?: (value: number) => string): ReturnType<typeof chartOptions> {
  const options = chartOptions();
  return {
    ...options,
    rightPriceScale: { ...options.rightPriceScale, minimumWidth: scaleWidth, ensureEdgeTickMarksVisible: true },
    timeScale: { ...options.timeScale, timeVisible: false, rightOffset: 1, minBarSpacing: leastDay },
    localization: { ...options.localization, ...(formatter ? { priceFormatter: formatter } : {}) },
  };
}

export class LineView {
  private readonly chart: IChartApi;
  private readonly lines: { spec: LineSpec; series: ISeriesApi<"Line"> | ISeriesApi<"Histogram">; band: Band | null }[] = [];
  private readonly stopTheme: () => void;

  constructor(into: HTMLElement, specs: LineSpec[], formatter?: (value: number) => string) {
    this.chart = createChart(into, lineOptions(formatter));
    for (const spec of specs) {
      // Effects may be thousandths; how they are written is the formatter's.
      const base = { priceLineVisible: false, lastValueVisible: false, priceFormat: { type: "price", precision: 10, minMove: 1e-10 } } as const;
      const series =
        spec.kind === "bars"
          ? this.chart.addSeries(HistogramSeries, base)
          : this.chart.addSeries(LineSeries, { ...base, lineWidth: 2, crosshairMarkerRadius: 3 });
      let band: Band | null = null;
      if (spec.band && spec.kind !== "bars") {
        band = new Band();
        (series as ISeriesApi<"Line">).attachPrimitive(band);
      }
      this.lines.push({ spec, series, band });
    }
    this.stopTheme = onTheme(() => this.paint(formatter));
    this.paint(formatter);
    this.showAll(into);
  }

  private paint(formatter?: (value: number) => string): void {
    this.chart.applyOptions(lineOptions(formatter));
    for (const { spec, series, band } of this.lines) {
      const line = colour(spec.colour);
      if (spec.kind === "bars") {
        (series as ISeriesApi<"Histogram">).setData(
          spec.points.map((p) => ({ time: seconds(p.time), value: p.value, color: colour(p.value < 0 ? "down" : "up") })),
        );
      } else {
        (series as ISeriesApi<"Line">).applyOptions({ color: line });
        (series as ISeriesApi<"Line">).setData(spec.points.map((p) => ({ time: seconds(p.time), value: p.value })));
      }
      band?.set((spec.band ?? []).map((b) => ({ time: seconds(b.time), low: b.low, high: b.high })), line);
    }
  }

  private showAll(into: HTMLElement): void {
    const days = new Set(this.lines.flatMap(({ spec }) => spec.points.map((p) => p.time))).size;
    if (days === 0) return;
    const free = (days * edge) / Math.max(edge * 4, into.clientWidth - scaleWidth);
    this.chart.timeScale().setVisibleLogicalRange({ from: -free, to: days - 1 + free });
  }

  destroy(): void {
    this.stopTheme();
    this.chart.remove();
  }
}
