import type { SecretBox } from "../secrets/box.ts";
import type { StoredApproval } from "../store/approval-repository.ts";
import type { Approval, ApprovalState } from "./approval.ts";

/** What stands in the table in the clear; the rest is sealed, because it holds the arguments. */
const clear = [
	"id",
	"revision",
	"state",
	"principal",
	"made_by",
	"server",
	"tool",
	"created_at_ms",
	"expires_at_ms",
	"ended_at_ms",
] as const;

/** An approval as it is kept. */
export function toStored(approval: Approval, box: SecretBox): StoredApproval {
	const { asked_hash, id, revision, state, principal, made_by, server, tool } = approval;
	const { created_at_ms, expires_at_ms, ended_at_ms } = approval;
	const hidden = Object.fromEntries(
		Object.entries(approval).filter(([key]) => !clear.some((name) => name === key)),
	);
	const times = { created_at_ms, expires_at_ms, ended_at_ms };
	const body = box.seal(JSON.stringify(hidden), aboutOf(id));
	const call = { principal, made_by, server, tool, arguments_hash: asked_hash };
	return { id, revision, state, ...call, ...times, body };
}

/** An approval as it was kept; undefined where it was sealed with another key. */
export function fromStored(stored: StoredApproval, box: SecretBox): Approval | undefined {
	const text = box.open(stored.body, aboutOf(stored.id));
	if (text === undefined) return undefined;
	const { body: _, arguments_hash: __, state, ...rest } = stored;
	const hidden = JSON.parse(text) as Omit<Approval, (typeof clear)[number]>;
	return { ...optional, ...hidden, ...rest, state: state as ApprovalState };
}

/** Members that JSON leaves out where they are undefined. */
const optional = {
	client: undefined,
	risk: undefined,
	rule: undefined,
	edited_by: undefined,
	decided_at_ms: undefined,
	after: undefined,
};

function aboutOf(id: string): string {
	return `approval ${id}`;
}
