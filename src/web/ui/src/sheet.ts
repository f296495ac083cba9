// A table of figures as named cells.
import type { Cell, Series, Sheet } from "./api";

export type Named = Record<string, Cell>;

export function namedRows(sheet: Sheet): Named[] {
  return sheet.rows.map((row) => Object.fromEntries(sheet.columns.map((name, i) => [name, row[i] ?? null])));
}

export function number(value: Cell | undefined): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

export function text(value: Cell | undefined): string {
  return value === null || value === undefined ? "" : String(value);
}

// One column against the days of `ds`; unknown values are left out.
export function pointsOf(table: Series, name: string): { time: number; value: number }[] {
  const ds = table.columns.find((c) => c.name === "ds")?.values ?? [];
  const values = table.columns.find((c) => c.name === name)?.values ?? [];
  return ds.flatMap((d, i) => {
    const value = values[i];
    const time = typeof d === "number" ? d : Date.parse(String(d));
    return typeof value === "number" && !Number.isNaN(time) ? [{ time, value }] : [];
  });
}
