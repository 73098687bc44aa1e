import type { ServerDetails } from "../admin/contract.ts";
import type { Plan, ResourcePlan, ServerPlan } from "../config/plan.ts";
import { closingLine, egressLine } from "../hosting/egress/ledger.ts";
import type { Hosting, LogLine } from "../hosting/hosting.ts";
import type { PackageIdentity } from "../hosting/resolved.ts";
import type { Releases } from "../releases/releases.ts";

/** What the details of a server are taken from. */
export interface DetailRooms {
	/** What runs: the configuration, with the versions and forks that are live in its place. */
	readonly plan: Plan;
	readonly hosting: Hosting;
	readonly releases: Releases;
	/** Who enforces limits on this machine, in words. */
	readonly limits_detail: string;
}

/** Lines of each stream that are shown: a stack trace and what stands above it. */
const lines_max = 12;

/** Everything about one server; undefined where there is none of that name. */
export async function detailsOf(
	name: string,
	{ plan, hosting, releases, limits_detail }: DetailRooms,
): Promise<ServerDetails | undefined> {
	const server = plan.servers.find((one) => one.name === name);
	if (server === undefined) return undefined;
	const used = await hosting.usage(name);
	const status = hosting.status(name);
	if (status === undefined) return undefined;
	const { egress } = status;
	const identity = hosting.resolved(name)?.identity;
	const active = releases.versions.active(name);
	const rollout = releases.rollout(name);
	const closing = egress === undefined ? undefined : closingLine(egress);
	const runs_here = server.spec.driver !== "http";
	return {
		status,
		scope: server.scope,
		untrusted: server.untrusted,
		sandbox: server.sandbox.mode,
		...(runs_here ? { network: networkOf(server) } : {}),
		...(closing === undefined ? {} : { closing }),
		usage: [...used].map(([instance, usage]) => ({ instance, ...usage })),
		limits: limitsOf(server.resources),
		limited_by: limits_detail,
		...(identity === undefined ? {} : { package: packageOf(identity) }),
		...(active === undefined ? {} : { version: active.number }),
		...(rollout === undefined
			? {}
			: { rollout: { version: rollout.number, state: rollout.state } }),
		stderr: lastWords(hosting.lines(name), "stderr"),
		stdout: lastWords(hosting.lines(name), "stdout"),
		oddities: [...hosting.oddities(name)],
	};
}

/** What the last run that wrote anything to it wrote to a stream. */
function lastWords(lines: readonly LogLine[], source: "stderr" | "stdout"): string[] {
	const of_source = lines.filter((line) => line.source === source);
	const last_run = of_source.at(-1)?.instance;
	return of_source
		.filter(({ instance }) => instance === last_run)
		.slice(-lines_max)
		.map(({ text }) => text);
}

/** The `egress` of a configuration that means what the server runs with. */
function networkOf({ sandbox: { egress }, untrusted }: ServerPlan): string {
	if (egress.kind === "hosts") {
		return egress.hosts.length === 0 ? "egress: none" : egressLine(egress.hosts);
	}
	return untrusted ? "egress: none" : `egress: ${egress.kind}`;
}

/** The limits that are set, without the ones that are not. */
function limitsOf({ required: _, ...limits }: ResourcePlan): ServerDetails["limits"] {
	const set = Object.entries(limits).filter(([, limit]) => limit !== undefined);
	return Object.fromEntries(set);
}

function packageOf({ name, version, digest }: PackageIdentity): ServerDetails["package"] {
	return { name, ...(version === undefined ? {} : { version }), digest };
}
