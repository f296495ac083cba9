// Coverage as a calendar: a row a year, a column a week, a square a day.
import type { Calendar } from "../api";
import { h, styled } from "../dom";
import { count, day } from "../format";
import { colour, onTheme } from "../theme";

const dayMs = 86_400_000;
const size = 11;
const gap = 2;
const monthNames = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

function shade(minutes: number | undefined): string {
  if (minutes === undefined) return colour("heat-none");
  if (minutes < 0) return colour("heat-0");
  if (minutes === 0) return colour("heat-days");
  if (minutes >= 1440) return colour("heat-4");
  if (minutes >= 1430) return colour("heat-3");
  return minutes >= 1200 ? colour("heat-2") : colour("heat-1");
}

export function describeDay(minutes: number | undefined, open: boolean): string {
  if (minutes === undefined) return "outside the history";
  if (minutes < 0) return "no data";
  if (minutes === 0) return "the exchange's daily candle only";
  if (open) return `${count(minutes)} minutes so far`;
  return minutes >= 1440 ? "complete" : `${count(minutes)} of 1,440 minutes`;
}

export function calendarView(calendar: Calendar, choose: (day: string) => void): { element: HTMLElement; destroy: () => void } {
  const first = Date.parse(calendar.first_day);
  const last = first + (calendar.minutes.length - 1) * dayMs;
  const minutesOf = (ms: number): number | undefined => calendar.minutes[Math.round((ms - first) / dayMs)];
  const tip = h("div", { class: "tip", hidden: true });
  const years: { year: number; canvas: HTMLCanvasElement }[] = [];
  const weekday = (ms: number) => (new Date(ms).getUTCDay() + 6) % 7; // Monday first
  const place = (year: number, ms: number): [number, number] => {
    const begin = Date.UTC(year, 0, 1);
    const index = Math.round((ms - begin) / dayMs) + weekday(begin);
    return [Math.floor(index / 7), index % 7];
  };
  const width = 54 * (size + gap);
  const height = 7 * (size + gap);
  const draw = () => {
    const ratio = window.devicePixelRatio || 1;
    for (const { year, canvas } of years) {
      canvas.width = width * ratio;
      canvas.height = height * ratio;
      const context = canvas.getContext("2d")!;
      context.scale(ratio, ratio);
      const squares = new Map<string, Path2D>(); // by colour
      for (let ms = Date.UTC(year, 0, 1); ms < Date.UTC(year + 1, 0, 1); ms += dayMs) {
        const [week, row] = place(year, ms);
        const open = calendar.open_day && ms === last;
        const fill = open ? colour("heat-open") : shade(ms < first || ms > last ? undefined : minutesOf(ms));
        if (!squares.has(fill)) squares.set(fill, new Path2D());
        squares.get(fill)!.roundRect(week * (size + gap), row * (size + gap), size, size, 2.5);
      }
      for (const [fill, path] of squares) {
        context.fillStyle = fill;
        context.fill(path);
      }
    }
  };
  const dayAt = (year: number, canvas: HTMLCanvasElement, event: MouseEvent): number | null => {
    const box = canvas.getBoundingClientRect();
    const week = Math.floor(((event.clientX - box.left) / box.width) * 54);
    const row = Math.floor(((event.clientY - box.top) / box.height) * 7);
    const begin = Date.UTC(year, 0, 1);
    const ms = begin + (week * 7 + row - weekday(begin)) * dayMs;
    return new Date(ms).getUTCFullYear() === year && ms >= first && ms <= last ? ms : null;
  };
  const rows: HTMLElement[] = [];
  for (let year = new Date(last).getUTCFullYear(); year >= new Date(first).getUTCFullYear(); year--) {
    let complete = 0;
    let partly = 0;
    let none = 0;
    for (let ms = Math.max(first, Date.UTC(year, 0, 1)); ms <= Math.min(last, Date.UTC(year, 11, 31)); ms += dayMs) {
      const minutes = minutesOf(ms) ?? -1;
      if (minutes >= 1440 || minutes === 0) complete++;
      else if (calendar.open_day && ms === last) continue;
      else if (minutes > 0) partly++;
      else none++;
    }
    const canvas = styled(
      h("canvas", { role: "img", "aria-label": `${year}: ${complete} days complete, ${partly} in part, ${none} without data` }),
      { aspectRatio: `${width} / ${height}` },
    );
    canvas.addEventListener("mousemove", (event) => {
      const ms = dayAt(year, canvas, event);
      tip.hidden = ms === null;
      if (ms === null) return;
      tip.textContent = `${day(ms)}: ${describeDay(minutesOf(ms), calendar.open_day && ms === last)}`;
      styled(tip, { left: `${Math.min(event.clientX + 14, window.innerWidth - 260)}px`, top: `${event.clientY + 14}px` });
    });
    canvas.addEventListener("mouseleave", () => (tip.hidden = true));
    canvas.addEventListener("click", (event) => {
      const ms = dayAt(year, canvas, event);
      if (ms !== null) choose(day(ms));
    });
    years.push({ year, canvas });
    const months = h("div", { class: "months", "aria-hidden": "true" }, ...monthNames.map((name) => h("span", {}, name)));
    rows.push(h("div", { class: "year" }, h("b", { class: "num" }, String(year)), styled(h("div", {}, months, canvas), { maxWidth: `${width}px` })));
  }
  const stop = onTheme(draw);
  draw();
  return {
    element: h("div", { class: "heat-scroll", tabindex: "0", role: "region", "aria-label": "Coverage, day by day" }, h("div", { class: "heat" }, ...rows), tip),
    destroy: stop,
  };
}
