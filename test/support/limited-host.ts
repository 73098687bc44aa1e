/**
 * Stands in for a gateway of an ordinary user: starts one confined program, freezes and wakes it,
 * and tells in a line of JSON what held: `{ limits, notes, frozen, answer }`.
 *
 * Usage: node limited-host.ts
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { confinement, echo, makeSpawner, startHosted } from "./hosted-child.ts";

await using spawner = await makeSpawner();
const folder = mkdtempSync(join(tmpdir(), "moorage-user-"));
const child = await startHosted(spawner, {
	command: "cat",
	confinement: confinement(folder, { cpus_max: 1 }),
});
await echo(child, "up");
const frozen = await child.hibernation?.freeze();
await child.hibernation?.thaw();
await echo(child, "awake");
process.stdout.write(
	`${JSON.stringify({ limits: spawner.limits_detail, notes: child.notes?.(), frozen })}\n`,
);
