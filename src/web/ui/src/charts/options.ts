// How every chart of the dashboard looks; read again when the theme changes.
import { ColorType, CrosshairMode, LineStyle, type ChartOptions, type DeepPartial } from "lightweight-charts";
import { price } from "../format";
import { colour } from "../theme";

export function chartOptions(): DeepPartial<ChartOptions> {
  return {
    autoSize: true,
    layout: {
      background: { type: ColorType.Solid, color: "transparent" },
      textColor: colour("muted"),
      fontFamily: getComputedStyle(document.body).fontFamily,
      fontSize: 11,
      // Its logo brings an inline style that the page's policy forbids; the notice is in the page itself.
      attributionLogo: false,
      panes: { separatorColor: colour("line"), separatorHoverColor: colour("line-strong") },
    },
    grid: { vertLines: { color: colour("raised") }, horzLines: { color: colour("raised") } },
    crosshair: {
      mode: CrosshairMode.Normal,
      vertLine: { color: colour("faint"), style: LineStyle.Dashed, labelBackgroundColor: colour("line-strong") },
      horzLine: { color: colour("faint"), style: LineStyle.Dashed, labelBackgroundColor: colour("line-strong") },
    },
    // No label is cut in two at the upper and lower end.
    rightPriceScale: { borderColor: colour("line"), entireTextOnly: true },
    timeScale: { borderColor: colour("line"), timeVisible: true, secondsVisible: false, rightOffset: 4 },
    localization: { locale: "en-GB", dateFormat: "yyyy-MM-dd", priceFormatter: (value: number) => price(value) },
  };
}

export function withAlpha(hex: string, alpha: number): string {
  const value = Number.parseInt(hex.slice(1), 16);
  return `rgba(${value >> 16}, ${(value >> 8) & 255}, ${value & 255}, ${alpha})`;
}
