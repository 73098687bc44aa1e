/**
 * Dies: at once with `--at_start`, right behind the handshake with `--after_handshake`, or
 * when told to: `crash` exits in the middle of the call, `abort` is killed by a signal,
 * `last_words` writes its reply and exits before anyone can read it, `cut_short` half of one.
 * `--code N` is the exit code.
 */
import { writeSync } from "node:fs";
import { serve, text, toolServer } from "./wire/serve.mjs";

const at = process.argv.indexOf("--code");
const code = at === -1 ? 3 : Number(process.argv[at + 1]);

if (process.argv.includes("--at_start")) {
	process.stderr.write("cannot start: the flux capacitor is missing\n");
	process.exit(code);
}

const tools = [
	{ name: "echo", call: ({ arguments: { text: said } }) => text(String(said)) },
	{
		name: "crash",
		call: () => {
			writeSync(2, "fatal: told to crash\n");
			process.exit(code);
		},
	},
	{ name: "abort", call: () => process.kill(process.pid, "SIGKILL") && new Promise(() => {}) },
	{
		name: "last_words",
		call: (call) => {
			writeSync(1, `{"jsonrpc":"2.0","id":${call.id},"result":${text("goodbye")}}\n`);
			process.exit(code);
		},
	},
	{
		name: "cut_short",
		call: (call) => {
			writeSync(1, `{"jsonrpc":"2.0","id":${call.id},"result":{"content":[{"type":"te`);
			process.exit(code);
		},
	},
];

serve(
	toolServer("crashing", tools, {
		notified(message) {
			if (message.method !== "notifications/initialized") return;
			if (process.argv.includes("--after_handshake")) process.exit(code);
		},
	}),
);
