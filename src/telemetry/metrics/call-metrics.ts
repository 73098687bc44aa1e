import { isCoreMethod } from "../../protocol/methods.ts";
import type { CallRecord } from "../call-record.ts";
import { FirstTries, type FirstTry } from "./first-tries.ts";
import { type Counter, type Histogram, LabelCap, overflow_label } from "./instruments.ts";
import type { Registry } from "./registry.ts";

/**
 * Seconds. The conventions for MCP begin at 10 ms, which is more than most calls take here: the
 * buckets below that are ours.
 */
const call_bounds = [
	0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300,
];
/** The buckets of the conventions for MCP. */
const convention_bounds = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120, 300];

const tools_max = 500;
const tenants_max = 100;
const codes_max = 100;
const rules_max = 200;
/** Combinations whose instruments are found with one look-up. */
const bundles_max = 5_000;

/** The label of a tool that no server offers: its name is whatever a caller wrote. */
export const unknown_tool_label = "_unknown";

/** Codes of calls that named something the endpoint does not offer. */
const unknown_codes: ReadonlySet<string> = new Set(["not_offered", "server_unknown"]);

/** Whether a call named a tool, resource or prompt that is not offered. */
export function isUnknown(record: CallRecord): boolean {
	return record.code !== undefined && unknown_codes.has(record.code);
}

/** Parts of a call whose times are counted, beside that at its server. */
type Stage = "wake" | "queue" | "policy" | "approval" | "audit";

/** What is counted for one combination of method, server, tool and tenant. */
interface Bundle {
	readonly of: CallRecord["server"];
	readonly method: string;
	readonly from: string;
	readonly unknown: boolean;
	readonly server: string;
	readonly tool: string;
	readonly tenant: string;
	readonly ok: Counter;
	readonly duration: Histogram;
	readonly input: Counter;
	readonly output: Counter;
	readonly upstream: Histogram | undefined;
	readonly by_convention: Histogram;
	/** Made when they are first needed. */
	readonly stages: { [stage in Stage]: Histogram | undefined };
	decided: Decided | undefined;
	readonly first: FirstTry;
}

/** What the policy decided last, and what counts it. */
interface Decided {
	readonly decision: string;
	readonly rule: string | undefined;
	readonly counter: Counter;
}

/** Counts every call: how many, how they ended, how long they took and what of. */
export class CallMetrics {
	readonly #calls;
	readonly #errors;
	readonly #durations;
	readonly #stages;
	readonly #decisions;
	readonly #input;
	readonly #output;
	readonly #server_operations;
	readonly #client_operations;
	readonly #first_tries: FirstTries;
	readonly #bundles = new Map<string, Bundle>();
	/** The bundle of the last call of each name: most often the next is of the same. */
	readonly #recent = new Map<string, Bundle>();
	readonly #tools = new LabelCap(tools_max);
	readonly #tenants = new LabelCap(tenants_max);
	readonly #codes = new LabelCap(codes_max);
	readonly #rules = new LabelCap(rules_max);

