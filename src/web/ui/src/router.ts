// Which page the address names. Pages keep their state in the query, so that every view can be linked to.
export interface Page {
  element: HTMLElement;
  // The address has changed but the page is the same.
  update?(params: URLSearchParams): void;
  // A key was pressed outside of a field; true: it meant something here.
  key?(event: KeyboardEvent): boolean;
  destroy?(): void;
}
export type MakePage = (params: URLSearchParams) => Page;

const routes = new Map<string, { title: string; make: MakePage }>();
let current: { path: string; page: Page } | null = null;
let outlet: HTMLElement;
let onShow: (path: string) => void = () => undefined;

export function addRoute(path: string, title: string, make: MakePage): void {
  routes.set(path, { title, make });
}

export function href(path: string, params: Record<string, string | undefined> = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) if (value) query.set(name, value);
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

export function go(target: string): void {
  history.pushState(null, "", target);
  show();
}

// Changes the query without a new entry in the history.
export function setParams(changes: Record<string, string | undefined>): void {
  const url = new URL(location.href);
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  history.replaceState(null, "", url);
}

export function currentPage(): Page | null {
  return current?.page ?? null;
}

function show(): void {
  const route = routes.get(location.pathname) ?? routes.get("/")!;
  const path = routes.has(location.pathname) ? location.pathname : "/";
  const params = new URLSearchParams(location.search);
  if (current?.path === path && current.page.update) {
    current.page.update(params);
  } else {
    const moved = current !== null;
    current?.page.destroy?.();
    const page = route.make(params);
    current = { path, page };
    outlet.replaceChildren(page.element);
    window.scrollTo(0, 0);
    if (moved) outlet.focus({ preventScroll: true }); // a screen reader goes on with the new page
  }
  document.title = `${route.title} · chandler`;
  onShow(path);
}

export function startRouter(into: HTMLElement, shown: (path: string) => void): void {
  outlet = into;
  onShow = shown;
  window.addEventListener("popstate", show);
  // Links inside the dashboard change the page without loading it again.
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = (event.target as Element).closest("a");
    if (!link || link.target || link.hasAttribute("download")) return;
    const url = new URL(link.href);
    if (url.origin !== location.origin || !routes.has(url.pathname)) return;
    event.preventDefault();
    go(url.pathname + url.search);
  });
  show();
}
