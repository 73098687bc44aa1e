import { default_secrets } from "../config/compile-secrets.ts";
import { isLoopback } from "../config/listen.ts";
import type { Plan, ServerPlan } from "../config/plan.ts";
import type { CurrentPolicy } from "./current-policy.ts";
import { hasHumanPath, isGrave, rulesAbout } from "./human-path.ts";
import { type Risk, settingsFor } from "./risk.ts";

/** What the checklist knows of a tool. */
export interface ListedTool {
	readonly name: string;
	readonly annotations: Readonly<Record<string, unknown>>;
}

/** What there is to be known of a gateway before others are let in. */
export interface ChecklistFacts {
	readonly plan: Plan;
	readonly policy: CurrentPolicy;
	/** What a server offers; undefined as long as nobody has listed it. */
	toolsOf(server: string): readonly ListedTool[] | undefined;
	/** Whether single tools, servers, clients and people can be switched off. */
	readonly has_switches: boolean;
	/** Wall-clock time. */
	readonly now_ms: number;
	/** The last whole backup; undefined where none was ever made of this data folder. */
	readonly backup: { readonly made_at_ms: number; readonly path: string } | undefined;
	/** Everything secret that somebody has to renew. */
	readonly credentials: readonly KeptCredential[];
}

/** Something secret that is kept for long. */
export interface KeptCredential {
	/** In words: `the secret github_token`. */
	readonly name: string;
	/** When its value was made; undefined where nobody knows. */
	readonly made_at_ms: number | undefined;
	/** When it stops working by itself; undefined: never. */
	readonly expires_at_ms: number | undefined;
}

/** One question of the checklist, with its answer. */
export interface ChecklistRow {
	readonly id: string;
	/** The server it is about; undefined for the gateway as a whole. */
	readonly server: string | undefined;
	readonly title: string;
	/** `no_go`: with this, nobody outside may be let in. */
	readonly status: "ok" | "missing" | "no_go";
	/** What speaks for the answer: a sentence. */
	readonly evidence: string;
	/** What to do, where it is not ok. */
	readonly next: string | undefined;
}

type Answer = Pick<ChecklistRow, "status" | "evidence" | "next">;

const names_max = 5;
/** A backup older than this would lose more than most can do again. */
const backup_age_days_max = 7;
const day_ms = 86_400_000;

/** The launch checklist of a remote server: of all of them, or of one. */
export function checklist(facts: ChecklistFacts, only?: string): ChecklistRow[] {
	const servers = facts.plan.servers.filter(({ name }) => only === undefined || name === only);
	const whole = gateway_questions.map(({ id, title, ask }) => ({
		id,
		server: undefined,
		title,
		...ask(facts),
	}));
	const each = servers.flatMap((server) =>
		server_questions.map(({ id, title, ask }) => ({
			id,
			server: server.name,
			title,
			...ask(server, facts),
		})),
	);
	return [...whole, ...each];
}

function ok(evidence: string): Answer {
	return { status: "ok", evidence, next: undefined };
}

function missing(evidence: string, next: string): Answer {
	return { status: "missing", evidence, next };
}

function noGo(evidence: string, next: string): Answer {
	return { status: "no_go", evidence, next };
}

/** Questions that the configuration alone answers. */
const of_configuration: ReadonlySet<string> = new Set([
	"identity",
	"encryption",
	"isolation",
	"third_party",
]);

/** The no-go signs that a configuration shows before anything of it runs. */
export function earlyNoGo(plan: Plan, policy: CurrentPolicy): ChecklistRow[] {
	const rows = checklist({
		...{ plan, policy, toolsOf: () => undefined, has_switches: true },
		...{ now_ms: 0, backup: undefined, credentials: [] },
	});
	return rows.filter(({ id, status }) => status === "no_go" && of_configuration.has(id));
}

interface GatewayQuestion {
	readonly id: string;
	readonly title: string;
	ask(facts: ChecklistFacts): Answer;
}

