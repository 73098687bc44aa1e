import type {
	ChecklistReport,
	PolicyAnswer,
	PolicyReport,
	PolicyTest,
} from "../admin/contracts/policy.ts";
import type { AccessTool } from "../admin/contracts/server-page.ts";
import type { PolicyBackend } from "../admin/policy-backend.ts";
import { type AdminProblem, problemOf } from "../admin/problem.ts";
import { lastBackup } from "../backup/last-backup.ts";
import type { Catalogs } from "../catalog/catalogs.ts";
import type { Plan, ServerPlan } from "../config/plan.ts";
import type { RulePlan } from "../config/policy-plan.ts";
import { default_tenant } from "../config/principal-names.ts";
import { formatDuration } from "../config/units.ts";
import { toolFacts } from "../gateway/checked-call.ts";
import type { GatewayContext } from "../gateway/context.ts";
import { local_principal, type Principal, principalOf } from "../identity/principal.ts";
import type { Clock } from "../lib/clock.ts";
import { passesGlobs } from "../lib/glob.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { CheckedCall } from "../policy/check.ts";
import { type ChecklistRow, checklist, type ListedTool } from "../policy/checklist.ts";
import type { CurrentPolicy } from "../policy/current-policy.ts";
import { explain } from "../policy/explain.ts";
import { type Foresight, foresee } from "../policy/foresee.ts";
import { rulesAbout } from "../policy/human-path.ts";
import { settingsFor } from "../policy/risk.ts";
import { type CredentialRepositories, keptCredentials } from "./kept-credentials.ts";

/** What policy is explained from. */
export interface PolicyRooms {
	readonly policy: CurrentPolicy;
	readonly clock: Clock;
	readonly catalogs: Catalogs;
	plan(): Plan;
	context(): GatewayContext;
	/** Where people's keys and the vault's values are. */
	readonly repositories: CredentialRepositories;
}

/** The check by which things are switched off, where there is one. */
const switches = "kill-switches";

/** Who may do what, as the admin API shows it. */
export class DaemonPolicyBackend implements PolicyBackend {
	readonly #rooms: PolicyRooms;

	constructor(rooms: PolicyRooms) {
		this.#rooms = rooms;
	}

	policy(): PolicyReport {
		const { policy } = this.#rooms;
		const { profile, default: by_default, unclassified, loops, rules } = policy.plan;
		return {
			profile,
			default: by_default,
			unclassified,
			...(loops !== undefined && {
				loops: `${loops.calls} in ${formatDuration(loops.within_ms)}`,
			}),
			rules: rules.map((rule) => ({
				name: rule.name,
				line: rule.place.line,
				about: aboutWords(rule),
				...(rule.when !== undefined && { when: rule.when }),
				then: rule.then,
				else: rule.otherwise,
			})),
			tools: this.#tools(),
		};
	}

	async test(
		question: PolicyTest,
		arguments_json: string | undefined,
	): Promise<Result<PolicyAnswer, AdminProblem>> {
		const { policy } = this.#rooms;
		const context = this.#rooms.context();
		const { server, endpoint = server } = question;
		if (this.#rooms.plan().servers.every(({ name }) => name !== server)) {
			return fail(problemOf("server_unknown", `There is no server named "${server}".`));
		}
		const principal = principalFor(question.principal);
		if (principal === undefined) {
			return fail(problemOf("invalid_request", "A tenant or user holds no slash."));
		}
		const method =
			question.method ?? (question.tool === undefined ? "resources/read" : "tools/call");
		const name = question.tool ?? question.name;
		const tool = method === "tools/call" ? toolFacts(server, name, context) : undefined;
		const target = { endpoint, server, method, name, tool };
		const call = this.#call(question, principal, target, arguments_json);
		const explained = await explain(policy, context.checks, call);
		const kind = listed_kinds[method];
		const listed =
			kind === undefined || name === undefined
				? true
				: context.mayList(principal, { endpoint, server, kind, name });
		const risk = tool && policy.riskOf(server, tool.name, tool.annotations);
		return succeed({
			...withoutUndefined(explained),
			listed,
			...(risk !== undefined && { risk: risk.risk, risk_from: risk.from }),
			checks: explained.checks.map(withoutUndefined),
			rules: explained.rules.map(withoutUndefined),
		});
	}

