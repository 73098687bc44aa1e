import type { Caller } from "../../src/admin/caller.ts";
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
} from "../../src/admin/evidence-backend.ts";
import { type AdminProblem, problemOf } from "../../src/admin/problem.ts";
import { fail, type Result, succeed } from "../../src/lib/result.ts";
import { lineText } from "./call-line.ts";
import { sampleRecord } from "./call-record.ts";

/** A call that is known. */
export const known_call = JSON.parse(lineText(sampleRecord({ id: "call-1" }))) as LoggedCall;

/** Evidence that remembers what it was asked. */
export class RecordingEvidence implements EvidenceBackend, ActionRecorder {
	/** Every action that was begun and how it ended: `addServer(...) 201`. */
	readonly actions: string[] = [];
	/** Refuses every action, as an audit does that cannot be written. */
	refuses = false;
	readonly #calls: string[];

	constructor(calls: string[]) {
		this.#calls = calls;
	}

	async findCalls(wanted: CallsWanted): Promise<Result<CallsFound, AdminProblem>> {
		this.#calls.push(`findCalls(${JSON.stringify(wanted)})`);
		return succeed({ calls: [known_call], next: 7, complete: true });
	}

	async call(id: string): Promise<Result<LoggedCall, AdminProblem>> {
		this.#calls.push(`call(${id})`);
		return id === known_call.id ? succeed(known_call) : fail(unknown);
	}

	async payload(id: string, caller: Caller): Promise<Result<AuditedCallReport, AdminProblem>> {
		this.#calls.push(`payload(${id})`);
		this.actions.push(`${caller.principal.id} read the payload of ${id}`);
		if (id !== known_call.id) return fail(unknown);
		const input = { kind: "text", text: "{}" } as const;
		return succeed({ call: id, entries: [], input, output: { kind: "none" } });
	}

	evidence(): EvidenceStatus {
		this.#calls.push("evidence()");
		return { calls: { lines: 1, dropped: 0, failed: 0 } };
	}

	async verifyAudit(): Promise<Result<VerificationReport, AdminProblem>> {
		this.#calls.push("verifyAudit()");
		return succeed({
			ok: true,
			entries: 2,
			first_seq: 1,
			last_seq: 2,
			attested_seq: 2,
			torn_bytes: 0,
			torn_heads: 0,
			unknown_fates: [],
			lost: 0,
		});
	}

	async eraseAudit(tenant: string, user: string): Promise<Result<Erased, AdminProblem>> {
		this.#calls.push(`eraseAudit(${tenant}, ${user})`);
		return succeed({ tenant, user, keys: 3 });
	}

	async begin({ operation, subject, caller }: AdminAction) {
		if (this.refuses) return fail(problemOf("evidence_unavailable", "The disk is full."));
		const action = `${caller.principal.id} ${operation}(${Object.values(subject).join(", ")})`;
		return succeed(async (status: number) => void this.actions.push(`${action} ${status}`));
	}
}

const unknown = problemOf("call_unknown", "There is no such call.");