const gateway_questions: readonly GatewayQuestion[] = [
	{
		id: "identity",
		title: "Every user, client and tenant is told apart",
		ask: ({ plan }) =>
			plan.identity === undefined
				? noGo("Everyone who can connect is one and the same person.", "Add `identity`.")
				: ok("With `identity`, every request needs a key or a token."),
	},
	{
		id: "encryption",
		title: "Nobody on the way can read along",
		ask: ({ plan }) => {
			const { public_url, tls } = plan.front;
			if (tls !== undefined) return ok("TLS is spoken here (`tls`).");
			if (public_url?.startsWith("https://") === true) return ok(`People come to ${public_url}.`);
			const where = `${plan.listen.host}:${plan.listen.port}`;
			if (isLoopback(plan.listen.host)) {
				return missing(
					`It listens on ${where}, which only this machine reaches.`,
					"For others, put a reverse proxy with TLS in front of it and set `public_url`.",
				);
			}
			return noGo(`Keys and calls travel unencrypted to ${where}.`, "Set `tls` or `public_url`.");
		},
	},
	{
		id: "origins",
		title: "Web pages and names that are not yours cannot call",
		ask: ({ plan }) =>
			ok(
				`Answered are ${plan.allowed_hosts.join(", ")}; pages of ${plan.allowed_origins.join(", ")}.`,
			),
	},
	{
		id: "limits",
		title: "Abuse and agents in a loop are held back",
		ask({ policy }) {
			const { rules, loops } = policy.plan;
			const limits = rules.filter(({ limit }) => limit !== undefined).map(({ name }) => name);
			if (limits.length > 0 && loops !== undefined) {
				return ok(`${limits.join(", ")}; loops end after ${loops.calls} of the same call.`);
			}
			const next = "Add a rule with `limit`, and `loops`, under `policy`.";
			if (limits.length === 0) return missing("No rule limits how many calls there may be.", next);
			return missing("Nobody looks for the same call made again and again.", next);
		},
	},
	{
		id: "evidence",
		title: "Who did what with which result can be reconstructed",
		ask: ({ plan }) =>
			plan.audit?.mode === "off"
				? missing("The audit is off: arguments and results are not kept.", "Set `audit: on`.")
				: ok("Every call is in the call log and, encrypted, in the audit."),
	},
	{
		id: "logs",
		title: "Logs hold no secrets, records or prompts",
		ask: () => ok("The call log has no payloads, and known secrets are taken out of all output."),
	},
	{
		id: "secrets",
		title: "Secrets stand where they can be rotated",
		ask: ({ plan }) =>
			plan.held.size === 0
				? ok("The configuration has references, no values.")
				: missing(
						`${plan.held.size} values stand in the configuration itself.`,
						"Move them to where a reference finds them, such as the environment.",
					),
	},
	{ id: "credentials", title: "No credential is older than it may be", ask: credentialAge },
	{ id: "backup", title: "What is lost today can be put back", ask: backupAge },
	{
		id: "switches",
		title: "One tool, client or server can be switched off at once",
		ask: ({ has_switches }) =>
			has_switches
				? ok("`moorage kill` switches off a tool, server, client, user or tenant.")
				: noGo("Nothing but a change of the configuration takes a tool away.", "Update Moorage."),
	},
];

function backupAge({ backup, now_ms }: ChecklistFacts): Answer {
	if (backup === undefined) {
		return missing("No backup was ever made of this data folder.", "Run `moorage backup` daily.");
	}
	const days = daysSince(backup.made_at_ms, now_ms);
	const at = new Date(backup.made_at_ms).toISOString();
	const evidence = `The last backup is of ${at}, ${inDays(days)} ago, in ${backup.path}.`;
	if (days < backup_age_days_max) return ok(evidence);
	return missing(
		evidence,
		`Make one at least every ${backup_age_days_max} days, and try a restore.`,
	);
}

function credentialAge({ credentials, plan, now_ms }: ChecklistFacts): Answer {
	const { age_days_max } = plan.secrets ?? default_secrets;
	// What has expired opens nothing any more.
	const live = credentials.filter(
		({ expires_at_ms }) => expires_at_ms === undefined || expires_at_ms > now_ms,
	);
	const old = live.flatMap(({ name, made_at_ms }) => {
		const days = made_at_ms === undefined ? undefined : daysSince(made_at_ms, now_ms);
		return days !== undefined && days >= age_days_max ? [{ name, days }] : [];
	});
	const ageless = live.filter(
		({ made_at_ms, expires_at_ms }) => made_at_ms === undefined && expires_at_ms === undefined,
	);
	const oldest = old.toSorted((a, b) => b.days - a.days);
	const next = "Make new ones: `moorage secret rotate`, `moorage key add`, or `expires` on a key.";
	if (oldest.length > 0) {
		const names = named(oldest.map(({ name, days }) => `${name} (${inDays(days)})`));
		return missing(`Older than ${inDays(age_days_max)}: ${names}.`, next);
	}
	if (ageless.length > 0) {
		const names = named(ageless.map(({ name }) => name));
		return missing(`Without an end, and nobody knows how old: ${names}.`, next);
	}
	return ok(
		live.length === 0
			? "No secret and no key is kept here."
			: `${live.length} in all, younger than ${inDays(age_days_max)} or with an end.`,
	);
}

function daysSince(at_ms: number, now_ms: number): number {
	return Math.max(0, Math.floor((now_ms - at_ms) / day_ms));
}

function inDays(days: number): string {
	return days === 1 ? "1 day" : `${days} days`;
}

interface ServerQuestion {
	readonly id: string;
	readonly title: string;
	ask(server: ServerPlan, facts: ChecklistFacts): Answer;
}

