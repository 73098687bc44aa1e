import { rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { node_http } from "../../lib/node-http.ts";
import type { LateProxy } from "../../upstreams/driver.ts";

/** Carries the variables, as a JSON object, past the start of Node. */
const variable = "MOORAGE_PROXY";

/** The one variable that Node must have at its start: its HTTP client heeds the others later. */
const at_start = "NODE_USE_ENV_PROXY";

/**
 * Loaded in front of a server. A Node that finds the proxy variables at its start loads all of its
 * `fetch` to set that up, which takes it longer than everything else it does until then; most
 * servers never use it. So they are set when Node is about to run the server: `http` and `https`
 * read them when they are loaded, and what is behind `fetch` and `WebSocket` is told of the proxy
 * right before the first use. undici of npm looks for it in a place that both share, which is
 * watched. Where Node's own is what looks there, it is being loaded, for a class such as `Headers`,
 * and told at once afterwards; only the stack tells that.
 */
const module_text = `"use strict";
const Module = require("node:module");
const { runMain } = Module;
const places = [1, 2].map((version) => Symbol.for("undici.globalDispatcher." + version));

Module.runMain = function (...args) {
	Module.runMain = runMain;
	const said = process.env.${variable};
	delete process.env.${variable};
	if (said !== undefined) heed(JSON.parse(said));
	return runMain.apply(this, args);
};

function heed(variables) {
	Object.assign(process.env, variables);
	const { fetch } = globalThis;
	let is_set = false;
	const set = () => {
		if (is_set) return;
		is_set = true;
		if (globalThis.fetch === late.fetch) globalThis.fetch = fetch;
		require("node:http").setGlobalProxyFromEnv();
	};
	const late = {
		fetch(input, init = undefined) {
			set();
			return fetch(input, init);
		},
	};
	globalThis.fetch = late.fetch;
	// To be defined over would load it.
	delete globalThis.WebSocket;
	replace("WebSocket", () => {
		set();
		return require("node:http").WebSocket;
	});
	for (const place of places) {
		replace(place, () => {
			if (isAskedByNode()) {
				process.nextTick(set);
				return undefined;
			}
			set();
			return globalThis[place];
		});
	}
	// Nothing tells when this one is used.
	if ("EventSource" in globalThis) set();
}

function isAskedByNode() {
	const { stackTraceLimit, prepareStackTrace } = Error;
	Error.stackTraceLimit = 10;
	Error.prepareStackTrace = undefined;
	const { stack } = new Error();
	Error.stackTraceLimit = stackTraceLimit;
	Error.prepareStackTrace = prepareStackTrace;
	return stack.includes("node:internal/deps/undici/");
}

/** What is asked for under this name is found out then; whoever sets it has it. */
function replace(name, find) {
	const become = (value) =>
		Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
	const get = () => {
		const value = find();
		if (!places.includes(name)) become(value);
		return value;
	};
	Object.defineProperty(globalThis, name, { get, set: become, configurable: true });
}
`;

/** Where the sandbox has it. */
const inside_path = "/run/moorage/late-proxy.cjs";

/**
 * Writes the module into a folder. Undefined where this Node, and so any of the same file, cannot
 * be told of a proxy once it has started (before 24.14).
 */
export async function writeLateProxy(folder: string): Promise<LateProxy | undefined> {
	if (!("setGlobalProxyFromEnv" in node_http)) return undefined;
	const from = join(folder, "late-proxy.cjs");
	await writeFile(`${from}.new`, module_text, { mode: 0o444 });
	await rename(`${from}.new`, from);
	return { bind: { from, to: inside_path } };
}

/** How a Node is started that is told of its proxy late. */
export interface LateStart {
	/** In place of the variables. */
	readonly env: Readonly<Record<string, string>>;
	/** In front of the program's own arguments. */
	readonly args: readonly string[];
}

/** The same variables, for a program that is a Node of this version and loads `module_path`. */
export function startLate(
	variables: Readonly<Record<string, string>>,
	module_path: string,
): LateStart {
	const { [at_start]: heeds = "", ...later } = variables;
	return {
		env: { [at_start]: heeds, [variable]: JSON.stringify(later) },
		args: ["--require", module_path],
	};
}
