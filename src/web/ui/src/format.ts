// Numbers and times as people read them. Times are UTC, always.

const grouped = new Intl.NumberFormat("en-US");

export function count(value: number): string {
  return grouped.format(value);
}

// Decimals that are enough for what the price is worth: 2 of 64,123.45, 6 of 0.08123, 9 of 0.00001234.
export function decimalsOf(value: number): number {
  const size = Math.abs(value);
  return size >= 1000 || size === 0 ? 2 : size >= 1 ? 4 : Math.min(10, 4 - Math.floor(Math.log10(size)));
}

// `decimals`: exactly so many, for numbers that stand below each other.
export function price(value: number | null | undefined, decimals?: number): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const most = decimals ?? decimalsOf(value);
  return new Intl.NumberFormat("en-US", { minimumFractionDigits: decimals ?? Math.min(2, most), maximumFractionDigits: most }).format(value);
}

export function compact(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const digits = Math.abs(value) < 1 ? { maximumSignificantDigits: 3 } : { maximumFractionDigits: 2 };
  return new Intl.NumberFormat("en-US", { notation: "compact", ...digits }).format(value);
}

// A ratio as a signed percentage.
export function percent(ratio: number | null | undefined, digits = 2): string {
  if (ratio === null || ratio === undefined || !Number.isFinite(ratio)) return "–";
  const text = `${Math.abs(ratio * 100).toFixed(digits)}%`;
  return ratio > 0 ? `+${text}` : ratio < 0 ? `−${text}` : text;
}

export function share(ratio: number): string {
  if (ratio >= 1) return "100%";
  return `${(Math.floor(ratio * 1e5) / 1e3).toFixed(ratio > 0.999 ? 3 : 2)}%`;
}

export function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(value < 10 ? 1 : 0)} ${units[unit]}`;
}

const two = (n: number) => String(n).padStart(2, "0");

export function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

export function minute(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "–";
  return new Date(ms).toISOString().slice(0, 16).replace("T", " ");
}

export function second(ms: number): string {
  const t = new Date(ms);
  return `${two(t.getUTCHours())}:${two(t.getUTCMinutes())}:${two(t.getUTCSeconds())}`;
}

// 3 d 4 h, 12 min, 8 s
export function duration(ms: number): string {
  const s = Math.round(ms / 1000);
  if (s < 90) return `${s} s`;
  const m = Math.round(s / 60);
  if (m < 90) return `${m} min`;
  const hours = Math.floor(m / 60);
  if (hours < 48) return m % 60 === 0 ? `${hours} h` : `${hours} h ${m % 60} min`;
  const days = Math.floor(hours / 24);
  if (days < 60) return hours % 24 === 0 ? `${days} d` : `${days} d ${hours % 24} h`;
  return days < 730 ? `${Math.round(days / 30.44)} months` : `${(days / 365.25).toFixed(1)} years`;
}

export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

// The runs of the forecast are named by their instant: 2025-09-22T103000Z.
export function runTime(run: string): string {
  const [date, time] = run.split("T");
  return time ? `${date} ${time.slice(0, 2)}:${time.slice(2, 4)}` : run;
}
