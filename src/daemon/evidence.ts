import { isUtf8 } from "node:buffer";
import { readFile } from "node:fs/promises";
import type { Caller } from "../admin/caller.ts";
import type {
	ActionRecorder,
	AdminAction,
	AuditedCallReport,
	CallsFound,
	CallsWanted,
	Erased,
	EvidenceBackend,
	EvidenceStatus,
	LoggedCall,
	VerificationReport,
} from "../admin/evidence-backend.ts";
import { type AdminProblem, problemOf } from "../admin/problem.ts";
import type { AdminEntry } from "../audit/entries.ts";
import type { AuditedCall, AuditedPayload } from "../audit/read-call.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { AuditWing } from "./wings/audit.ts";
import type { CallsWing } from "./wings/calls.ts";
import { OffSwitchWing } from "./wings/off-switches.ts";
import type { WingParts } from "./wings.ts";

/** What the evidence of a house is read from. */
export interface EvidenceRooms {
	readonly parts: WingParts;
	readonly audit: AuditWing;
	readonly calls: CallsWing;
}

/** The largest state before and after that is written down of an action. */
const state_bytes_max = 1024 * 1024;

/** What the admin API sees of the call log, the history and the audit. */
export class DaemonEvidence implements EvidenceBackend, ActionRecorder {
	readonly #rooms: EvidenceRooms;
	/** The text of the configuration that is used. */
	#configuration: string | undefined;

	constructor(rooms: EvidenceRooms) {
		this.#rooms = rooms;
	}

	async findCalls(wanted: CallsWanted): Promise<Result<CallsFound, AdminProblem>> {
		const { log } = this.#rooms.calls;
		if (log === undefined) return fail(problemOf("history_unavailable", "Nothing is kept yet."));
		try {
			const { calls, next, complete } = await log.find(wanted);
			return succeed({ calls: calls as readonly LoggedCall[], next, complete });
		} catch (error) {
			return fail(unavailable("The history", error));
		}
	}

	async call(id: string): Promise<Result<LoggedCall, AdminProblem>> {
		try {
			const call = await this.#rooms.calls.log?.get(id);
			return call === undefined ? fail(unknownCall(id)) : succeed(call as LoggedCall);
		} catch (error) {
			return fail(unavailable("The history", error));
		}
	}

	async payload(id: string, caller: Caller): Promise<Result<AuditedCallReport, AdminProblem>> {
		const { audit } = this.#rooms.audit;
		if (audit === undefined) return fail(audit_off);
		const action = { operation: "getCallPayload", subject: { id }, caller };
		const begun = await this.begin(action);
		if (!begun.ok) return begun;
		try {
			const logged = await this.#rooms.calls.log?.get(id).catch(() => undefined);
			await audit.flush();
			const at_ms = logged === undefined ? undefined : Date.parse(logged.ts);
			const found = await this.#rooms.audit.read(id, at_ms);
			await begun.value(found === undefined ? 404 : 200);
			return found === undefined ? fail(unknownCall(id)) : succeed(reportOf(id, found));
		} catch (error) {
			await begun.value(503);
			return fail(unavailable("The audit", error));
		}
	}

	evidence(): EvidenceStatus {
		const { audit, calls } = this.#rooms;
		const { lines, failed, ...log } = calls.log?.totals ?? { lines: 0, dropped: 0, failed: 0 };
		const dropped = log.dropped + calls.stdout_lost;
		const kept = audit.audit;
		if (kept === undefined) return { calls: { lines, dropped, failed } };
		const { failing, totals } = kept;
		return {
			calls: { lines, dropped, failed },
			audit: {
				mode: kept.is_required ? "required" : "on",
				...totals,
				...(failing === undefined ? {} : { failing }),
				public_key: audit.public_key ?? "",
			},
		};
	}

	async verifyAudit(): Promise<Result<VerificationReport, AdminProblem>> {
		try {
			await this.#rooms.audit.audit?.flush();
			const found = await this.#rooms.audit.verify();
			const { problem, ...rest } = found;
			const unknown_fates = rest.unknown_fates.map((one) => ({ ...one, entry: { ...one.entry } }));
			const report = { ok: problem === undefined, ...rest, unknown_fates };
			return succeed(problem === undefined ? report : { ...report, problem });
		} catch (error) {
			return fail(unavailable("The audit", error));
		}
	}

