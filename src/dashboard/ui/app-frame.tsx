import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { call } from "../lib/api.ts";
import { plain } from "../lib/format.ts";
import { useAction } from "../lib/query.ts";
import { isObject } from "../lib/tools.ts";
import { Button, Problem } from "./parts.tsx";

interface AppFrameProps {
	readonly server: string;
	readonly uri: string;
	readonly args: Readonly<Record<string, unknown>>;
	readonly result: Readonly<Record<string, unknown>>;
}

/** A request of the app that waits for the person. */
interface Wish {
	readonly id: unknown;
	readonly name: string;
	readonly args: Readonly<Record<string, unknown>>;
}

const height_px_max = 900;
const wishes_max = 5;
const revision = "2026-01-26";

/**
 * An MCP App (SEP-1865) in a frame that can reach nothing of this page: it is in an origin of its
 * own, and may only send messages. What it wants done, the person allows each time.
 */
export function AppFrame({ server, uri, args, result }: AppFrameProps): JSX.Element {
	const [path, setPath] = useState<string | undefined>(undefined);
	const [notes, setNotes] = useState<readonly string[]>([]);
	const [wishes, setWishes] = useState<readonly Wish[]>([]);
	const frame = useRef<HTMLIFrameElement>(null);
	const open = useAction(async () => {
		const made = await call("frameApp", { body: { server, uri } });
		setPath(made.path);
		setNotes(made.notes);
	});
	const grant = useAction(async (wish: Wish) => {
		setWishes((before) => before.filter((one) => one !== wish));
		const target = { name: server, tool: wish.name };
		const answer = await call("callTool", { path: target, body: wish.args });
		post(frame.current, { jsonrpc: "2.0", id: wish.id, result: answer });
	});
	useEffect(() => {
		const hear = (event: MessageEvent<unknown>) => {
			// Its origin is opaque, so the window is what tells it from others.
			if (event.source !== frame.current?.contentWindow || !isObject(event.data)) return;
			const wish = answer(frame.current, event.data, { args, result });
			if (wish !== undefined) setWishes((before) => [...before, wish].slice(-wishes_max));
		};
		window.addEventListener("message", hear);
		return () => window.removeEventListener("message", hear);
	}, [args, result]);
	const refuse = (wish: Wish) => {
		setWishes((before) => before.filter((one) => one !== wish));
		fail(frame.current, wish.id, "The person declined.");
	};
	return (
		<div class="stack tight">
			<h3>App</h3>
			{path === undefined ? (
				<div>
					<Button busy={open.busy} onClick={() => void open.run()}>
						Show the app of this tool
					</Button>
				</div>
			) : (
				<iframe
					ref={frame}
					class="app-frame"
					title="App of the server"
					sandbox="allow-scripts"
					referrerpolicy="no-referrer"
					src={path}
				/>
			)}
			{notes.map((note) => (
				<p class="note" key={note}>
					{plain(note, 300)}
				</p>
			))}
			<Problem problem={open.problem ?? grant.problem} />
			<Wishes wishes={wishes} onGrant={(wish) => void grant.run(wish)} onRefuse={refuse} />
		</div>
	);
}

interface WishesProps {
	readonly wishes: readonly Wish[];
	onGrant(wish: Wish): void;
	onRefuse(wish: Wish): void;
}

function Wishes({ wishes, onGrant, onRefuse }: WishesProps): JSX.Element {
	return (
		<>
			{wishes.map((wish) => (
				<div class="note stack tight" key={String(wish.id)}>
					<p>
						The app wants to call <code>{plain(wish.name, 100)}</code> with{" "}
						<code>{plain(JSON.stringify(wish.args), 500)}</code>
					</p>
					<div class="row">
						<Button kind="main" onClick={() => onGrant(wish)}>
							Allow it once
						</Button>
						<Button onClick={() => onRefuse(wish)}>Decline</Button>
					</div>
				</div>
			))}
		</>
	);
}

/** Answers a message of the app; a wish is for the person to answer. */
function answer(
	frame: HTMLIFrameElement,
	message: Readonly<Record<string, unknown>>,
	shown: { args: AppFrameProps["args"]; result: AppFrameProps["result"] },
): Wish | undefined {
	const { id, method } = message;
	const params = isObject(message["params"]) ? message["params"] : {};
	const reply = (value: object) => post(frame, { jsonrpc: "2.0", id, result: value });
	switch (method) {
		case "ui/initialize":
			reply({
				protocolVersion: revision,
				hostInfo: { name: "moorage", title: "Moorage playground", version: "1" },
				hostCapabilities: { serverTools: {}, logging: {} },
				hostContext: { theme: themeNow(), displayMode: "inline", platform: "web" },
			});
			return undefined;
		case "ui/notifications/initialized":
			post(frame, notification("ui/notifications/tool-input", { arguments: shown.args }));
			post(frame, notification("ui/notifications/tool-result", shown.result));
			return undefined;
		case "ui/notifications/size-changed":
			resize(frame, params["height"]);
			return undefined;
		case "ping":
			reply({});
			return undefined;
		case "tools/call": {
			const { name, arguments: args } = params;
			if (typeof name !== "string") return undefined;
			return { id, name, args: isObject(args) ? args : {} };
		}
		default:
			if (id !== undefined) fail(frame, id, "The playground does not do that.");
			return undefined;
	}
}

function resize(frame: HTMLIFrameElement, height: unknown): void {
	if (typeof height !== "number" || !Number.isFinite(height)) return;
	frame.style.height = `${Math.min(height_px_max, Math.max(80, Math.round(height)))}px`;
}

function fail(frame: HTMLIFrameElement | null, id: unknown, message: string): void {
	post(frame, { jsonrpc: "2.0", id, error: { code: -32_601, message } });
}

function notification(method: string, params: object): object {
	return { jsonrpc: "2.0", method, params };
}

function post(frame: HTMLIFrameElement | null, message: object): void {
	// What goes to an app is plain JSON: its numbers are those of the browser.
	const told: unknown = JSON.parse(JSON.stringify(message));
	// An opaque origin has no name to send to; the frame's own policy keeps it where it is.
	frame?.contentWindow?.postMessage(told, "*");
}

function themeNow(): string {
	const chosen = document.documentElement.dataset["theme"];
	if (chosen !== undefined) return chosen;
	return window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}
