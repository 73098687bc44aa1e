import { later } from "./clock.ts";

/** What a page hears of news. */
type Listener = (data: never) => void;

const listeners = new Map<string, Set<Listener>>();
const watchers = new Set<(connected: boolean) => void>();
let source: EventSource | undefined;
let connected = false;
let retry_ms = 1_000;
let cancelRetry: () => void = () => undefined;

const retry_ms_max = 15_000;

/** Calls `fn` with the data of every event of a kind, until the returned function is called. */
export function onNews(kind: string, fn: (data: never) => void): () => void {
	let set = listeners.get(kind);
	if (set === undefined) {
		set = new Set();
		listeners.set(kind, set);
		attach(kind);
	}
	set.add(fn);
	return () => void set.delete(fn);
}

/** Whether news come in, now and whenever that changes. */
export function onConnection(fn: (connected: boolean) => void): () => void {
	watchers.add(fn);
	fn(connected);
	return () => void watchers.delete(fn);
}

/** Opens the stream of news; it is opened anew whenever it breaks. */
export function connectNews(): void {
	disconnectNews();
	const stream = new EventSource("/api/events");
	source = stream;
	stream.addEventListener("open", () => {
		retry_ms = 1_000;
		setConnected(true);
	});
	stream.addEventListener("error", () => {
		setConnected(false);
		// The browser gives up for good where it is refused: then we try again ourselves.
		if (stream.readyState !== EventSource.CLOSED) return;
		cancelRetry = later(retry_ms, connectNews);
		retry_ms = Math.min(retry_ms * 2, retry_ms_max);
	});
	for (const kind of listeners.keys()) attach(kind);
}

/** Closes the stream of news. */
export function disconnectNews(): void {
	cancelRetry();
	source?.close();
	source = undefined;
}

function attach(kind: string): void {
	source?.addEventListener(kind, (event) => {
		const data = JSON.parse((event as MessageEvent<string>).data) as never;
		for (const listener of listeners.get(kind) ?? []) listener(data);
	});
}

function setConnected(value: boolean): void {
	if (connected === value) return;
	connected = value;
	for (const watcher of watchers) watcher(value);
}
