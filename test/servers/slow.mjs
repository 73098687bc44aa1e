/**
 * Answers late: `wait` after `ms`, `hold` when `release` is called with the same key or the
 * call is cancelled, `cancelled` with the keys whose calls were cancelled. With `--start_ms N`
 * the handshake is late too.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { serve, text, toolServer } from "./wire/serve.mjs";

const held = new Map();
const cancelled = [];
let seen = () => {};

const tools = [
	{
		name: "wait",
		call: async ({ arguments: { ms } }) => {
			await sleep(ms);
			return text(`waited ${ms} ms`);
		},
	},
	{
		name: "hold",
		call: (call) => {
			const { key } = call.arguments;
			const released = new Promise((resolve) => held.set(key, resolve));
			call.progress(0, 1, "held");
			return Promise.race([released, call.cancelled]).then((outcome) => {
				if (outcome !== "cancelled") return text(`released ${key}`);
				cancelled.push(key);
				seen();
				return undefined;
			});
		},
	},
	{
		name: "release",
		call: ({ arguments: { key } }) => {
			held.get(key)?.("released");
			return text(String(held.delete(key)));
		},
	},
	{
		name: "cancelled",
		// Answers once at least `count` calls have been cancelled, so that nobody has to poll.
		call: async ({ arguments: { count } }) => {
			while (cancelled.length < (count ?? 0)) {
				await new Promise((resolve) => {
					seen = resolve;
				});
			}
			return text(cancelled.join(","));
		},
	},
];

const start = process.argv.indexOf("--start_ms");
if (start !== -1) await sleep(Number(process.argv[start + 1]));
serve(toolServer("slow", tools));
