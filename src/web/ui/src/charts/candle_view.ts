// The candle chart: candles, volume, moving averages, what is missing, and a forecast.
import {
  CandlestickSeries,
  createChart,
  HistogramSeries,
  LineSeries,
  PriceScaleMode,
  type IChartApi,
  type ISeriesApi,
  type MouseEventParams,
  type UTCTimestamp,
} from "lightweight-charts";
import type { Candles, Series } from "../api";
import { intervalLength, type Interval } from "../intervals";
import { colour, onTheme } from "../theme";
import { Band } from "./band";
import { Holes, type Hole } from "./holes";
import { decimalsOf, price } from "../format";
import { chartOptions, withAlpha } from "./options";

// The room for the volumes below the candles reaches under zero, where no price is.
function candleOptions(decimals: number): ReturnType<typeof chartOptions> {
  const options = chartOptions();
  return {
    ...options,
    // Thirteen years of days fit on a desktop; on a phone weeks do.
    timeScale: { ...options.timeScale, minBarSpacing: 0.2 },
    localization: { ...options.localization, priceFormatter: (value: number) => (value < 0 ? "" : price(value, decimals)) },
  };
}

export interface Bar {
  time: number; // ms
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  minutes: number;
  filled: boolean;
  provisional: boolean;
}
export interface Legend extends Bar {
  previous: number | null;
  ma7: number | null;
  ma30: number | null;
  forecast: number | null;
  missing: number;
}
interface ForecastPoint {
  time: number;
  value: number;
  low: number | null;
  high: number | null;
}

const seconds = (ms: number) => (ms / 1000) as UTCTimestamp;
const leftMargin = 60; // bars from the left end at which older ones are asked for

function barsOf(page: Candles): Bar[] {
  return page.open_time.map((time, i) => ({
    time,
    open: page.open[i]!,
    high: page.high[i]!,
    low: page.low[i]!,
    close: page.close[i]!,
    volume: page.volume[i]!,
    minutes: page.minutes[i]!,
    filled: page.filled[i] === 1,
    provisional: page.provisional[i] === 1,
  }));
}

function average(bars: Bar[], end: number, window: number): number | null {
  if (end + 1 < window) return null;
  let sum = 0;
  for (let i = end + 1 - window; i <= end; i++) sum += bars[i]!.close;
  return sum / window;
}

export class CandleView {
  private readonly chart: IChartApi;
  private readonly candles: ISeriesApi<"Candlestick">;
  private readonly volume: ISeriesApi<"Histogram">;
  private readonly holes = new Holes();
  private readonly ma7: ISeriesApi<"Line">;
  private readonly ma30: ISeriesApi<"Line">;
  private readonly expected: ISeriesApi<"Line">;
  private readonly band = new Band();
  private bars: Bar[] = [];
  private interval: Interval = "1d";
  private forecast: ForecastPoint[] = [];
  private forecastShown = true;
  private hovered: number | null = null;
  private touched = false;
  private decimals = 2; // of the labels of the scale: all have the same
  private readonly stopTheme: () => void;

  constructor(into: HTMLElement) {
    this.chart = createChart(into, candleOptions(this.decimals));
    // In the order in which they are drawn.
    this.volume = this.chart.addSeries(HistogramSeries, {
      priceScaleId: "volume",
      priceFormat: { type: "volume" },
      priceLineVisible: false,
      lastValueVisible: false,
    });
    this.candles = this.chart.addSeries(CandlestickSeries, { borderVisible: true });
    this.candles.attachPrimitive(this.holes);
    const line = { lineWidth: 2, priceLineVisible: false, lastValueVisible: false, crosshairMarkerVisible: false } as const;
    this.ma7 = this.chart.addSeries(LineSeries, line);
    this.ma30 = this.chart.addSeries(LineSeries, line);
    this.expected = this.chart.addSeries(LineSeries, line);
    this.expected.attachPrimitive(this.band);
    this.chart.priceScale("volume").applyOptions({ scaleMargins: { top: 0.82, bottom: 0 } });
    // On a phone the legend takes several lines.
    const legendRoom = window.innerWidth <= 560 ? 0.26 : 0.1;
    this.chart.priceScale("right").applyOptions({ scaleMargins: { top: legendRoom, bottom: 0.22 } });
    for (const kind of ["pointerdown", "wheel", "touchstart"]) {
      into.addEventListener(kind, () => (this.touched = true), { passive: true });
    }
    this.stopTheme = onTheme(() => this.paint());
    this.paint();
  }

  // Tells how wide the scale of prices at the right is, in pixels, whenever that may have changed.
  onScaleWidth(told: (pixels: number) => void): void {
    this.chart.timeScale().subscribeSizeChange(() => told(this.chart.priceScale("right").width()));
  }

  destroy(): void {
    this.stopTheme();
    this.chart.remove();
  }

