/**
 * Keeps what it is told: `keep` puts a `canary` into its memory, its environment, its volume and
 * its temporary folder; `look` tells every canary it can find, with `beyond` in whatever else of
 * the file system it can read around those folders. `instance` is a text that no other process
 * says, `die` ends the process at once.
 */
import { randomUUID } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { serve, text, toolServer } from "./wire/serve.mjs";

const instance = randomUUID();
const volume = process.env["MOORAGE_VOLUME"];
const memory = [];
const canary_pattern = /canary-of-\w+/g;

function keep({ arguments: { canary } }) {
	memory.push(canary);
	process.env[`KEPT_${memory.length}`] = canary;
	for (const folder of [volume, tmpdir()]) writeFileSync(join(folder, canary), canary);
	return text(instance);
}

function look({ arguments: { beyond } }) {
	const found = [...memory, ...Object.values(process.env)];
	const folders = [volume, tmpdir()];
	if (beyond) folders.push(dirname(dirname(dirname(volume))), dirname(dirname(tmpdir())), "/tmp");
	for (const folder of folders) found.push(...contents(folder));
	const canaries = new Set(found.join(" ").match(canary_pattern));
	return text(JSON.stringify([...canaries].sort()));
}

/** Names and texts of all files below a folder, as far as they can be read. */
function contents(folder) {
	let entries;
	try {
		entries = readdirSync(folder, { withFileTypes: true });
	} catch {
		return [];
	}
	return entries.flatMap((entry) => {
		const path = join(folder, entry.name);
		if (entry.isDirectory()) return [entry.name, ...contents(path)];
		if (!entry.name.startsWith("canary-of-")) return [];
		try {
			return [entry.name, readFileSync(path, "utf8")];
		} catch {
			return [entry.name];
		}
	});
}

serve(
	toolServer("keeping", [
		{ name: "keep", call: keep },
		{ name: "look", call: look },
		{ name: "instance", call: () => text(instance) },
		{ name: "die", call: () => process.kill(process.pid, "SIGKILL") && new Promise(() => {}) },
	]),
);
