/** What has to be true before a call may go on: who has to agree, how many, and until when. */
export interface Demand {
	/** Roles (`role:approver`) or people (`acme/bob`) who may decide; empty: approvers and admins. */
	readonly approvers: readonly string[];
	/** Further lists, of which whoever decides has to be among each. */
	readonly also_among?: readonly (readonly string[])[];
	/** How many have to agree. */
	readonly count: number;
	/** Whether the caller may not be one of them. */
	readonly other_than_caller: boolean;
	/** Whether who decides may change the arguments. */
	readonly edit: boolean;
	readonly expires_ms: number;
}

/**
 * What holds where several ask about one call: of everything the stricter. Whoever decides has to
 * be among those whom each of them names; where one names nobody, among those of the others.
 */
export function joinDemands(one: Demand | undefined, other: Demand): Demand {
	if (one === undefined || one === other) return other;
	const lists = [one, other].flatMap(({ approvers, also_among = [] }) => [
		approvers,
		...also_among,
	]);
	const different = new Map<string, readonly string[]>();
	for (const names of lists) {
		const text = JSON.stringify([...names].sort());
		if (names.length > 0 && !different.has(text)) different.set(text, names);
	}
	const [approvers = [], ...also_among] = different.values();
	return {
		approvers,
		...(also_among.length === 0 ? {} : { also_among }),
		count: Math.max(one.count, other.count),
		other_than_caller: one.other_than_caller || other.other_than_caller,
		edit: one.edit && other.edit,
		expires_ms: Math.min(one.expires_ms, other.expires_ms),
	};
}

/** Whether what people have agreed to under `had` leaves something of `wanted` open. */
export function isStricter(wanted: Demand, had: Demand): boolean {
	const joined = joinDemands(had, wanted);
	return (
		(joined.also_among?.length ?? 0) > (had.also_among?.length ?? 0) ||
		joined.approvers.length > 0 !== had.approvers.length > 0 ||
		joined.count > had.count ||
		joined.other_than_caller !== had.other_than_caller ||
		joined.edit !== had.edit
	);
}
