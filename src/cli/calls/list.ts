import type { LoggedCall } from "../../admin/evidence-backend.ts";
import type { AdminClient } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { exit_codes } from "../exit-codes.ts";
import { usageFailure } from "../failure.ts";
import { type Output, printable } from "../output.ts";

/** What `moorage calls` was asked for. */
export interface CallsAsked {
	readonly json: boolean;
	readonly since: string | undefined;
	readonly until: string | undefined;
	readonly server: string | undefined;
	readonly user: string | undefined;
	readonly tenant: string | undefined;
	readonly client: string | undefined;
	readonly tool: string | undefined;
	readonly method: string | undefined;
	readonly session: string | undefined;
	readonly trace: string | undefined;
	readonly status: string | undefined;
	readonly decision: string | undefined;
	readonly search: string | undefined;
	readonly limit: string | undefined;
}

const limit_default = 50;
const limit_max = 10_000;
const page_max = 500;

/** `moorage calls` */
export async function listCalls(
	client: AdminClient,
	asked: CallsAsked,
	{ output }: CommandContext,
): Promise<number> {
	const limit = readLimit(asked.limit);
	const found: LoggedCall[] = [];
	let cursor: string | undefined;
	// A page may end before it is full: where calls that match are rare, looking takes longer.
	do {
		const query = queryOf(asked, Math.min(limit - found.length, page_max), cursor);
		const { value } = await client.request("listCalls", { query });
		found.push(...value.calls);
		cursor = value.next;
	} while (cursor !== undefined && found.length < limit);
	if (asked.json) output.json({ calls: found, ...(cursor === undefined ? {} : { next: cursor }) });
	else print(found, output);
	return exit_codes.ok;
}

function readLimit(text: string | undefined): number {
	if (text === undefined) return limit_default;
	const limit = /^\d{1,6}$/.test(text) ? Number(text) : Number.NaN;
	if (limit >= 1 && limit <= limit_max) return limit;
	throw usageFailure(
		`--limit is a number from 1 to ${limit_max}.`,
		"Narrow the search with --since, --server or --user where there are more.",
	);
}

function queryOf(asked: CallsAsked, limit: number, cursor: string | undefined) {
	const { since, until, server, user, tenant, client, method, session, trace } = asked;
	const { status, decision, tool: name, search: q } = asked;
	const rest = { status, decision, name, q, limit: String(limit), cursor };
	const all = { since, until, server, user, tenant, client, method, session, trace, ...rest };
	const given = Object.entries(all).filter(
		(entry): entry is [string, string] => entry[1] !== undefined,
	);
	return Object.fromEntries(given);
}

function print(calls: readonly LoggedCall[], output: Output): void {
	if (calls.length === 0) {
		output.note("No call matches.");
		return;
	}
	output.table(
		["TIME", "USER", "WHAT", "STATUS", "TOOK", "ID"],
		calls.map((call) => rowOf(call)),
	);
}

function rowOf(call: LoggedCall): string[] {
	const { ts, tenant_id, user, server, tool, name, method, status, code, duration_ms, id } = call;
	const named = tool ?? name ?? method;
	const what = call.requests === 1 ? named : `${named}, ${call.requests} times`;
	return [
		ts.slice(0, 19).replace("T", " "),
		tenant_id === null ? "-" : `${tenant_id}/${user}`,
		printable(server === null ? what : `${server} ${what}`).slice(0, 60),
		code === null ? status : `${status} (${code})`,
		`${duration_ms.toFixed(1)} ms`,
		id,
	];
}
