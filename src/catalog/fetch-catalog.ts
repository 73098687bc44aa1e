import type { ServerPlan } from "../config/plan.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { type Fault, makeFault } from "../protocol/fault.ts";
import type { ListMethod } from "../protocol/methods.ts";
import type { Upstream } from "../upstreams/driver.ts";
import { type FetchBudget, fetchList, type ListProblem } from "./fetch-list.ts";
import {
	type CatalogItem,
	type ItemKind,
	kind_of_list,
	makeCatalog,
	offersKind,
	type ServerCatalog,
} from "./server-catalog.ts";

/** Longest time for one page of a list, where a call may take longer. */
export const page_ms_max = 30_000;

/** Which part of the catalog a list fills. */
const lists = (Object.entries(kind_of_list) as [ListMethod, ItemKind][]).map(([method, kind]) => ({
	method,
	kind,
}));

/** How a catalog is fetched. */
export interface CatalogFetch {
	readonly server: ServerPlan;
	readonly upstream: Upstream;
	readonly signal: AbortSignal;
	readonly clock: Clock;
	readonly random: Random;
	readonly budget: FetchBudget;
	/** The catalog before this one: a list that cannot be had now stays as it was there. */
	readonly before: ServerCatalog | undefined;
	/** Told of everything that is left out or missing, one sentence each. */
	note(text: string, detail?: string): void;
}

/**
 * Everything a server offers: all pages of all lists that its capabilities name. One list
 * that the server cannot give does not cost the others; if it can give none, that is a fault.
 */
export async function fetchCatalog(fetch: CatalogFetch): Promise<Result<ServerCatalog, Fault>> {
	const { server, upstream, clock } = fetch;
	const { hello } = upstream;
	const offered = lists.filter(({ kind }) => offersKind(hello, kind));
	const call_ms = Math.min(server.timeouts.call_ms, page_ms_max);
	const { signal, budget, note } = fetch;
	const inexact = new Set<ListMethod>();
	const outcomes = await Promise.all(
		offered.map(({ method }) => {
			const leaveOut = (text: string) => {
				inexact.add(method);
				note(text);
			};
			return fetchList({ method, upstream, signal, call_ms, budget, note: leaveOut });
		}),
	);
	const items: Record<ItemKind, readonly CatalogItem[]> = {
		tools: [],
		resources: [],
		templates: [],
		prompts: [],
	};
	const incomplete: ListMethod[] = [];
	let refused: Extract<ListProblem, { kind: "refused" }> | undefined;
	for (const [index, outcome] of outcomes.entries()) {
		const list = offered[index] as (typeof lists)[number];
		if (outcome.ok) {
			items[list.kind] = outcome.value;
			continue;
		}
		const problem = asRefusal(outcome.problem, list.method);
		if (problem.kind === "fault") return fail(problem.fault);
		refused ??= problem;
		note(`the server ${problem.reason}`, problem.detail);
		incomplete.push(list.method);
		items[list.kind] = usable(fetch)?.[list.kind] ?? [];
	}
	if (refused !== undefined && incomplete.length === offered.length) {
		return fail(noList(fetch, refused.reason, refused.detail));
	}
	const { era, revision, capabilities, server_info, instructions } = hello;
	const about = { era, revision, capabilities, server_info, instructions };
	const { name, fingerprint } = server;
	const fetched_at_ms = clock.now();
	return succeed(
		makeCatalog({
			server: name,
			fingerprint,
			...about,
			...items,
			incomplete,
			...(inexact.size === 0 ? {} : { inexact: [...inexact] }),
			fetched_at_ms,
		}),
	);
}

/** A list that is not answered in time counts like one that is refused: others may be fine. */
function asRefusal(problem: ListProblem, method: ListMethod): ListProblem {
	if (problem.kind === "refused" || problem.fault.code !== "call_timeout") return problem;
	const reason = `did not answer ${method} in time`;
	return { kind: "refused", reason, detail: problem.fault.detail };
}

/** What was known before, if it was of the same configuration. */
function usable({ before, server }: CatalogFetch): ServerCatalog | undefined {
	return before?.fingerprint === server.fingerprint ? before : undefined;
}

function noList(fetch: CatalogFetch, reason: string, detail: string | undefined): Fault {
	const { name } = fetch.server;
	return makeFault(fetch.random, {
		code: "server_protocol",
		message:
			`The server "${name}" ${reason}, so it is not known what it offers. ` +
			`\`moorage logs ${name}\` may show why.`,
		detail,
		level: "warn",
		server: name,
		retry_safe: true,
	});
}
