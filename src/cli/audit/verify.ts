import { existsSync } from "node:fs";
import { system_disk } from "../../audit/disk.ts";
import { auditPlaces } from "../../audit/places.ts";
import {
	type OpenIntent,
	open_intents_max,
	type Verification,
	verifyLog,
} from "../../audit/verify.ts";
import type { CommandContext } from "../context.ts";
import { exit_codes } from "../exit-codes.ts";
import { CommandFailure } from "../failure.ts";
import { type Output, printable } from "../output.ts";
import { auditVerifier } from "./key.ts";

/** Intents that are printed one by one. */
const intents_shown_max = 20;

/** `moorage audit verify` */
export async function verifyAudit(
	data: string,
	options: { readonly json: boolean; readonly public_key: string | undefined },
	context: CommandContext,
): Promise<number> {
	const verifier = await auditVerifier(data, options.public_key, context);
	const { folder, signing_key } = auditPlaces(data);
	// Whoever writes a log has the key that signs it.
	const is_copy = !existsSync(signing_key);
	let found: Verification;
	try {
		found = verifyLog(folder, { disk: system_disk, verifier, is_copy });
	} catch (error) {
		throw new CommandFailure({
			exit_code: exit_codes.failed,
			code: "audit_unreadable",
			message: `The audit in ${folder} cannot be read (${(error as Error).message}).`,
			next: "Run this as the user who runs the gateway.",
		});
	}
	const { problem } = found;
	if (options.json) context.output.json({ ok: problem === undefined, folder, ...found });
	else print(found, folder, context.output);
	return problem === undefined ? exit_codes.ok : exit_codes.failed;
}

function print(found: Verification, folder: string, output: Output): void {
	const { problem, entries, first_seq, last_seq, attested_seq, torn_bytes, torn_heads, lost } =
		found;
	if (problem !== undefined) {
		const where = problem.line === 0 ? problem.segment : `${problem.segment}:${problem.line}`;
		output.line(output.look("red", `The audit is not whole: ${problem.message}`));
		output.line(`First ${problem.kind} entry: ${problem.seq}, in ${folder}/${where}`);
		output.line(`Entries before it that are whole: ${entries}.`);
	} else if (entries === 0) {
		output.line("The audit has no entries yet.");
	} else {
		output.line(output.look("green", "The audit is whole."));
		output.line(`Entries ${first_seq} to ${last_seq}; signed up to ${attested_seq}.`);
	}
	if (torn_bytes > 0) {
		output.line(`Behind them are ${torn_bytes} bytes of an entry that is not finished.`);
	}
	if (torn_heads > 0) {
		output.line(
			`One of the two slots of 0-head was not as it was written, ${torn_heads} times: ` +
				"the machine failed in that moment, or somebody hides that the last append is shorter now.",
		);
	}
	if (lost > 0) output.line(`The log itself says that ${lost} entries could not be kept.`);
	printIntents(found.unknown_fates, output);
}

function printIntents(intents: readonly OpenIntent[], output: Output): void {
	if (intents.length === 0) return;
	const more = intents.length < open_intents_max ? "" : " or more";
	output.line(`Without an outcome, so of unknown fate or still running: ${intents.length}${more}`);
	output.table(
		["ENTRY", "TIME", "USER", "WHAT", "CALL"],
		intents.slice(0, intents_shown_max).map(({ seq, call, at_ms, entry }) => {
			const { tenant_id, user, server, tool, name, method, action } = entry;
			const parts = [action ?? method, server, tool ?? name].filter(
				(part) => typeof part === "string",
			);
			const what = parts.join(" ");
			const time = new Date(at_ms).toISOString();
			return [String(seq), time, `${tenant_id}/${user}`, printable(what), call];
		}),
	);
}