	async eraseAudit(tenant: string, user: string): Promise<Result<Erased, AdminProblem>> {
		const { audit } = this.#rooms;
		if (audit.audit === undefined) return fail(audit_off);
		try {
			return succeed({ tenant, user, keys: await audit.erase(tenant, user) });
		} catch (error) {
			return fail(unavailable("The audit", error));
		}
	}

	/** Keeps the audit from letting go of anything until the returned function is called. */
	holdAudit(): Promise<() => void> {
		return this.#rooms.audit.hold();
	}

	/** Remembers the configuration as it is, to tell what changes of it change. */
	async start(): Promise<void> {
		this.#configuration = await this.#readConfiguration();
	}

	/** Writes down that another configuration is used, whoever has written it. */
	async noteConfiguration(): Promise<void> {
		const { audit } = this.#rooms.audit;
		const before = this.#configuration;
		const after = await this.#readConfiguration();
		if (audit === undefined || after === before) return;
		this.#configuration = after;
		const { clock, random } = this.#rooms.parts.options;
		const entry: AdminEntry = {
			id: random.uuid(),
			at_ms: clock.now(),
			tenant_id: "local",
			user: "gateway",
			roles: [],
			action: "useConfiguration",
			subject: {},
		};
		// It is in use already: where this cannot be written, nothing is there to be refused.
		await audit.beginAction(entry, before?.slice(0, state_bytes_max)).catch(() => undefined);
		const ended = { ...entry, at_ms: clock.now(), status: 200 };
		await audit.endAction(ended, after?.slice(0, state_bytes_max));
	}

	async #readConfiguration(): Promise<string | undefined> {
		const { path } = this.#rooms.parts.plan().source;
		return path === undefined ? undefined : readFile(path, "utf8").catch(() => undefined);
	}

	async begin(
		action: AdminAction,
	): Promise<Result<(status: number) => Promise<void>, AdminProblem>> {
		const { audit } = this.#rooms.audit;
		if (audit === undefined) return succeed(() => Promise.resolve());
		const { clock, random } = this.#rooms.parts.options;
		const { principal, roles } = action.caller;
		const entry: AdminEntry = {
			id: random.uuid(),
			at_ms: clock.now(),
			tenant_id: principal.tenant,
			user: principal.user,
			roles,
			action: action.operation,
			subject: action.subject,
		};
		const before = await this.#state(action);
		try {
			await audit.beginAction(entry, before);
		} catch (error) {
			const message = "This was not done, because it could not be written to the audit first.";
			const reason = error instanceof Error ? ` (${error.message})` : "";
			return fail(problemOf("evidence_unavailable", `${message}${reason}`));
		}
		return succeed(async (status: number) => {
			const after = await this.#state(action);
			const ended = { ...entry, at_ms: clock.now(), status };
			await audit.endAction(ended, after === before ? undefined : after);
		});
	}

	/** What an action may change: the configuration, which versions run, and what is off. */
	async #state({ operation }: AdminAction): Promise<string | undefined> {
		if (operation === "getCallPayload") return undefined;
		const plan = this.#rooms.parts.plan();
		const { path } = plan.source;
		const configuration =
			path === undefined ? null : await readFile(path, "utf8").catch(() => null);
		const running = plan.servers.map(({ name, fingerprint }) => ({ name, fingerprint }));
		const off = this.#rooms.parts.wings().of(OffSwitchWing).kill_switches.list();
		return JSON.stringify({ configuration, running, off }).slice(0, state_bytes_max);
	}
}

const audit_off = problemOf("audit_unavailable", "The audit is off.");

function unknownCall(id: string): AdminProblem {
	return problemOf("call_unknown", `There is no call "${id}" here, or not any more.`);
}

function unavailable(what: string, error: unknown): AdminProblem {
	const reason = error instanceof Error ? error.message : String(error);
	const code = what === "The audit" ? "audit_unavailable" : "history_unavailable";
	return problemOf(code, `${what} cannot be read: ${reason}.`);
}

function reportOf(call: string, { entries, input, output }: AuditedCall): AuditedCallReport {
	return {
		call,
		entries: entries.map((entry) => ({ ...entry, kind: String(entry["kind"]) })),
		input: payloadOf(input),
		output: payloadOf(output),
	};
}

function payloadOf(payload: AuditedPayload): AuditedCallReport["input"] {
	if (payload.kind !== "bytes") return { kind: payload.kind };
	const { bytes } = payload;
	return isUtf8(bytes)
		? { kind: "text", text: bytes.toString("utf8") }
		: { kind: "base64", base64: bytes.toString("base64") };
}
