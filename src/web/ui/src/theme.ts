// Light or dark: as the system, until the reader chooses.
export type Theme = "light" | "dark";

const key = "chandler.theme";
const system = window.matchMedia("(prefers-color-scheme: light)");
const listeners = new Set<() => void>();

function chosen(): Theme | null {
  try {
    const value = localStorage.getItem(key);
    return value === "light" || value === "dark" ? value : null;
  } catch {
    return null; // storage is forbidden: the system decides
  }
}

export function theme(): Theme {
  return chosen() ?? (system.matches ? "light" : "dark");
}

// Asking for a computed style makes the browser bring all styles up to date, and a calendar asks 5,000 times.
const known = new Map<string, string>();

function apply(next = theme()): void {
  document.documentElement.dataset["theme"] = next;
  known.clear();
  for (const listener of listeners) listener();
}

export function startTheme(): void {
  system.addEventListener("change", () => apply());
  apply();
}

export function toggleTheme(): void {
  const next = theme() === "dark" ? "light" : "dark";
  try {
    localStorage.setItem(key, next);
  } catch {
    // only this page knows then
  }
  apply(next);
}

// Returns how to stop listening.
export function onTheme(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

// The value of a colour of tokens.css: canvases do not read custom properties.
export function colour(name: string): string {
  let value = known.get(name);
  if (!value) known.set(name, (value = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()));
  return value;
}
