import type { ApprovalView } from "../admin/safety-backend.ts";
import { visibleJson } from "../lib/visible-json.ts";
import { type Output, printable } from "./output.ts";

/** Prints one approval with everything that somebody who decides has to see. */
export function printApproval(approval: ApprovalView, output: Output): void {
	const line = (name: string, value: string) => {
		output.line(`${name.padEnd(10)} ${printable(value)}`);
	};
	line("approval", `${approval.id} (${approval.state})`);
	line("call", `${approval.server}: ${approval.tool}`);
	const client = approval.client === undefined ? "" : `, client ${approval.client}`;
	line(
		"caller",
		`${approval.principal} with ${approval.client_name || "an unnamed client"}${client}`,
	);
	if (approval.made_by !== undefined) line("made by", `${approval.made_by}, in the caller's name`);
	if (approval.risk !== undefined) line("risk", approval.risk);
	if (approval.rule !== undefined) line("asked by", approval.rule);
	line("arguments", visibleJson(approval.arguments_json));
	if (approval.edited_by !== undefined) line("edited by", approval.edited_by);
	for (const { verdict, approver, person, reason, via, counts } of approval.votes) {
		const why = reason === undefined ? "" : `: ${reason}`;
		const stale = counts ? "" : " (for other arguments)";
		const who = person === undefined ? approver : `${approver} for ${person}`;
		line(verdict === "approve" ? "approved" : "denied", `by ${who} (${via})${stale}${why}`);
	}
	line(
		"needs",
		`${approval.needed} of ${approval.approvers.join(", ") || "role:approver, role:admin"}`,
	);
	for (const names of approval.also_among ?? []) line("", `also among ${names.join(", ")}`);
	if (approval.other_than_caller) line("", "somebody else than the caller");
	if (approval.after !== undefined) {
		line("beware", `the same call may have run before: its fate is unknown (${approval.after})`);
	}
	line("until", new Date(approval.expires_at_ms).toISOString());
	line("page", approval.url);
}
