// What is painted under a series, in the chart's own coordinates. How lightweight-charts wants it is told here once.
import type { IPrimitivePaneRenderer, IPrimitivePaneView, ISeriesPrimitive, SeriesAttachedParameter, Time } from "lightweight-charts";

type DrawTarget = Parameters<IPrimitivePaneRenderer["draw"]>[0];
export type Place = SeriesAttachedParameter<Time>;
// In pixels of the device; the chart's coordinates are multiplied by the ratios.
export type Bitmap = Parameters<Parameters<DrawTarget["useBitmapCoordinateSpace"]>[0]>[0];

export abstract class Underlay<Item> implements ISeriesPrimitive<Time> {
  private place: Place | null = null;
  private items: Item[] = [];
  private colour = "#888";
  private readonly views: readonly IPrimitivePaneView[] = [
    { zOrder: () => "bottom", renderer: () => ({ draw: (target) => this.draw(target) }) },
  ];

  set(items: Item[], colour: string): void {
    this.items = items;
    this.colour = colour;
    this.place?.requestUpdate();
  }
  attached(place: Place): void {
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
    if (!place) return;
    target.useBitmapCoordinateSpace((bitmap) => {
      bitmap.context.fillStyle = this.colour;
      this.paint(this.items, place, bitmap);
    });
  }
  // The fill style is the colour already.
  protected abstract paint(items: Item[], place: Place, bitmap: Bitmap): void;
}