	async checklist(server: string | undefined): Promise<Result<ChecklistReport, AdminProblem>> {
		const { policy } = this.#rooms;
		const plan = this.#rooms.plan();
		if (server !== undefined && plan.servers.every(({ name }) => name !== server)) {
			return fail(problemOf("server_unknown", `There is no server named "${server}".`));
		}
		const has_switches = this.#rooms.context().checks.some(({ name }) => name === switches);
		const toolsOf = (name: string) => this.#toolsOf(name);
		const kept = {
			now_ms: this.#rooms.clock.now(),
			backup: await lastBackup(plan.data),
			credentials: await keptCredentials(plan, this.#rooms.repositories),
		};
		const rows = checklist({ plan, policy, toolsOf, has_switches, ...kept }, server);
		const count = (status: ChecklistRow["status"]) =>
			rows.filter((row) => row.status === status).length;
		return succeed({
			no_go: count("no_go"),
			missing: count("missing"),
			rows: rows.map(withoutUndefined),
		});
	}

	/** Every known tool of a server with the rules that are about it, whoever calls. */
	toolRules({ name: server, tools: filter }: ServerPlan): {
		readonly by_default: "allow" | "deny";
		readonly tools: AccessTool[];
		/** What the conditions of all these rules speak of. */
		readonly conditions: ReadonlySet<string>[];
	} {
		const { policy } = this.#rooms;
		const conditions: ReadonlySet<string>[] = [];
		const tools = (this.#toolsOf(server) ?? []).map(({ name: tool, annotations }): AccessTool => {
			const { risk, from } = policy.riskOf(server, tool, annotations);
			const origin = policy.seenListed({
				endpoint: server,
				server,
				kind: "tool",
				name: tool,
				tool: undefined,
			});
			const rules = rulesAbout(origin.server, tool, risk, policy);
			const settings = settingsFor(tool, policy.serverPolicy(server).tools);
			for (const { condition } of rules) if (condition) conditions.push(condition.mentions);
			return {
				tool,
				offered: passesGlobs(filter, tool),
				risk,
				risk_from: from,
				approval: settings.some(({ approval }) => approval !== undefined),
				scopes: [...new Set(settings.flatMap(({ scopes }) => scopes))],
				rules: rules.map(({ name, plan, condition }) => ({
					name,
					line: plan.place.line,
					...(plan.when !== undefined && { when: plan.when }),
					then: plan.then,
					else: plan.otherwise,
					looks_at: [...(condition?.mentions ?? [])],
				})),
			};
		});
		return { by_default: policy.plan.default, tools, conditions };
	}

	/** What is known of somebody's calls of a tool, at its server's own address. */
	async foresee(server: string, tool: string, principal: Principal): Promise<Foresight> {
		const context = this.#rooms.context();
		const call = this.#call({ server, tool }, principal, {
			endpoint: server,
			server,
			method: "tools/call",
			name: tool,
			tool: toolFacts(server, tool, context),
		});
		return foresee(this.#rooms.policy, context.checks, call);
	}

	#call(
		{ arguments: given }: PolicyTest,
		principal: Principal,
		target: Pick<CheckedCall, "endpoint" | "server" | "method" | "name" | "tool">,
		arguments_raw?: string,
	): CheckedCall {
		return {
			id: "policy-test",
			principal,
			client: {
				name: "policy-test",
				version: "1",
				revision: "2026-07-28",
				era: "modern",
				capabilities: "{}",
			},
			...target,
			args: () => given,
			arguments_raw,
			now_ms: this.#rooms.clock.now(),
			notes: {},
		};
	}

	#toolsOf(server: string): readonly ListedTool[] | undefined {
		const context = this.#rooms.context();
		return this.#rooms.catalogs.get(server)?.tools.map(({ name }) => {
			const annotations = toolFacts(server, name, context)?.annotations ?? {};
			return { name, annotations };
		});
	}

	#tools(): PolicyReport["tools"] {
		const { policy } = this.#rooms;
		return this.#rooms.plan().servers.flatMap(({ name: server }) =>
			(this.#toolsOf(server) ?? []).map(({ name, annotations }) => {
				const settings = settingsFor(name, policy.serverPolicy(server).tools);
				return {
					server,
					tool: name,
					...policy.riskOf(server, name, annotations),
					approval: settings.some(({ approval }) => approval !== undefined),
					scopes: [...new Set(settings.flatMap(({ scopes }) => scopes))],
				};
			}),
		);
	}
}

const listed_kinds: Readonly<Record<string, "tool" | "resource" | "prompt">> = {
	"tools/call": "tool",
	"resources/read": "resource",
	"prompts/get": "prompt",
};

function principalFor(asked: PolicyTest["principal"]): Principal | undefined {
	if (asked === undefined) return local_principal;
	const { tenant = default_tenant, user = "somebody", client, roles = [], scopes, claims } = asked;
	if (tenant.includes("/") || user.includes("/")) return undefined;
	return principalOf(tenant, user, {
		client,
		roles,
		scopes,
		claims: claims ?? {},
		via: scopes === undefined ? "key" : "token",
	});
}

/** `tools billing__*, of risk costly, at endpoint team`. */
function aboutWords({ tools, servers, endpoints, methods, risks }: RulePlan): string {
	const parts = [
		tools.length > 0 ? `tools ${tools.join(", ")}` : "",
		servers.length > 0 ? `servers ${servers.join(", ")}` : "",
		risks.length > 0 ? `risk ${risks.join(", ")}` : "",
		endpoints.length > 0 ? `endpoints ${endpoints.join(", ")}` : "",
		methods === undefined ? "" : `methods ${methods.join(", ")}`,
	].filter((part) => part !== "");
	return parts.length === 0 ? "everything" : parts.join("; ");
}

function withoutUndefined<Value extends object>(value: Value): Value {
	return Object.fromEntries(
		Object.entries(value).filter(([, member]) => member !== undefined),
	) as Value;
}
