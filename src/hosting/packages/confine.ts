import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../../lib/clock.ts";
import type { Random } from "../../lib/random.ts";
import type { Confinement, Spawner } from "../../upstreams/driver.ts";
import type { ResolvePlan } from "../surroundings.ts";

/** What a preparation is done with: runs of the server's code that are no instances. */
export interface Workshop {
	readonly data_dir: string;
	readonly spawner: Spawner;
	readonly clock: Clock;
	readonly random: Random;
}

/** A server whose start is prepared. */
export interface PreparedServer {
	readonly server: string;
	readonly plan: ResolvePlan;
	readonly needs: readonly string[];
	readonly signal: AbortSignal;
}

/**
 * Runs something as confined as the server itself will be, so that its code gets no more at its
 * deploy than later. `volume` is the one folder it may write, beside a temporary one.
 */
export async function confined<Value>(
	{ data_dir, random }: Workshop,
	{ server, plan, needs }: Omit<PreparedServer, "signal">,
	volume: string,
	work: (confinement: Confinement) => Promise<Value>,
): Promise<Value> {
	const name = `prepare-${random.bytes(6).toString("hex")}`;
	const temp = join(data_dir, "packages", `.tmp-${name}`);
	await mkdir(temp, { recursive: true, mode: 0o700 });
	await mkdir(volume, { recursive: true, mode: 0o700 });
	const { sandbox, untrusted, resources } = plan;
	try {
		const instance = `${server}/${name}/0`;
		return await work({ sandbox, untrusted, resources, volume, temp, instance, needs });
	} finally {
		await rm(temp, { recursive: true, force: true }).catch(() => {});
	}
}
