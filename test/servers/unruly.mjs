/**
 * Does what no server should, each from one call on: announces changes of its tools far too often,
 * begins a line that never ends, ends with its words on the wrong stream. With `--renewing` every
 * list of its tools is another one, and announced; `lists` says how often it was asked for them.
 */
import { once } from "node:events";
import { setTimeout as wait } from "node:timers/promises";
import { describe, text, toolServer } from "./wire/serve.mjs";
import { serveStdio } from "./wire/stdio.mjs";

const renewing = process.argv.includes("--renewing");
let lists = 0;

const announce = (call) => call.peer.push("notifications/tools/list_changed", "{}");

const tools = [
	{ name: "echo", call: ({ arguments: { text: said } }) => text(String(said)) },
	{ name: "lists", call: () => text(String(lists)) },
	{
		name: "announce",
		call: (call) => {
			for (let at = 0; at < call.arguments.times; at += 1) announce(call);
			return text("announced");
		},
	},
	{
		name: "endless_line",
		call: async ({ arguments: { bytes } }) => {
			if (!process.stdout.write("x".repeat(bytes))) await once(process.stdout, "drain");
			return undefined;
		},
	},
	{
		name: "wail",
		call: async () => {
			process.stderr.write("one.py:1\n");
			process.stdout.write("Traceback: it hurts\n");
			await wait(100);
			process.exit(4);
		},
	},
];
const base = toolServer("unruly", tools);

serveStdio(
	{
		...base,
		handle(call) {
			if (call.message.method !== "tools/list") return base.handle(call);
			lists += 1;
			if (renewing) setImmediate(announce, call);
			const names = [...tools.map(({ name }) => name), ...(renewing ? [`new_${lists}`] : [])];
			return `{"tools":[${names.map((name) => describe({ name })).join(",")}]}`;
		},
	},
	{ era: "legacy" },
);
