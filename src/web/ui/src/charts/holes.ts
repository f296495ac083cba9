// What has no data, shaded over the whole height: one area a run of filled candles.
import type { IPrimitivePaneRenderer, IPrimitivePaneView, ISeriesPrimitive, SeriesAttachedParameter, Time, UTCTimestamp } from "lightweight-charts";

type DrawTarget = Parameters<IPrimitivePaneRenderer["draw"]>[0];

export interface Hole {
  first: UTCTimestamp; // its first and last candle
  last: UTCTimestamp;
}

export class Holes implements ISeriesPrimitive<Time> {
  private place: SeriesAttachedParameter<Time> | null = null;
  private holes: Hole[] = [];
  private colour = "#888";
  private readonly views: readonly IPrimitivePaneView[] = [
    { zOrder: () => "bottom", renderer: () => ({ draw: (target) => this.draw(target) }) },
  ];

  set(holes: Hole[], colour: string): void {
    this.holes = holes;
    this.colour = colour;
    this.place?.requestUpdate();
  }
  attached(place: SeriesAttachedParameter<Time>): void {
    this.place = place;
  }
  detached(): void {
    this.place = null;
  }
  paneViews(): readonly IPrimitivePaneView[] {
    return this.views;
  }

  private draw(target: DrawTarget): void {
    const scale = this.place?.chart.timeScale();
    if (!scale) return;
    const half = scale.options().barSpacing / 2;
    target.useBitmapCoordinateSpace(({ context, bitmapSize, horizontalPixelRatio: fx }) => {
      context.fillStyle = this.colour;
      for (const hole of this.holes) {
        const first = scale.timeToCoordinate(hole.first);
        const last = scale.timeToCoordinate(hole.last);
        if (first === null || last === null) continue;
        const left = Math.round((first - half) * fx);
        const right = Math.max(left + 1, Math.round((last + half) * fx));
        if (right >= 0 && left <= bitmapSize.width) context.fillRect(left, 0, right - left, bitmapSize.height);
      }
    });
  }
}
