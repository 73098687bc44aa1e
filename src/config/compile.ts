import { resolve } from "node:path";
import type { Environment } from "../lib/environment.ts";
import { referenceText } from "../secrets/template.ts";
import { normalizeHost, normalizeOrigin } from "./allow-lists.ts";
import { compileApprovalWebhooks } from "./approval-webhooks.ts";
import { compileObserving } from "./compile-observing.ts";
import { compileSecrets } from "./compile-secrets.ts";
import { type CompileContext, compileServer } from "./compile-server.ts";
import {
	default_allowed_hosts,
	default_allowed_origins,
	default_data,
	default_listen,
} from "./defaults.ts";
import type { Draft } from "./draft.ts";
import { compileIdentity } from "./draft-identity.ts";
import { checkProviders } from "./exchange-form.ts";
import { Expander } from "./expander.ts";
import { deepFreeze } from "./fingerprint.ts";
import { compileFront, isEncrypted } from "./front.ts";
import { type ListenAddress, parseListen } from "./listen.ts";
import { LiteralSecrets } from "./literal-secrets.ts";
import type { Placed } from "./located.ts";
import type { EndpointPlan, Plan, PlanSource, ServerPlan } from "./plan.ts";
import type { FrontPlan } from "./plan-front.ts";
import type { PolicyPlan } from "./policy-plan.ts";
import { placelessProblem } from "./problem.ts";
import type { Report } from "./report.ts";

/** Everything a draft becomes a plan with. */
export interface CompileOptions {
	readonly draft: Draft;
	readonly report: Report;
	readonly source: PlanSource;
	/** The project folder: relative paths of the file start here. */
	readonly base: string;
	/** The working directory: relative paths of the command line start here. */
	readonly cwd: string;
	readonly home: string;
	readonly environment: Environment;
	readonly inputs: ReadonlyMap<string, string>;
	/** From the command line; these win over the file. */
	readonly overrides: { readonly listen?: string; readonly data?: string };
}

/** Turns a draft into a frozen plan; undefined when the report has problems. */
export async function compilePlan(options: CompileOptions): Promise<Plan | undefined> {
	const { draft, report, base } = options;
	const { form } = draft;
	const literals = new LiteralSecrets({ form, identity: draft.identity !== undefined, report });
	const expander = new Expander(
		{
			syntax: draft.form,
			environment: options.environment,
			inputs: options.inputs,
			workspace: base,
			home: options.home,
		},
		report,
		literals,
	);
	const context: CompileContext = { form: draft.form, expander, report, base };
	const servers: ServerPlan[] = [];
	for (const server of draft.servers) servers.push(await compileServer(server, context));
	const identity = compileIdentity(draft.identity, expander, toolScopes(draft.policy));
	checkProviders(draft.servers, identity, report);
	const front = compileFront(draft, expander, report, base);
	const listen = compileListen(options, expander, front);
	const data = compileData(options, expander);
	const hosts = compileList(draft.allowed_hosts, default_allowed_hosts, hostEntry, report);
	const origins = compileList(draft.allowed_origins, default_allowed_origins, originEntry, report);
	const observing = draft.observing && compileObserving(draft.observing, expander, report);
	const webhooks = compileApprovalWebhooks(draft.approval_webhooks ?? [], expander, report);
	const places = { expander, report, base, home: options.home };
	const secrets = draft.secrets && compileSecrets(draft.secrets, places);
	// Whatever reports a problem has to be above.
	if (report.failed || listen === undefined) return undefined;
	const known = namesOf(front);
	return deepFreeze({
		source: options.source,
		listen,
		front,
		data,
		allowed_origins: [...new Set([...origins, ...known.origins])],
		allowed_hosts: [...new Set([...hosts, ...known.hosts])],
		sse: draft.sse,
		servers,
		endpoints: draft.endpoints.map(compileEndpoint),
		identity,
		limits: { ...draft.limits },
		...(secrets && { secrets }),
		...(draft.calls === undefined ? {} : { calls: { ...draft.calls } }),
		...(draft.approvals === undefined ? {} : { approvals: { ...draft.approvals } }),
		...(webhooks.length === 0 ? {} : { approval_webhooks: webhooks }),
		...(draft.audit === undefined ? {} : { audit: { ...draft.audit } }),
		held: heldValues(options.inputs, literals.held),
		policy: draft.policy,
		...observing,
		warnings: [...report.warnings],
	});
}

