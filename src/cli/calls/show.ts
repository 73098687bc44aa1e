import type { AuditedCallReport, LoggedCall } from "../../admin/evidence-backend.ts";
import type { AdminClient } from "../client.ts";
import type { CommandContext } from "../context.ts";
import { exit_codes } from "../exit-codes.ts";
import { type Output, printable } from "../output.ts";

/** `moorage calls show ID` */
export async function showCall(
	client: AdminClient,
	id: string,
	options: { readonly json: boolean; readonly payload: boolean },
	{ output }: CommandContext,
): Promise<number> {
	const path = { id };
	const { value: call } = await client.request("getCall", { path });
	const audited = options.payload
		? (await client.request("getCallPayload", { path })).value
		: undefined;
	if (options.json) {
		output.json(audited === undefined ? call : { ...call, audit: audited });
		return exit_codes.ok;
	}
	printCall(call, output);
	if (audited !== undefined) printPayload(audited, output);
	return exit_codes.ok;
}

function printCall(call: LoggedCall, output: Output): void {
	const { requests, ...one } = call;
	const shown = requests === 1 ? one : call;
	const members = Object.entries(shown).filter(([, value]) => value !== null && value !== 0);
	const width = Math.max(...members.map(([name]) => name.length));
	for (const [name, value] of members) {
		output.line(`${output.look("dim", name.padEnd(width))}  ${printable(String(value))}`);
	}
}

function printPayload({ entries, input, output: out }: AuditedCallReport, output: Output): void {
	const numbers = entries.map(({ seq, kind }) => `${seq} (${kind})`).join(", ");
	output.line();
	output.line(`In the audit: ${numbers}`);
	for (const [title, payload] of [
		["What came in:", input],
		["What went out:", out],
	] as const) {
		output.line();
		output.line(output.look("bold", title));
		output.line(textOf(payload));
	}
}

function textOf(payload: AuditedCallReport["input"]): string {
	switch (payload.kind) {
		case "text":
			return printable(payload.text);
		case "base64":
			return payload.base64;
		case "none":
			return "(nothing was kept)";
		case "erased":
			return "(erased: its key was destroyed)";
	}
}