const server_questions: readonly ServerQuestion[] = [
	{
		id: "inventory",
		title: "Every tool it has is known",
		ask({ name }, { toolsOf }) {
			const tools = toolsOf(name);
			if (tools === undefined) {
				return noGo("Nobody has listed it yet.", `Run \`moorage tools ${name}\`.`);
			}
			return ok(`${tools.length} tools: ${named(tools.map((tool) => tool.name))}.`);
		},
	},
	{
		id: "risk",
		title: "Every tool that may change something has a risk class",
		ask(server, facts) {
			const unclear = riskyTools(server, facts).filter(({ from }) => from !== "given");
			if (unclear.length === 0) return ok("All have one in the configuration, or only read.");
			const names = named(unclear.map(({ name, risk }) => `${name} (${risk}?)`));
			const next = `Give them a \`risk\` under \`servers.${server.name}.tools\`.`;
			if (facts.policy.plan.unclassified === "deny") {
				return missing(`Without one, and not offered beyond loopback: ${names}.`, next);
			}
			return noGo(`Offered without one: ${names}.`, next);
		},
	},
	{
		id: "approvals",
		title: "A person decides about what sends, spends or destroys",
		ask(server, facts) {
			const grave = riskyTools(server, facts).filter(({ risk }) => isGrave(risk));
			const alone = grave.filter(
				({ name, risk }) => !hasHumanPath(server.name, name, risk, facts.policy),
			);
			if (grave.length === 0) return ok("It has no such tools.");
			if (alone.length === 0) return ok(`Somebody is asked, or nobody may: ${grave.length} tools.`);
			return noGo(
				`Nobody is asked for ${named(alone.map(({ name }) => name))}.`,
				"Set `approval: required` on them, or add a rule with `ask` or `deny`.",
			);
		},
	},
	{
		id: "scopes",
		title: "Reading and changing need different permissions",
		ask(server, facts) {
			const risky = riskyTools(server, facts);
			const { tools } = facts.policy.serverPolicy(server.name);
			const open = risky.filter(
				({ name, risk }) =>
					!settingsFor(name, tools).some(({ scopes }) => scopes.length > 0) &&
					!isRuled(server.name, name, risk, facts),
			);
			if (open.length === 0) return ok("What changes something needs a scope, or a rule decides.");
			return missing(
				`Whoever may read may also call ${named(open.map(({ name }) => name))}.`,
				"Give them `scopes`, or write a rule about who may.",
			);
		},
	},
	{
		id: "arguments",
		title: "Arguments are checked before the server sees them",
		ask: ({ name }, { policy }) =>
			policy.serverPolicy(name).arguments === "off"
				? missing("Its arguments are not checked.", `Remove \`servers.${name}.arguments: off\`.`)
				: ok("They are held against the tools' schemas."),
	},
	{
		id: "sharing",
		title: "Nobody acts with what belongs to another",
		ask(server, facts) {
			if (facts.plan.identity === undefined || server.scope !== "shared") {
				return ok(`Its instances are of \`scope: ${server.scope}\`.`);
			}
			if (riskyTools(server, facts).length === 0) return ok("It is shared, but only reads.");
			return missing(
				"Everyone shares one instance with its credentials, and it changes things.",
				"Set `scope: user` or `scope: tenant`, or make sure that is meant.",
			);
		},
	},
	{
		id: "isolation",
		title: "It reaches no more of the machine and the network than it needs",
		ask({ spec, sandbox, untrusted, name }) {
			if (spec.driver === "http") return ok("It runs elsewhere.");
			if (sandbox.mode === "off") {
				const next = `Remove \`servers.${name}.sandbox: off\`.`;
				if (untrusted) return noGo("It is not trusted, and runs without a sandbox.", next);
				return missing("It runs without a sandbox.", next);
			}
			const { egress } = sandbox;
			if (egress.kind === "open") {
				return missing("It may use the network as it is.", "List the hosts it needs (`egress`).");
			}
			const reaches = egress.kind === "public" ? "any public host" : named(egress.hosts);
			return ok(`It has a sandbox, and reaches ${reaches || "no host"}.`);
		},
	},
	{
		id: "third_party",
		title: "Somebody looked at what others do with what they are sent",
		ask({ spec, name }, { policy }) {
			const { reviewed } = policy.serverPolicy(name);
			if (spec.driver !== "http") return ok("It runs here.");
			if (reviewed !== undefined) return ok(`Reviewed: ${reviewed}.`);
			return noGo(
				"It belongs to somebody else, and no review of it is written down.",
				`Write who looked at it and when under \`servers.${name}.reviewed\`.`,
			);
		},
	},
];

function named(names: readonly string[]): string {
	const shown = names.slice(0, names_max).join(", ");
	return names.length > names_max ? `${shown} and ${names.length - names_max} more` : shown;
}

interface RiskyTool extends Risk {
	readonly name: string;
}

/** The tools of a server that may change something, as far as they are known and offered. */
function riskyTools(server: ServerPlan, { policy, toolsOf }: ChecklistFacts): RiskyTool[] {
	return (toolsOf(server.name) ?? [])
		.map(({ name, annotations }) => ({ name, ...policy.riskOf(server.name, name, annotations) }))
		.filter(({ risk }) => risk !== "read");
}

function isRuled(
	server: string,
	tool: string,
	risk: Risk["risk"],
	{ policy }: ChecklistFacts,
): boolean {
	if (policy.plan.default === "deny") return true;
	return rulesAbout(server, tool, risk, policy).some(
		({ plan }) =>
			![plan.then, plan.otherwise].every((outcome) => ["pass", "limit"].includes(outcome)),
	);
}
