/**
 * Runs a program that gives its owner's rights to whoever runs it, as a gateway would: without a
 * sandbox, and in one. Writes a line of JSON with what each said: `{ bare, sandboxed }`.
 *
 * Usage: node setuid-host.ts <program> <bubblewrap or landlock>
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { confinement, makeSpawner } from "./hosted-child.ts";
import { runHosted, sandboxed } from "./sandboxed.ts";

const [program = "", kind] = process.argv.slice(2);
await using spawner = await makeSpawner({
	containment: "watcher",
	sandbox: kind === "landlock" ? "landlock" : undefined,
});
const folder = mkdtempSync(join(tmpdir(), "own-"));
const ask = { command: program, args: ["-u"] };
const bare = await runHosted(spawner, { ...ask, confinement: confinement(folder) });
const inside = await runHosted(spawner, {
	...ask,
	confinement: sandboxed(folder, { read: [dirname(program)] }),
});
const told = { bare: bare.stdout.trim(), sandboxed: inside.stdout.trim() };
process.stdout.write(`${JSON.stringify(told)}\n`);
