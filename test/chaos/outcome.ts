import { type CallResult, call_ms_max } from "./clients.ts";

/** How one call ended at its client. */
export type Outcome =
	/** With the result that it should have, nobody else's and all of it. */
	| "result"
	/** With an error that says what happened: the gateway's own, or a broken connection. */
	| "fault"
	| "disconnected"
	/** In a way that no call may end. */
	| "wrong";

/** A call that has ended. */
export interface Ended {
	readonly id: string;
	readonly outcome: Outcome;
	/** What the client was told, where it was no result. */
	readonly why: string;
}

const fault_key = "dev.moorage/error";

/** Faults that may come of what is done to a gateway and its servers here. */
const expected_faults = new Set([
	"server_exited",
	"server_unreachable",
	"server_starting",
	"server_failed",
]);

/** What the SDKs and the platform call a connection that broke or could not be made. */
const broken_connection =
	/fetch failed|terminated|ECONNRE|socket|other side closed|connection (?:closed|lost)|disconnected/iu;

/** A parked call is lost with the gateway that parked it, and its client is told to start anew. */
const lost_parking = /requestState has expired or was answered already/u;

/** Judges a result; `text` is what it should say. */
export function judgeResult(id: string, result: CallResult, text: string): Ended {
	const said = result.content?.[0]?.text ?? "";
	if (result.isError !== true) {
		if (said === text) return { id, outcome: "result", why: "" };
		return { id, outcome: "wrong", why: `the result says "${said.slice(0, 120)}"` };
	}
	const fault = result._meta?.[fault_key] as { code?: string } | undefined;
	const honest = fault?.code !== undefined && expected_faults.has(fault.code);
	return { id, outcome: honest ? "fault" : "wrong", why: said };
}

/** Judges what a call was rejected with. */
export function judgeError(id: string, error: unknown, took_ms: number): Ended {
	const parts: string[] = [];
	for (let at = error; at instanceof Error; at = at.cause) {
		const code = (at as { code?: unknown }).code;
		parts.push(typeof code === "string" ? `${at.message} (${code})` : at.message);
	}
	const why = parts.join(": ");
	if (took_ms >= call_ms_max) return { id, outcome: "wrong", why: `it never ended: ${why}` };
	if (lost_parking.test(why)) return { id, outcome: "fault", why };
	return { id, outcome: broken_connection.test(why) ? "disconnected" : "wrong", why };
}