/** What has no place but this configuration and the answers to its questions. */
function heldValues(
	inputs: ReadonlyMap<string, string>,
	literals: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> {
	const answers = [...inputs].map(
		([id, answer]) => [referenceText({ kind: "input", body: id }), answer] as const,
	);
	return new Map([...answers, ...literals]);
}

function compileEndpoint(draft: Draft["endpoints"][number]): EndpointPlan {
	const { name, servers, tools } = draft;
	return { name, servers: servers.map((server) => server.text), tools };
}

/** The host and origin that clients know the gateway by are allowed by themselves. */
function namesOf({ public_url }: FrontPlan): { hosts: string[]; origins: string[] } {
	if (public_url === undefined) return { hosts: [], origins: [] };
	const host = normalizeHost(new URL(public_url).host);
	const origin = normalizeOrigin(public_url);
	return { hosts: host === undefined ? [] : [host], origins: origin === undefined ? [] : [origin] };
}

function compileListen(
	options: CompileOptions,
	expander: Expander,
	front: FrontPlan,
): ListenAddress | undefined {
	const { draft, report, overrides } = options;
	const written = draft.listen === undefined ? default_listen : expander.text(draft.listen);
	// A file that asks for a refused address is wrong even where an option wins over it.
	const rules = { identity: draft.identity !== undefined, encrypted: isEncrypted(front) };
	const from_file = parseListen(written, rules);
	if (!from_file.ok && draft.listen !== undefined) {
		report.problem(draft.listen.start, from_file.problem.message, from_file.problem.next);
	}
	if (overrides.listen === undefined) {
		return from_file.ok ? from_file.value : undefined;
	}
	const given = parseListen(overrides.listen, rules);
	if (given.ok) return given.value;
	const { message, next } = given.problem;
	report.problemElsewhere(placelessProblem("--listen", message, next));
	return undefined;
}

function compileData(options: CompileOptions, expander: Expander): string {
	const { draft, overrides, cwd, base } = options;
	if (overrides.data !== undefined) return resolve(cwd, overrides.data);
	return draft.data === undefined ? resolve(base, default_data) : expander.path(draft.data, base);
}

interface EntryKind {
	readonly normalize: (entry: string) => string | undefined;
	readonly message: string;
	readonly next: string;
}

const hostEntry: EntryKind = {
	normalize: normalizeHost,
	message: "This is not a host name with an optional port.",
	next: "Write for example `moorage.internal:8642`; there are no wildcards in names.",
};

const originEntry: EntryKind = {
	normalize: normalizeOrigin,
	message: "This is not a web origin.",
	next: "Write a scheme and a host, for example `https://app.example.com`; there are no wildcards in names.",
};

function compileList(
	written: readonly Placed[] | undefined,
	defaults: readonly string[],
	kind: EntryKind,
	report: Report,
): string[] {
	if (written === undefined) return [...defaults];
	const entries = written.map((placed) => {
		const normal = kind.normalize(placed.text);
		if (normal === undefined) report.problem(placed.start, kind.message, kind.next);
		return normal;
	});
	return [...new Set(entries.filter((entry) => entry !== undefined))];
}

/** Every scope that some tool needs. */
function toolScopes({ servers }: PolicyPlan): string[] {
	return Object.values(servers).flatMap(({ tools }) => tools.flatMap(({ scopes }) => scopes));
}
