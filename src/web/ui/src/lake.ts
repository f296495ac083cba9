// What every page needs to know of the lake, kept current by the server's events.
import { api, type ApiError, type LakeStatus } from "./api";
import { follow } from "./events";

type Listener = () => void;
const listeners = new Set<Listener>();
const changes = new Set<Listener>();
const lookAgain = 15_000; // ms
const readingLake = 250; // ms
const least = 2000; // ms between two looks at a lake that changes all the time

export const lake: { status: LakeStatus | null; error: ApiError | null; connected: boolean } = {
  status: null,
  error: null,
  connected: false,
};

let timer: number | undefined;
let lastRead = 0;
let reading = false;
let again = false;

function tell(set: Set<Listener>): void {
  for (const listener of [...set]) listener();
}

async function read(): Promise<void> {
  if (reading) {
    again = true;
    return;
  }
  reading = true;
  lastRead = Date.now();
  try {
    lake.status = await api.status();
    lake.error = null;
  } catch (error) {
    lake.error = error as ApiError;
  }
  reading = false;
  tell(listeners);
  // While the server still reads a large lake, what it has so far is shown.
  const incomplete = lake.status && lake.status.symbols.length < lake.status.total;
  if (again || incomplete) {
    again = false;
    schedule(incomplete ? readingLake : least);
  }
}

function schedule(pause = least): void {
  if (timer !== undefined) return;
  const wait = Math.max(0, lastRead + pause - Date.now());
  timer = window.setTimeout(() => {
    timer = undefined;
    void read();
  }, wait);
}

export function startLake(): void {
  void read();
  let first = true; // the server begins by telling how the lake is
  const stop = follow("/api/v1/live", {
    open: () => {
      lake.connected = true;
      schedule();
      tell(listeners);
    },
    error: () => {
      if (!lake.connected) return;
      lake.connected = false;
      tell(listeners);
    },
    lake: () => {
      if (!first) {
        schedule();
        tell(changes);
      }
      first = false;
    },
  });
  // A process that was killed changes no file: only time tells.
  window.setInterval(() => document.visibilityState === "visible" && schedule(), lookAgain);
  window.addEventListener("pagehide", stop);
}

// After each new status, and when the connection comes or goes. Returns how to stop.
export function onLake(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

// When files of the lake have changed.
export function onChange(listener: Listener): () => void {
  changes.add(listener);
  return () => changes.delete(listener);
}

// The symbol that a page shows when its address names none: the one looked at last, or the one with most history.
const key = "chandler.symbol";
export function rememberSymbol(symbol: string): void {
  try {
    sessionStorage.setItem(key, symbol);
  } catch {
    // then it is not remembered
  }
}
export function defaultSymbol(): string | null {
  const symbols = lake.status?.symbols ?? [];
  let remembered: string | null = null;
  try {
    remembered = sessionStorage.getItem(key);
  } catch {
    // none
  }
  if (remembered && symbols.some((s) => s.symbol === remembered)) return remembered;
  const best = [...symbols].sort((a, b) => b.minutes + b.days * 1440 - (a.minutes + a.days * 1440))[0];
  return best?.symbol ?? null;
}