	constructor(registry: Registry) {
		this.#calls = registry.counter({
			name: "moorage.calls",
			help: "Requests of clients, by how they ended.",
			unit: "1",
			labels: ["server", "method", "tool", "tenant", "status"],
			series_max: 5_000,
		});
		this.#errors = registry.counter({
			name: "moorage.call.errors",
			help: "Requests that did not end well, by their stable code.",
			unit: "1",
			labels: ["server", "tool", "code"],
		});
		this.#durations = registry.histogram(
			{
				name: "moorage.call.duration",
				help: "Time from a request to its reply.",
				unit: "s",
				labels: ["server", "tool", "tenant"],
			},
			call_bounds,
		);
		this.#stages = registry.histogram(
			{
				name: "moorage.call.stage.duration",
				help: "Time of a request's parts: policy, approval, queue, wake and upstream.",
				unit: "s",
				labels: ["server", "stage"],
			},
			call_bounds,
		);
		this.#decisions = registry.counter({
			name: "moorage.policy.decisions",
			help: "Decisions of the policy on requests.",
			unit: "1",
			labels: ["decision", "rule"],
		});
		const bytes = { unit: "By", labels: ["server"] } as const;
		this.#input = registry.counter({
			...bytes,
			name: "moorage.call.input",
			help: "Bytes of requests.",
		});
		this.#output = registry.counter({
			...bytes,
			name: "moorage.call.output",
			help: "Bytes of replies.",
		});
		this.#server_operations = registry.histogram(
			{
				name: "mcp.server.operation.duration",
				help: "Time from a client's request to its reply, as the gateway is a server.",
				unit: "s",
				labels: ["mcp.method.name", "gen_ai.tool.name", "error.type"],
			},
			convention_bounds,
		);
		this.#client_operations = registry.histogram(
			{
				name: "mcp.client.operation.duration",
				help: "Time of requests to servers, as the gateway is a client.",
				unit: "s",
				labels: ["mcp.method.name", "server"],
			},
			convention_bounds,
		);
		this.#first_tries = new FirstTries(registry);
	}

	/** On the way of every call: costs about a microsecond. */
	count(record: CallRecord): void {
		const bundle = this.#bundleOf(record);
		const seconds = record.duration_ms / 1000;
		bundle.duration.observe(seconds);
		bundle.input.value += record.input_bytes;
		bundle.output.value += record.output_bytes;
		if (record.upstream_ms > 0) bundle.upstream?.observe(record.upstream_ms / 1000);
		if (record.status === "ok") {
			bundle.ok.value += 1;
			bundle.by_convention.observe(seconds);
		} else this.#countError(record, bundle, seconds);
		if (record.wake_ms > 0) this.#stage(bundle, "wake", record.wake_ms);
		if (record.queue_ms > 0) this.#stage(bundle, "queue", record.queue_ms);
		if (record.policy_ms > 0) this.#stage(bundle, "policy", record.policy_ms);
		if (record.approval_ms > 0) this.#stage(bundle, "approval", record.approval_ms);
		if (record.audit_ms > 0) this.#stage(bundle, "audit", record.audit_ms);
		const { decision, rule } = record;
		if (decision !== undefined && (decision !== "allow" || rule !== undefined)) {
			this.#decided(bundle, decision, rule).value += 1;
		}
		if (record.method === "tools/call") this.#first_tries.count(record, bundle.first);
	}

	#stage({ server, stages }: Bundle, stage: Stage, duration_ms: number): void {
		stages[stage] ??= this.#stages.get(server, stage);
		stages[stage].observe(duration_ms / 1000);
	}

	#decided(bundle: Bundle, decision: string, rule: string | undefined): Counter {
		const { decided } = bundle;
		if (decided?.decision === decision && decided.rule === rule) return decided.counter;
		const counter = this.#decisions.get(decision, this.#rules.admit(rule ?? ""));
		bundle.decided = { decision, rule, counter };
		return counter;
	}

	#countError(record: CallRecord, { server, tool, tenant }: Bundle, seconds: number): void {
		const { method, status } = record;
		this.#calls.get(server, methodLabel(method), tool, tenant, status).add();
		const code = this.#codes.admit(record.code ?? status);
		this.#errors.get(server, tool, code).add();
		this.#server_operations.get(methodLabel(method), tool, errorType(code)).observe(seconds);
	}

	#bundleOf(record: CallRecord): Bundle {
		const unknown = isUnknown(record);
		const recent = this.#recent.get(record.name ?? record.method);
		if (recent !== undefined && isOf(recent, record, unknown)) return recent;
		const bundle = this.#findBundle(record, unknown);
		// Names may be any, and as many, as callers like.
		if (this.#recent.size >= bundles_max) this.#recent.clear();
		this.#recent.set(record.name ?? record.method, bundle);
		return bundle;
	}

	#findBundle(record: CallRecord, unknown: boolean): Bundle {
		const name = record.method === "tools/call" && !unknown ? record.name : undefined;
		const key = `${record.server}\0${name}\0${record.tenant}\0${record.method}\0${unknown}`;
		const known = this.#bundles.get(key);
		if (known !== undefined) return known;
		const bundle = this.#makeBundle(record, unknown);
		// What does not fit is found the long way each time; its series are bounded too.
		if (this.#bundles.size < bundles_max) this.#bundles.set(key, bundle);
		return bundle;
	}

	#makeBundle(record: CallRecord, unknown: boolean): Bundle {
		const server = record.server ?? "";
		const tenant = this.#tenants.admit(record.tenant);
		const method = methodLabel(record.method);
		const tool = this.#toolLabel(record, unknown);
		return {
			...{ of: record.server, method: record.method, from: record.tenant, unknown },
			...{ server, tool, tenant },
			ok: this.#calls.get(server, method, tool, tenant, "ok"),
			duration: this.#durations.get(server, tool, tenant),
			input: this.#input.get(server),
			output: this.#output.get(server),
			upstream: server === "" ? undefined : this.#client_operations.get(method, server),
			by_convention: this.#server_operations.get(method, tool, ""),
			stages: {
				...{ wake: undefined, queue: undefined, policy: undefined, approval: undefined },
				audit: undefined,
			},
			decided: undefined,
			first: { server, tool, accepted: undefined },
		};
	}

	#toolLabel({ method, name, server }: CallRecord, unknown: boolean): string {
		if (method !== "tools/call" || name === undefined) return "";
		if (unknown) return unknown_tool_label;
		const admitted = this.#tools.admit(`${server ?? ""}\0${name}`);
		return admitted === overflow_label ? overflow_label : name;
	}
}

function isOf(bundle: Bundle, { server, method, tenant }: CallRecord, unknown: boolean): boolean {
	return (
		bundle.of === server &&
		bundle.method === method &&
		bundle.from === tenant &&
		bundle.unknown === unknown
	);
}

/** The conventions want the bare number of a JSON-RPC error. */
export function errorType(code: string): string {
	return code.startsWith(rpc_prefix) ? code.slice(rpc_prefix.length) : code;
}

const rpc_prefix = "rpc_";

/** Methods as labels: those of the protocol and of tasks; what else there is, a caller made up. */
function methodLabel(method: string): string {
	return isCoreMethod(method) || task_methods.has(method) ? method : overflow_label;
}

const task_methods: ReadonlySet<string> = new Set([
	"tasks/get",
	"tasks/list",
	"tasks/result",
	"tasks/cancel",
	"tasks/update",
]);
