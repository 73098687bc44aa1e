import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { default_resources } from "../../src/config/defaults.ts";
import type { ResourcePlan } from "../../src/config/plan.ts";
import { probeGroups, releaseTier } from "../../src/hosting/process/groups/probe.ts";
import type { GroupUse } from "../../src/hosting/process/groups/tier.ts";
import { hierarchyFor } from "../../src/hosting/process/groups/tier.ts";
import type { ProcessSpawner, SpawnerOptions } from "../../src/hosting/process/spawner.ts";
import { createSpawner } from "../../src/hosting/process/spawner.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { processEnvironment } from "../../src/lib/environment.ts";
import { systemRandom } from "../../src/lib/random.ts";
import type { Result } from "../../src/lib/result.ts";
import type { Fault } from "../../src/protocol/fault.ts";
import type { ChildHandle, Confinement, SpawnRequest } from "../../src/upstreams/driver.ts";

/** A spawner with a data folder of its own; both go with it. */
export async function makeSpawner(
	more: Partial<SpawnerOptions> = {},
): Promise<ProcessSpawner & AsyncDisposable & { readonly data_dir: string }> {
	const data_dir = await mkdtemp(join(tmpdir(), "moorage-hosted-"));
	const spawner = await createSpawner({
		data_dir,
		owner_id: "test",
		clock: systemClock,
		random: systemRandom,
		environment: processEnvironment(),
		...more,
	});
	return Object.assign(spawner, {
		data_dir,
		[Symbol.asyncDispose]: async () => {
			await spawner.close();
			await rm(data_dir, { recursive: true, force: true });
		},
	});
}

/** What confines a hosted program in a test: limits, folders below `folder`, and no sandbox. */
export function confinement(folder: string, resources: Partial<ResourcePlan> = {}): Confinement {
	const volume = join(folder, "volume");
	const temp = join(folder, "temp");
	for (const path of [volume, temp]) {
		mkdirSync(path, { recursive: true });
	}
	return {
		sandbox: {
			mode: "off",
			egress: { kind: "open" },
			read: [],
			write: [],
			bind_arguments: false,
		},
		untrusted: false,
		resources: { ...default_resources, ...resources },
		volume,
		temp,
		instance: "it#1",
		needs: [],
	};
}

/** Asks for a program, by default this Node in the temporary folder. */
export function trySpawn(
	spawner: ProcessSpawner,
	request: Partial<SpawnRequest>,
): Promise<Result<ChildHandle, Fault>> {
	return spawner.spawn({
		server: "it",
		command: process.execPath,
		args: [],
		env: {},
		cwd: tmpdir(),
		...request,
	});
}

/** Starts a program that must start. */
export async function startHosted(
	spawner: ProcessSpawner,
	request: Partial<SpawnRequest>,
): Promise<ChildHandle> {
	const result = await trySpawn(spawner, request);
	assert(result.ok, result.ok ? "" : result.problem.message);
	return result.value;
}

/** Resolves when the program has written this line to its standard error. */
export async function lineOf(child: ChildHandle, line: string): Promise<void> {
	let seen = "";
	await new Promise<void>((resolve) => {
		child.stderr.on("data", (chunk: Buffer) => {
			seen += chunk.toString();
			if (seen.split("\n").includes(line)) {
				resolve();
			}
		});
	});
}

/** Sends a line to a program that echoes its input, and waits until it comes back. */
export async function echo(child: ChildHandle, line: string): Promise<void> {
	const heard = new Promise<void>((resolve) => {
		let seen = "";
		child.stdout.on("data", function listen(chunk: Buffer) {
			seen += chunk.toString();
			if (seen.includes(`${line}\n`)) {
				child.stdout.off("data", listen);
				resolve();
			}
		});
	});
	child.stdin.write(`${line}\n`);
	await heard;
}

/** Why groups of these versions do not serve a use here; false where they do. */
export function useObstacle(versions: readonly (1 | 2)[], use: GroupUse): string | false {
	const name = `moorage-trial-${process.pid}`;
	const tier = probeGroups({ name, may_move: false, versions });
	releaseTier(tier);
	return hierarchyFor(tier, use) === undefined
		? (tier.obstacles[use] ?? `groups do not serve ${use} here`)
		: false;
}
