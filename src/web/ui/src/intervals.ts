// The exchange's intervals, and which of them shows a range of time as a picture and not as a wall.
export const intervals = ["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"] as const;
export type Interval = (typeof intervals)[number];

const units: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000, M: 2_629_800_000 };

// In ms; of a month the mean.
export function intervalLength(interval: Interval): number {
  return Number.parseInt(interval, 10) * units[interval.at(-1)!]!;
}

export const ranges = ["1D", "1W", "1M", "3M", "1Y", "5Y", "All"] as const;
export type Range = (typeof ranges)[number];

const dayMs = 86_400_000;
const lengths: Record<Exclude<Range, "All">, { days: number; interval: Interval }> = {
  "1D": { days: 1, interval: "5m" },
  "1W": { days: 7, interval: "30m" },
  "1M": { days: 31, interval: "2h" },
  "3M": { days: 92, interval: "6h" },
  "1Y": { days: 366, interval: "1d" },
  "5Y": { days: 1827, interval: "1w" },
};

// Where the range begins that ends at `end`, and with which candles it is shown.
export function rangeInterval(range: Range, first: number, end: number): { interval: Interval; from: number } {
  if (range !== "All") {
    const { days, interval } = lengths[range];
    return { interval, from: end - days * dayMs };
  }
  const days = (end - first) / dayMs;
  const interval: Interval = days > 2200 ? "1w" : days > 60 ? "1d" : days > 12 ? "2h" : days > 2 ? "15m" : "1m";
  return { interval, from: first };
}