  private paint(): void {
    this.chart.applyOptions(candleOptions(this.decimals));
    const up = colour("up");
    const down = colour("down");
    this.candles.applyOptions({
      upColor: up,
      downColor: down,
      borderUpColor: up,
      borderDownColor: down,
      wickUpColor: up,
      wickDownColor: down,
    });
    this.ma7.applyOptions({ color: colour("accent") });
    this.ma30.applyOptions({ color: colour("info") });
    this.expected.applyOptions({ color: colour("forecast") });
    this.draw();
  }

  clear(): void {
    this.bars = [];
    this.forecast = [];
    this.draw();
  }

  setCandles(page: Candles, interval: Interval): void {
    this.bars = barsOf(page);
    this.interval = interval;
    this.touched = false;
    this.chart.timeScale().applyOptions({ timeVisible: intervalLength(interval) < 86_400_000 });
    this.scaleTo(this.bars[this.bars.length - 1]?.close ?? 0);
    this.draw();
    this.chart.priceScale("right").setAutoScale(true);
  }

  // A scale steps by hundredths where nothing else is said: a coin of a millionth would have no labels at all.
  private scaleTo(close: number): void {
    this.decimals = decimalsOf(close);
    const priceFormat = { type: "price", precision: this.decimals, minMove: 10 ** -this.decimals } as const;
    for (const series of [this.candles, this.ma7, this.ma30, this.expected]) series.applyOptions({ priceFormat });
    this.chart.applyOptions(candleOptions(this.decimals));
  }

  prepend(page: Candles): void {
    const first = this.bars[0]?.time ?? Infinity;
    const older = barsOf(page).filter((bar) => bar.time < first);
    const visible = this.chart.timeScale().getVisibleLogicalRange();
    this.bars = [...older, ...this.bars];
    this.draw();
    if (visible) {
      this.chart.timeScale().setVisibleLogicalRange({ from: visible.from + older.length, to: visible.to + older.length });
    }
  }

  // The newest candles as an event brings them: the last one grows, or new ones follow. False, and nothing is done, where
  // others lie between the last one and these.
  update(page: Candles): boolean {
    const next = page.open_time[0];
    const last = this.last();
    if (last && next !== undefined && next > last.time + 1.5 * intervalLength(this.interval)) return false;
    this.append(page);
    return true;
  }

  append(page: Candles): void {
    for (const bar of barsOf(page)) {
      let at = this.bars.length;
      while (at > 0 && this.bars[at - 1]!.time > bar.time) at--;
      if (this.bars[at - 1]?.time === bar.time) at--;
      else if (at < this.bars.length) continue; // older than all, or between two: it comes when the page is read again
      this.bars[at] = bar;
      this.drawBar(at);
    }
  }

  private candleOf(bar: Bar) {
    const time = seconds(bar.time);
    const { open, high, low, close } = bar;
    if (bar.filled) {
      const faint = colour("faint");
      return { time, open, high, low, close, color: faint, borderColor: faint, wickColor: faint };
    }
    if (bar.provisional) {
      // Hollow: not final yet.
      return { time, open, high, low, close, color: withAlpha(colour(close < open ? "down" : "up"), 0.25) };
    }
    return { time, open, high, low, close };
  }

  private draw(): void {
    const up = withAlpha(colour("up"), 0.35);
    const down = withAlpha(colour("down"), 0.35);
    this.candles.setData(this.bars.map((bar) => this.candleOf(bar)));
    this.volume.setData(
      this.bars.map((bar) => ({ time: seconds(bar.time), value: bar.volume, color: bar.close < bar.open ? down : up })),
    );
    this.drawHoles();
    const averages = (window: number) =>
      this.bars.flatMap((bar, i) => {
        const value = average(this.bars, i, window);
        return value === null ? [] : [{ time: seconds(bar.time), value }];
      });
    this.ma7.setData(averages(7));
    this.ma30.setData(averages(30));
    this.drawForecast();
  }

  private drawHoles(): void {
    const holes: Hole[] = [];
    this.bars.forEach((bar, i) => {
      if (!bar.filled) return;
      if (i > 0 && this.bars[i - 1]!.filled) holes[holes.length - 1]!.last = seconds(bar.time);
      else holes.push({ first: seconds(bar.time), last: seconds(bar.time) });
    });
    this.holes.set(holes, withAlpha(colour("accent"), 0.13));
  }

  private drawBar(i: number): void {
    const bar = this.bars[i]!;
    this.drawHoles();
    const time = seconds(bar.time);
    const old = i < this.bars.length - 1;
    this.candles.update(this.candleOf(bar), old);
    this.volume.update({ time, value: bar.volume, color: withAlpha(colour(bar.close < bar.open ? "down" : "up"), 0.35) }, old);
    const ma7 = average(this.bars, i, 7);
    const ma30 = average(this.bars, i, 30);
    if (ma7 !== null) this.ma7.update({ time, value: ma7 }, old);
    if (ma30 !== null) this.ma30.update({ time, value: ma30 }, old);
  }

