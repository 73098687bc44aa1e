/**
 * What control groups can do here. Machines differ in each part: a laptop has all of version 2,
 * an old server all of version 1, others freeze by version 2 and limit by version 1.
 */

/** What a group is wanted for. */
export type GroupUse = "freezer" | "memory" | "pids" | "cpu";

/** All uses, in the order in which people are told of them. */
export const group_uses: readonly GroupUse[] = ["freezer", "memory", "pids", "cpu"];

/** One hierarchy in which each instance gets a group. */
export interface GroupHierarchy {
	readonly version: 1 | 2;
	/** Holds the groups of one run of a gateway, and is named after it. */
	readonly run_folder: string;
	readonly uses: readonly GroupUse[];
}

/** The hierarchies that are used, and why others are not. */
export interface GroupTier {
	readonly hierarchies: readonly GroupHierarchy[];
	/** Why a use is not served, for each that is not. */
	readonly obstacles: Readonly<Partial<Record<GroupUse, string>>>;
}

/** The tier of a machine without usable control groups. */
export function noGroups(obstacle: string): GroupTier {
	return {
		hierarchies: [],
		obstacles: { freezer: obstacle, memory: obstacle, pids: obstacle, cpu: obstacle },
	};
}

/** The hierarchy that serves a use, if one does. */
export function hierarchyFor(tier: GroupTier, use: GroupUse): GroupHierarchy | undefined {
	return tier.hierarchies.find((hierarchy) => hierarchy.uses.includes(use));
}

/** What a use is called in sentences. */
export const use_words: Readonly<Record<GroupUse, string>> = {
	freezer: "freezing",
	memory: "memory",
	pids: "processes",
	cpu: "processor time",
};

/** One sentence on who freezes and limits here, for `doctor` and the log. */
export function describeTier(tier: GroupTier): string {
	const parts = [2, 1].flatMap((version) => {
		const uses = group_uses.filter((use) => hierarchyFor(tier, use)?.version === version);
		const words = uses.map((use) => use_words[use]).join(", ");
		return uses.length === 0 ? [] : [`control groups of version ${version} (${words})`];
	});
	const rest = group_uses.filter((use) => hierarchyFor(tier, use) === undefined);
	const stand_ins = rest.map((use) => {
		switch (use) {
			case "freezer":
				return "signals stop and continue processes";
			case "cpu":
				return "processor time cannot be limited";
			default:
				return `${use_words[use]} watched once in a while`;
		}
	});
	return [...parts, ...stand_ins].join("; ");
}
