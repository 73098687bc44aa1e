/**
 * Does not want to end: ignores closed standard input and every polite signal, and starts two
 * more processes that do the same, one of which hides: it leads a session of its own, and the
 * process that started it is gone. Writes "stubborn: all up" to standard error once all three
 * run.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { text, toolServer } from "./wire/serve.mjs";
import { serveStdio } from "./wire/stdio.mjs";

const file = fileURLToPath(import.meta.url);
const role = process.argv[2];

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) process.on(signal, () => {});

if (role === "--descendant") {
	process.stdout.write("up\n");
	setInterval(() => {}, 2 ** 30);
} else if (role === "--parting") {
	start("--descendant", ["ignore", "inherit", "inherit"]).unref();
} else {
	const plain = start("--descendant", ["ignore", "pipe", "inherit"], false);
	const hidden = start("--parting", ["ignore", "pipe", "inherit"]);
	const echo = { name: "echo", call: ({ message }) => text(message.params.arguments?.text) };
	serveStdio(toolServer("stubborn", [echo], { outlives_stdin: true }), { era: "legacy" });
	await Promise.all([plain, hidden].map(firstLine));
	process.stderr.write("stubborn: all up\n");
	setInterval(() => {}, 2 ** 30);
}

function start(next_role, stdio, detached = true) {
	// Detached means a new session, as setsid(2) makes it.
	return spawn(process.execPath, [file, next_role], { stdio, detached });
}

function firstLine(child) {
	return new Promise((resolve) => {
		createInterface({ input: child.stdout }).once("line", resolve);
	});
}
