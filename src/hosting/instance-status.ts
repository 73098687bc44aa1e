import type { InstanceUsage } from "../upstreams/driver.ts";
import type { Instance } from "./instance.ts";
import type { InstanceStatus } from "./status.ts";

/** What is known of how an instance runs, beside its state. */
export function describeRun(
	instance: Instance | undefined,
): Pick<InstanceStatus, "sandbox" | "notes" | "volume" | "reclaimed_bytes"> {
	const isolation = instance?.upstream?.isolation;
	return {
		sandbox: isolation?.sandbox,
		notes: isolation?.notes() ?? [],
		volume: instance?.volume,
		reclaimed_bytes: instance?.sleep?.reclaimed_bytes,
	};
}

/** An instance that takes no new calls any more. */
export function describeRetired(instance: Instance): InstanceStatus {
	return {
		id: instance.id,
		scope_key: instance.key.scope_key,
		state: "draining",
		revision: instance.upstream?.hello.revision,
		ready_at_ms: instance.ready_wall_ms,
		leases: instance.leases?.count ?? 0,
		waiting: 0,
		...describeRun(instance),
	};
}

/** What instances use now, by their numbers; those are left out of which nothing is known. */
export async function usageOf(
	instances: readonly Instance[],
): Promise<ReadonlyMap<number, InstanceUsage>> {
	const found = new Map<number, InstanceUsage>();
	await Promise.all(
		instances.map(async ({ id, upstream }) => {
			const usage = await upstream?.hibernation?.usage().catch(() => undefined);
			if (usage !== undefined) found.set(id, usage);
		}),
	);
	return found;
}
