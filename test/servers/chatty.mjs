/**
 * Writes what it should not: text between messages, messages in pieces, floods of stderr,
 * lines of any length, replies nobody asked for, replies that are not replies.
 */
import { once } from "node:events";
import { setImmediate as turn } from "node:timers/promises";
import { serve, text, toolServer } from "./wire/serve.mjs";

const http = / --(http|sse)\b/.test(process.argv.join(" "));
const piece = "x".repeat(1 << 20);

if (!http) process.stdout.write("Chatty server v1.0 starting...\nlistening on stdio\n");
process.stderr.write("chatty is up\n");

/** Writes to stdout past the fixture's own queue and waits until it has been taken. */
async function write(data) {
	if (!process.stdout.write(data)) await once(process.stdout, "drain");
}

async function writeLong(head, bytes, tail) {
	await write(head);
	for (let left = bytes; left > 0; left -= piece.length) {
		await write(left >= piece.length ? piece : piece.slice(0, left));
	}
	await write(tail);
}

const tools = [
	{ name: "echo", call: ({ arguments: { text: said } }) => text(String(said)) },
	{
		name: "noise",
		call: (call) => {
			for (let at = 0; at < call.arguments.lines; at += 1) call.raw(`not json ${at}`);
			call.raw('{"broken": ');
			call.raw("[1,2,3]");
			call.raw('"just a string"');
			return text("done");
		},
	},
	{
		name: "halves",
		call: async (call) => {
			const line = `{"jsonrpc":"2.0","id":${call.id},"result":${text("in halves")}}\n`;
			for (const character of line) {
				await write(character);
				await turn();
			}
			return undefined;
		},
	},
	{
		name: "flood",
		call: async ({ arguments: { bytes } }) => {
			for (let left = bytes; left > 0; left -= piece.length) {
				if (!process.stderr.write(`${piece}\n`)) await once(process.stderr, "drain");
			}
			return text("flooded");
		},
	},
	{
		// `id` says where in the reply the id stands: "first", "last", or "none" for noise.
		name: "line",
		call: async (call) => {
			const { bytes, id } = call.arguments;
			const first = id === "first" ? `,"id":${call.id}` : "";
			const last = id === "last" ? `,"jsonrpc":"2.0","id":${call.id}}` : ',"jsonrpc":"2.0"}';
			if (id === "none") await writeLong("", bytes, "\n");
			else if (id === "first") {
				await writeLong(`{"jsonrpc":"2.0"${first},"result":{"text":"`, bytes, '"}}\n');
			} else await writeLong('{"result":{"text":"', bytes, `"}${last}\n`);
			return id === "none" ? text("after the line") : undefined;
		},
	},
	{
		name: "unknown_id",
		call: (call) => {
			call.raw('{"jsonrpc":"2.0","id":987654321,"result":{}}');
			call.raw('{"jsonrpc":"2.0","id":"nobody","result":{}}');
			return text("still here");
		},
	},
	{
		name: "twice",
		call: (call) => {
			call.raw(`{"jsonrpc":"2.0","id":${call.id},"result":${text("first")}}`);
			return text("second");
		},
	},
	{
		name: "not_object",
		call: (call) => {
			call.raw(`{"jsonrpc":"2.0","id":${call.id},"result":"a string"}`);
			return new Promise(() => {});
		},
	},
	{
		name: "stray_progress",
		call: (call) => {
			call.notify("notifications/progress", '{"progressToken":4711,"progress":1}');
			return text("done");
		},
	},
	{
		name: "invalid_utf8",
		call: async (call) => {
			await write(Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d, 0x0a]));
			return text(`after ${call.id}`);
		},
	},
];

serve(toolServer("chatty", tools));
