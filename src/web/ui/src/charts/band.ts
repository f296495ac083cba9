// A band between two lines, drawn under a series: the interval of a forecast.
import type {
  IPrimitivePaneRenderer,
  IPrimitivePaneView,
  ISeriesPrimitive,
  SeriesAttachedParameter,
  Time,
  UTCTimestamp,
} from "lightweight-charts";

type DrawTarget = Parameters<IPrimitivePaneRenderer["draw"]>[0];

export interface BandPoint {
  time: UTCTimestamp;
  low: number;
  high: number;
}

export class Band implements ISeriesPrimitive<Time> {
  private place: SeriesAttachedParameter<Time> | null = null;
  private points: BandPoint[] = [];
  private colour = "#888";
  private readonly views: readonly IPrimitivePaneView[] = [
    { zOrder: () => "bottom", renderer: () => ({ draw: (target) => this.draw(target) }) },
  ];

  set(points: BandPoint[], colour: string): void {
    this.points = points;
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
    const place = this.place;
    if (!place || this.points.length < 2) return;
    const scale = place.chart.timeScale();
    target.useBitmapCoordinateSpace(({ context, horizontalPixelRatio: fx, verticalPixelRatio: fy }) => {
      const high: [number, number][] = [];
      const low: [number, number][] = [];
      for (const point of this.points) {
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
      context.fillStyle = this.colour;
      context.fill();
      context.globalAlpha = 1;
    });
  }
}
