// The dashboard's side of /api/v1. One function per address; every failure is an ApiError that a page can show.

export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly remedy: string,
    readonly where = "",
  ) {
    super(message);
  }
}

export interface SymbolStatus {
  symbol: string;
  last_price: number | null;
  last_time: number | null;
  day_ago_price: number | null;
  high: number | null;
  low: number | null;
  quote_volume: number | null;
  closes: number[];
  minutes: number;
  first: number | null;
  last: number | null;
  coverage: number;
  holes: number;
  missing_minutes: number;
  not_asked_minutes: number;
  exchange_days: number;
  days: number;
  filled_days: number;
  first_day: string | null;
  last_day: string | null;
  speed_minutes: number;
  live_at: number | null;
  lag_ms: number;
  bytes: number;
}

export interface Problem {
  severity: "info" | "warning" | "error";
  symbol: string;
  what: string;
  remedy: string;
}

export interface LakeStatus {
  version: string;
  lake: string;
  now: number;
  newest: number | null;
  total: number;
  symbols: SymbolStatus[];
  problems: Problem[];
}

export interface Candles {
  symbol: string;
  interval: string;
  open_time: number[];
  open: number[];
  high: number[];
  low: number[];
  close: number[];
  volume: number[];
  quote_volume: (number | null)[];
  trades: (number | null)[];
  minutes: number[];
  filled: number[];
  provisional: number[];
}

export interface Gap {
  begin: number;
  end: number;
  minutes: number;
  asked: boolean;
}
export interface Gaps {
  symbol: string;
  total: number;
  minutes: number;
  gaps: Gap[];
}

export interface Calendar {
  symbol: string;
  first_day: string;
  minutes: number[];
  open_day: boolean;
}

export interface Column {
  name: string;
  type: string;
  nullable: boolean;
}
export interface Table {
  table: string;
  about: string;
  symbols: number;
  partitions: number;
  bytes: number;
  columns: Column[];
}
export interface Partition {
  path: string;
  bytes: number;
  rows: number | null;
  first: number | null;
  last: number | null;
  error?: string;
}
export interface Rows {
  symbol: string;
  table: string;
  partition: string;
  rows: number;
  offset: number;
  columns: { name: string; type: string; values: (number | string | boolean | null)[] }[];
}

export interface Answered {
  symbol: string;
  query: string;
  rows: { label: string; value: number }[];
}

export interface OpenCandle {
  symbol: string;
  event_time: number;
  open_time: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  trades: number | null;
}
export interface Stream {
  stream: string;
  position: number | null;
  watermark: number | null;
  open: OpenCandle[];
}

// One running live, produce or consume. Counts are since it started, times in ms; 0: none yet.
export interface SpeedProcess {
  process: string;
  command: string;
  fresh: boolean;
  started_at: number;
  updated_at: number;
  messages_per_second: number;
  messages: number;
  closed: number;
  repeated: number;
  late: number;
  rejected: number;
  rejected_by_reason: Record<string, number>;
  reconnects: number;
  fetched: number;
  published: number;
  streams: number;
  unread: number;
  pending_minutes: number;
  commits: number;
  commit_failures: number;
  minutes_added: number;
  minutes_replaced: number;
  newest_event: number;
  watermark: number;
  last_commit: number;
}

export interface RunInfo {
  run: string;
  latest: boolean;
  symbols: string[];
}
export interface Verdict {
  symbol: string;
  error?: string;
  verdict?: string;
  model?: string;
  naive_wins?: boolean;
  days?: number;
  filled_days?: number;
  last_day?: string;
  mase?: number | null;
  naive_mase?: number | null;
  coverage80?: number | null;
  coverage95?: number | null;
}
export interface Verdicts {
  run: string;
  summary: { horizon: number; kind: string; seed: number; symbols: Verdict[] } | null;
}
export type Cell = number | string | null;
export interface Sheet {
  columns: string[];
  rows: Cell[][];
}
export interface Series {
  columns: { name: string; type: string; values: (number | string | null)[] }[];
}

export function address(path: string, params: Record<string, string | number | boolean | undefined> = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value !== undefined) query.set(name, String(value));
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

async function get<T>(
  path: string,
  params: Record<string, string | number | boolean | undefined>,
  signal?: AbortSignal,
): Promise<T> {
  let response: Response;
  try {
    response = await fetch(address(path, params), { signal, headers: { Accept: "application/json" } });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("unreachable", "chandler does not answer", "Is `chandler serve` still running?");
  }
  let body: unknown;
  try {
    body = await response.json();
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError("damaged", `an answer that is no JSON (HTTP ${response.status})`, "");
  }
  if (!response.ok) {
    const error = (body as { error?: { code: string; message: string; where?: string; remedy?: string } }).error;
    throw new ApiError(error?.code ?? "error", error?.message ?? `HTTP ${response.status}`, error?.remedy ?? "", error?.where);
  }
  return body as T;
}

export const api = {
  status: (signal?: AbortSignal) => get<LakeStatus>("/api/v1/status", {}, signal),
  candles: (
    query: { symbol: string; interval: string; from?: number; to?: number; limit?: number; fill?: boolean },
    signal?: AbortSignal,
  ) => get<Candles>("/api/v1/candles", { ...query, detail: "prices" }, signal),
  gaps: (symbol: string, limit: number, signal?: AbortSignal) => get<Gaps>("/api/v1/gaps", { symbol, limit }, signal),
  calendar: (symbol: string, signal?: AbortSignal) => get<Calendar>("/api/v1/calendar", { symbol }, signal),
  tables: (signal?: AbortSignal) => get<{ lake: string; tables: Table[] }>("/api/v1/tables", {}, signal),
  partitions: (table: string, symbol: string, signal?: AbortSignal) =>
    get<{ partitions: Partition[] }>("/api/v1/partitions", { table, symbol }, signal),
  rows: (
    query: { table: string; symbol: string; partition?: string; offset?: number; limit?: number },
    signal?: AbortSignal,
  ) => get<Rows>("/api/v1/rows", query, signal),
  query: (symbol: string, query: string, signal?: AbortSignal) =>
    get<Answered>("/api/v1/query", { symbol, query }, signal),
  streams: (signal?: AbortSignal) => get<{ now: number; streams: Stream[]; processes: SpeedProcess[] }>("/api/v1/streams", {}, signal),
  runs: (signal?: AbortSignal) => get<{ runs: RunInfo[] }>("/api/v1/forecasts", {}, signal),
  forecast: (symbol: string, run: string | undefined, signal?: AbortSignal) =>
    get<Series>("/api/v1/forecast", { symbol, run }, signal),
  components: (symbol: string, run: string | undefined, signal?: AbortSignal) =>
    get<Series>("/api/v1/forecast", { symbol, run, table: "components" }, signal),
  verdicts: (run?: string, signal?: AbortSignal) => get<Verdicts>("/api/v1/forecast-summary", { run }, signal),
  sheet: (name: string, run?: string, signal?: AbortSignal) =>
    get<Sheet>("/api/v1/forecast-sheet", { name, run }, signal),
};
