import { absent_meta_key, meta_keys } from "../../protocol/meta.ts";
import { modern_revisions } from "../../protocol/revisions.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import { absentNotes } from "./absent-notes.ts";
import { endpointHello } from "./endpoint-hello.ts";
import { offeredHere, withTasks } from "./offered-here.ts";

/** Answers `server/discover` for an endpoint (discovery, 2026-07-28). */
export async function discover(call: Call, context: GatewayContext): Promise<Reply> {
	const outcome = await endpointHello(call, context);
	if (!outcome.ok) return { kind: "fault", fault: outcome.problem };
	const hello = outcome.value;
	const notes = absentNotes(hello.absent);
	const meta =
		`{"${meta_keys.server_info}":${hello.server_info}` +
		`${notes === undefined ? "" : `,"${absent_meta_key}":${notes}`}}`;
	const text = JSON.stringify(hello.instructions);
	const instructions = text === undefined ? "" : `"instructions":${text},`;
	const offered = offeredHere(hello.capabilities, "modern");
	const capabilities = context.approvals?.tasks?.may_make === true ? withTasks(offered) : offered;
	const result =
		`{"resultType":"complete","supportedVersions":${JSON.stringify(modern_revisions)},` +
		`"capabilities":${JSON.stringify(capabilities)},${instructions}` +
		`"ttlMs":0,"cacheScope":"private","_meta":${meta}}`;
	return { kind: "result", json: result };
}
