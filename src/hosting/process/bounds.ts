import type { Result } from "../../lib/result.ts";
import { fail, succeed } from "../../lib/result.ts";
import type { SpawnRequest } from "../../upstreams/driver.ts";
import { copiesFolder } from "../sandbox/package-copy.ts";
import type { ChildLimits } from "./child.ts";
import { limitNotes } from "./end-reason.ts";
import { setStartLimits } from "./groups/group-limits.ts";
import type { InstanceGroups } from "./groups/instance-groups.ts";
import type { GroupTier } from "./groups/tier.ts";
import { use_words } from "./groups/tier.ts";
import type { LaunchPlan } from "./launcher.ts";
import { planLimits } from "./limits.ts";
import type { Watchdog } from "./watchdog.ts";

/** What holds one instance within its limits, made before it starts. */
export interface Bounds extends LaunchPlan {
	readonly groups: InstanceGroups | undefined;
	readonly limits: ChildLimits | undefined;
}

/** What bounds are made with. */
export interface BoundsOptions {
	readonly tier: GroupTier;
	/** Makes the instance's groups, or has made them. */
	readonly groups: () => InstanceGroups | undefined;
	readonly watchdog: Watchdog;
	readonly platform: NodeJS.Platform;
}

/** Our own tools run as the gateway does. */
const unbounded: Bounds = {
	groups: undefined,
	limits: undefined,
	process_limits: undefined,
	entrances: [],
};

/**
 * Makes an instance's control groups and sets the limits that hold from its start. The problem
 * is a sentence: a limit cannot be enforced here, and the configuration says that it must be.
 */
export function setBounds(request: SpawnRequest, options: BoundsOptions): Result<Bounds, string> {
	const { confinement } = request;
	if (confinement === undefined) {
		return succeed(unbounded);
	}
	const { tier, watchdog, platform } = options;
	const { resources } = confinement;
	const plan = planLimits(resources, tier, platform);
	if (resources.required && plan.unenforced.length > 0) {
		return fail(refusal(plan.unenforced));
	}
	const groups = options.groups();
	const failures = groups === undefined ? [] : setStartLimits(groups, plan.group);
	if (resources.required && failures.length > 0) {
		void groups?.remove();
		return fail(refusal(failures.map(({ use, code }) => `${use_words[use]} (${code})`)));
	}
	return succeed({
		groups,
		limits: {
			plan,
			watchdog,
			folders: [confinement.volume, confinement.temp, copiesFolder(confinement)],
			notes: [...plan.notes, ...limitNotes(failures)],
		},
		process_limits: plan.process,
		entrances: groups?.entrances ?? [],
	});
}

function refusal(unenforced: readonly string[]): string {
	return (
		`This machine cannot enforce the limit on ${unenforced.join(" and ")}, and the server's ` +
		'configuration says "required". `moorage doctor` shows what is missing.'
	);
}
