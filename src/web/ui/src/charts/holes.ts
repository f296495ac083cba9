// What has no data, shaded over the whole height: one area a run of filled candles.
import type { UTCTimestamp } from "lightweight-charts";
import { Underlay, type Bitmap, type Place } from "./underlay";

export interface Hole {
  first: UTCTimestamp; // its first and last candle
  last: UTCTimestamp;
}

export class Holes extends Underlay<Hole> {
  protected paint(holes: Hole[], place: Place, { context, bitmapSize, horizontalPixelRatio: fx }: Bitmap): void {
    const scale = place.chart.timeScale();
    const half = scale.options().barSpacing / 2;
    for (const hole of holes) {
      const first = scale.timeToCoordinate(hole.first);
      const last = scale.timeToCoordinate(hole.last);
      if (first === null || last === null) continue;
      const left = Math.round((first - half) * fx);
      const right = Math.max(left + 1, Math.round((last + half) * fx));
      if (right >= 0 && left <= bitmapSize.width) context.fillRect(left, 0, right - left, bitmapSize.height);
    }
  }
}
