// A band between two lines, drawn under a series: the interval of a forecast.
import type { UTCTimestamp } from "lightweight-charts";
import { Underlay, type Bitmap, type Place } from "./underlay";

export interface BandPoint {
  time: UTCTimestamp;
  low: number;
  high: number;
}

export class Band extends Underlay<BandPoint> {
  protected paint(points: BandPoint[], place: Place, { context, horizontalPixelRatio: fx, verticalPixelRatio: fy }: Bitmap): void {
    const scale = place.chart.timeScale();
    const high: [number, number][] = [];
    const low: [number, number][] = [];
    for (const point of points) {
      const x = scale.timeToCoordinate(point.time);
      const top = place.series.priceToCoordinate(point.high);
      const bottom = place.series.priceToCoordinate(point.low);
      if (x === null || top === null || bottom === null) continue;
      high.push([x * fx, top * fy]);
      low.push([x * fx, bottom * fy]);
    }
    if (high.length < 2) return;
    context.beginPath();
    for (const [x, y] of [...high, ...low.reverse()]) context.lineTo(x, y);
    context.closePath();
    context.globalAlpha = 0.18;
    context.fill();
    context.globalAlpha = 1;
  }
}
