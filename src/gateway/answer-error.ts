import type { ServerResponse } from "node:http";
import type { CredentialCode } from "../identity/credential-problem.ts";
import { rpc_codes } from "../protocol/codes.ts";
import { type FaultCode, fault_rpc_codes } from "../protocol/fault.ts";
import { composeError } from "../wire/compose.ts";

/** Why a request is not served at all, for programs; the codes of faults are among them. */
export type RefusalCode =
	| FaultCode
	| CredentialCode
	| "host_not_allowed"
	| "identity_required"
	| "not_encrypted"
	| "not_found"
	| "origin_not_allowed"
	| "scope_insufficient"
	| "sse_refused";

/** A refusal before anything of the request's body has been looked at. */
export interface Refusal {
	readonly code: RefusalCode;
	/** A sentence that says what to do next. */
	readonly message: string;
	/** Joins the reply and the log line, where there is one. */
	readonly error_id?: string;
	/** Raw JSON of the id it answers, where that was read. */
	readonly id?: string | undefined;
}

/**
 * Refuses a request to an MCP address in the protocol's own words: clients take every JSON body
 * there for a message, and a modern one tells the era of its server by it. Where the
 * body was not read, it is not known whose request it was: its id is null (JSON-RPC 2.0,
 * section 5).
 */
export function answerError(
	response: ServerResponse,
	status: number,
	refusal: Refusal,
	headers: Readonly<Record<string, string>> = {},
): void {
	const { code, message, error_id, id = "null" } = refusal;
	const rpc_code = code in fault_rpc_codes ? fault_rpc_codes[code as FaultCode] : undefined;
	const data = JSON.stringify({ code, error_id, retry_safe: status !== 500 });
	const bytes = composeError(id, rpc_code ?? rpc_codes.invalid_request, message, data);
	response.writeHead(status, {
		...headers,
		"content-type": "application/json",
		"content-length": bytes.length,
		"cache-control": "no-store",
	});
	response.end(bytes);
}