  // Columns ds, yhat, yhat_lower, yhat_upper. False if it is no such table.
  setForecast(table: Series): boolean {
    const column = (name: string) => table.columns.find((c) => c.name === name)?.values;
    const ds = column("ds");
    const yhat = column("yhat");
    if (!ds || !yhat) return false;
    const low = column("yhat_lower");
    const high = column("yhat_upper");
    const number = (value: unknown) => (typeof value === "number" ? value : null);
    this.forecast = ds.flatMap((d, i) => {
      const time = typeof d === "number" ? d : Date.parse(String(d));
      const value = number(yhat[i]);
      return value === null || Number.isNaN(time) ? [] : [{ time, value, low: number(low?.[i]), high: number(high?.[i]) }];
    });
    this.drawForecast();
    return this.forecast.length > 0;
  }

  // A forecast is of days: on other candles it would have no place to be drawn.
  forecastFits(): boolean {
    return this.interval === "1d" && this.forecast.length > 0;
  }

  private drawForecast(): void {
    // Only near what is loaded: a forecast years from here would stretch the time scale.
    const first = this.bars[0]?.time ?? Infinity;
    const last = (this.bars[this.bars.length - 1]?.time ?? -Infinity) + 400 * 86_400_000;
    const points = this.forecastShown && this.forecastFits() ? this.forecast.filter((p) => p.time >= first && p.time <= last) : [];
    this.expected.setData(points.map((p) => ({ time: seconds(p.time), value: p.value })));
    this.band.set(
      points.flatMap((p) => (p.low === null || p.high === null ? [] : [{ time: seconds(p.time), low: p.low, high: p.high }])),
      colour("forecast"),
    );
  }

  showForecast(on: boolean): void {
    this.forecastShown = on;
    this.drawForecast();
  }
  showAverages(on: boolean): void {
    this.ma7.applyOptions({ visible: on });
    this.ma30.applyOptions({ visible: on });
  }
  showVolume(on: boolean): void {
    this.volume.applyOptions({ visible: on });
  }
  logarithmic(on: boolean): void {
    this.chart.priceScale("right").applyOptions({ mode: on ? PriceScaleMode.Logarithmic : PriceScaleMode.Normal });
  }

  showLast(count: number): void {
    const end = this.bars.length;
    this.chart.timeScale().setVisibleLogicalRange({ from: Math.max(-0.5, end - count), to: end + 4 });
  }
  showTimes(from: number, to: number): void {
    const first = this.bars.findIndex((bar) => bar.time >= from);
    let last = this.bars.length - 1;
    while (last > 0 && this.bars[last]!.time > to) last--;
    if (first < 0) return this.showLast(200);
    this.chart.timeScale().setVisibleLogicalRange({ from: first - 0.5, to: Math.max(last, first + 5) + 1.5 });
  }
  pan(bars: number): void {
    this.touched = true;
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (range) this.chart.timeScale().setVisibleLogicalRange({ from: range.from + bars, to: range.to + bars });
  }
  zoom(factor: number): void {
    this.touched = true;
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (range) this.chart.timeScale().setVisibleLogicalRange({ from: range.to - (range.to - range.from) * factor, to: range.to });
  }

  visibleTimes(): [number, number] | null {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    if (!range || this.bars.length === 0) return null;
    const at = (i: number) => this.bars[Math.min(this.bars.length - 1, Math.max(0, Math.round(i)))]!.time;
    return [at(range.from), at(range.to)];
  }
  movedByReader(): boolean {
    return this.touched;
  }
  isHovered(): boolean {
    return this.hovered !== null;
  }
  first(): number | null {
    return this.bars[0]?.time ?? null;
  }
  last(): Bar | null {
    return this.bars[this.bars.length - 1] ?? null;
  }
  counts(): { filled: number } {
    return { filled: this.bars.reduce((sum, bar) => sum + Number(bar.filled), 0) };
  }

  // Of the candle under the crosshair, or of the last one.
  legend(): Legend | null {
    const found = this.hovered === null ? -1 : this.bars.findIndex((bar) => bar.time === this.hovered);
    const i = found >= 0 ? found : this.bars.length - 1;
    const bar = this.bars[i];
    if (!bar) return null;
    const whole = intervalLength(this.interval) / 60_000;
    const exact = this.interval !== "1M";
    return {
      ...bar,
      previous: this.bars[i - 1]?.close ?? null,
      ma7: average(this.bars, i, 7),
      ma30: average(this.bars, i, 30),
      forecast: this.forecastFits() && this.forecastShown ? (this.forecast.find((p) => p.time === bar.time)?.value ?? null) : null,
      missing: exact && !bar.filled && !bar.provisional && bar.minutes > 0 && bar.minutes < whole ? whole - bar.minutes : 0,
    };
  }

  onHover(call: () => void): void {
    this.chart.subscribeCrosshairMove((event: MouseEventParams) => {
      this.hovered = typeof event.time === "number" && event.point ? event.time * 1000 : null;
      call();
    });
  }
  onMove(call: (from: number, to: number) => void): void {
    this.chart.timeScale().subscribeVisibleLogicalRangeChange(() => {
      const times = this.visibleTimes();
      if (times) call(...times);
    });
  }
  // Whether the left end of what is there is nearly in sight.
  atLeft(): boolean {
    const range = this.chart.timeScale().getVisibleLogicalRange();
    return range !== null && range.from < leftMargin;
  }
}
