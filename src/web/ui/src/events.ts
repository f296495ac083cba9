// Server-sent events that come back. A browser tries again by itself where a connection broke, but not where it was answered
// with an error: by a proxy while the server starts, or by a server that has too many listeners.
const pause = 5_000; // ms

type Listener = (event: MessageEvent<string>) => void;

// Returns how to stop.
export function follow(address: string, listeners: Record<string, Listener>): () => void {
  let source: EventSource;
  let timer: number | undefined;
  const connect = () => {
    source = new EventSource(address);
    for (const [name, listener] of Object.entries(listeners)) source.addEventListener(name, listener as EventListener);
    source.addEventListener("error", () => {
      if (source.readyState === EventSource.CLOSED) timer = window.setTimeout(connect, pause);
    });
  };
  connect();
  return () => {
    window.clearTimeout(timer);
    source.close();
  };
}
