import type { Caller } from "../../src/admin/caller.ts";
import { type AdminProblem, problemOf } from "../../src/admin/problem.ts";
import type {
	ApprovalView,
	DecisionBody,
	KillRequestBody,
	KillSwitchView,
	SafetyBackend,
} from "../../src/admin/safety-backend.ts";
import { fail, type Result, succeed } from "../../src/lib/result.ts";

const switched: KillSwitchView = {
	id: "server:time",
	kind: "server",
	name: "time",
	reason: "It is late.",
	set_by: "admin",
	set_at_ms: 1,
};

const waiting: ApprovalView = {
	id: "appr_1",
	state: "pending",
	principal: "acme/ana",
	client_name: "tester",
	server: "time",
	tool: "set",
	arguments: { at: 1 },
	arguments_json: '{"at":1}',
	arguments_hash: "h",
	approvers: [],
	needed: 1,
	other_than_caller: false,
	may_edit: true,
	may_decide: true,
	votes: [],
	created_at_ms: 1,
	expires_at_ms: 2,
	url: "http://127.0.0.1:1/approvals/appr_1",
};

/** Off switches and approvals in the hands of a test: one of each is there. */
export class RecordingSafety implements SafetyBackend {
	readonly #calls: string[];

	constructor(calls: string[]) {
		this.#calls = calls;
	}

	killSwitches(): readonly KillSwitchView[] {
		this.#calls.push("killSwitches()");
		return [switched];
	}

	async kill(
		request: KillRequestBody,
		caller: Caller,
	): Promise<Result<KillSwitchView, AdminProblem>> {
		this.#calls.push(`kill(${JSON.stringify(request)}, ${caller.principal.id})`);
		if (request.name === "taken") return fail(problemOf("too_many", "There are too many."));
		return succeed(switched);
	}

	async unkill(id: string, caller: Caller): Promise<Result<KillSwitchView, AdminProblem>> {
		this.#calls.push(`unkill(${id}, ${caller.principal.id})`);
		return id === switched.id
			? succeed(switched)
			: fail(problemOf("kill_switch_unknown", "Nothing."));
	}

	async approvals(caller: Caller): Promise<readonly ApprovalView[]> {
		this.#calls.push(`approvals(${caller.principal.id})`);
		return [waiting];
	}

	async approval(id: string, caller: Caller): Promise<ApprovalView | undefined> {
		this.#calls.push(`approval(${id}, ${caller.principal.id})`);
		return id === waiting.id ? waiting : undefined;
	}

	async decide(
		id: string,
		decision: Omit<DecisionBody, "arguments">,
		edited_json: string | undefined,
		caller: Caller,
	): Promise<Result<ApprovalView, AdminProblem>> {
		const what = `${JSON.stringify(decision)}, ${edited_json}, ${caller.principal.id}`;
		this.#calls.push(`decide(${id}, ${what})`);
		if (id !== waiting.id) return fail(problemOf("approval_unknown", "Nothing."));
		return succeed({ ...waiting, state: "approved" });
	}
}
