import { createHash } from "node:crypto";

/** Instances of one key beside its replicas, for callers that must not share one. */
export const overflow_max = 8;

/** One of several instances with one key, as the choice sees it. */
export interface PlaceView {
	/** True while it cannot be used and will not be soon. */
	readonly dead: boolean;
	/** True while it runs. */
	readonly runs: boolean;
	/** Calls in flight and waiting. */
	readonly load: number;
}

/** Who looks for a place. */
export interface Seeker {
	/** Who it is, for what sticks; undefined when nothing has to. */
	readonly caller: string | undefined;
	readonly replicas: number;
	/** Whether it must not share this place, as long as there is another one. */
	shuns(place: number): boolean;
	/** How many more instances there may be. */
	readonly room: number;
}

/**
 * Which of several instances with one key serves a caller. Callers stick to one replica; when
 * that is dead, each goes on to its next one, so that they spread over those that live. Places
 * above the replicas are for callers who must not share.
 */
export function choosePlace(
	seeker: Seeker,
	view: (place: number) => PlaceView | undefined,
): number {
	const chosen = chooseReplica(seeker, view);
	if (!seeker.shuns(chosen)) return chosen;
	let room = seeker.room;
	for (let place = seeker.replicas; place < seeker.replicas + overflow_max; place++) {
		const known = view(place);
		if (known === undefined && room-- <= 0) break;
		if (known?.dead !== true && !seeker.shuns(place)) return place;
	}
	return chosen;
}

function chooseReplica(
	{ caller, replicas }: Seeker,
	view: (place: number) => PlaceView | undefined,
): number {
	if (replicas === 1) return 0;
	const order = caller === undefined ? byLoad(replicas, view) : rankedPlaces(caller, replicas);
	return order.find((place) => view(place)?.dead !== true) ?? (order[0] as number);
}

/** The least busy first; among equally busy ones those that run already. */
function byLoad(replicas: number, view: (place: number) => PlaceView | undefined): number[] {
	const weight = (place: number) => {
		const known = view(place);
		return 2 * (known?.load ?? 0) + (known?.runs === true ? 0 : 1);
	};
	return allPlaces(replicas).sort((a, b) => weight(a) - weight(b));
}

/**
 * The replicas in the order in which a caller prefers them (rendezvous hashing): with one more
 * or one fewer of them, only the callers of that one move.
 */
export function rankedPlaces(caller: string, replicas: number): number[] {
	const weights = allPlaces(replicas).map((place) =>
		createHash("sha256").update(`${place}\0${caller}`).digest().readUIntBE(0, 6),
	);
	const weightOf = (place: number) => weights[place] as number;
	return allPlaces(replicas).sort((a, b) => weightOf(b) - weightOf(a));
}

/** The replica that a caller uses as long as it lives. */
export function homePlace(caller: string, replicas: number): number {
	return replicas === 1 ? 0 : (rankedPlaces(caller, replicas)[0] as number);
}

function allPlaces(replicas: number): number[] {
	return Array.from({ length: replicas }, (_, place) => place);
}
