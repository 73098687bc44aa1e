import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { SandboxPlan } from "../../src/config/plan.ts";
import { probeSandbox } from "../../src/hosting/sandbox/probe.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { processEnvironment } from "../../src/lib/environment.ts";
import type { Confinement, Spawner, SpawnRequest } from "../../src/upstreams/driver.ts";
import { confinement } from "./hosted-child.ts";

/** The program that tries to get out. */
export const escape_program = fileURLToPath(
	new URL("../servers/escape/probe.mjs", import.meta.url),
);

/** Why nothing can be sandboxed here, by Landlock where that is asked for; false where it can. */
export async function sandboxObstacle(kind?: "landlock"): Promise<string | false> {
	const folder = await mkdtemp(join(tmpdir(), "moorage-trial-"));
	const environment = processEnvironment();
	const probe = await probeSandbox({ clock: systemClock, environment, folder, kind });
	await rm(folder, { recursive: true });
	const works = kind === undefined ? probe.bubblewrap : probe.landlock;
	return works === undefined && (probe.obstacle ?? probe.detail);
}

/** Confines to a sandbox that must be there and has no network, with folders below `folder`. */
export function sandboxed(
	folder: string,
	sandbox: Partial<SandboxPlan> = {},
	more: Partial<Confinement> = {},
): Confinement {
	const base = confinement(folder);
	const closed = {
		...base.sandbox,
		mode: "required",
		egress: { kind: "hosts", hosts: [] },
	} as const;
	return { ...base, sandbox: { ...closed, ...sandbox }, ...more };
}

/** How a program ended, and all it said. */
export interface Ended {
	readonly code: number | null;
	readonly signal: string | null;
	readonly stdout: string;
	readonly stderr: string;
	readonly notes: readonly string[];
}

/** Runs a program to its end, by default this Node in a folder that all users share. */
export async function runHosted(spawner: Spawner, request: Partial<SpawnRequest>): Promise<Ended> {
	const started = await spawner.spawn({
		server: "it",
		command: process.execPath,
		args: [],
		env: {},
		cwd: tmpdir(),
		...request,
	});
	assert(started.ok, started.ok ? "" : started.problem.message);
	const child = started.value;
	child.stdin.end();
	const [stdout, stderr, end] = await Promise.all([
		text(child.stdout),
		text(child.stderr),
		child.exited,
	]);
	return { ...end, stdout, stderr, notes: child.notes?.() ?? [] };
}

/** One thing to try, as the escape program takes it. */
export interface Attempt {
	readonly name: string;
	readonly kind: string;
	readonly [detail: string]: unknown;
}

/** Lets the escape program try; resolves with what came of each attempt. */
export async function tryEscapes(
	spawner: Spawner,
	confined: Confinement,
	attempts: readonly Attempt[],
): Promise<Record<string, string>> {
	const ended = await runHosted(spawner, {
		args: [escape_program],
		env: { ATTEMPTS: JSON.stringify(attempts) },
		confinement: confined,
	});
	assert.equal(ended.code, 0, ended.stderr);
	return JSON.parse(ended.stdout) as Record<string, string>;
}
