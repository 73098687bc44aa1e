import type { ConfigProblem } from "../config/problem.ts";
import type { Fault, FaultCode } from "../protocol/fault.ts";
import type { ProblemDetails } from "./contract.ts";

/** Codes of the API's own problems, beside the fault codes. Never renamed or reused. */
export type AdminProblemCode =
	| FaultCode
	| "unauthorized" // no token, or not the right one
	| "login_failed" // the name or the password is wrong
	| "too_many_attempts" // of guessing a password
	| "session_over" // the cookie's session has ended, or its credential is good no more
	| "forged_request" // a session's request that may be from another page
	| "forbidden" // the caller has none of the roles that may
	| "link_used" // a one-time link that was used, or has expired
	| "edited_meanwhile" // somebody else has changed it since it was read
	| "not_found" // no such address under /api
	| "method_not_allowed" // the address exists, the method does not
	| "body_too_large"
	| "content_type" // the body is not application/json
	| "invalid_json" // the body is not JSON
	| "invalid_request" // the body or the query is JSON of the wrong shape
	| "server_exists" // the name is taken
	| "config_missing" // there is no configuration file to change
	| "config_refused" // the configuration has mistakes; what ran before runs on
	| "version_unknown" // there is no such version of the server
	| "not_known_yet" // nobody has found it out, and whoever asks may start nothing to do so
	| "nothing_to_do" // what was asked for is so already, or nothing waits for it
	| "release_failed" // a new version was given up; the old one runs on
	| "call_unknown" // no such call in the history, or not any more
	| "history_unavailable" // no history is kept, or it cannot be read
	| "audit_unavailable" // the audit is off, or cannot be read
	| "secret_unknown" // there is no such secret
	| "upstream_grant_unknown" // nobody has authorized that
	| "secret_refused" // a name or a value that the vault does not take
	| "alert_unknown"
	| "silence_unknown"
	| "backup_failed" // there is something at its place, or the system refused to write it
	| "user_exists" // the name is taken in that tenant
	| "user_unknown"
	| "key_exists"
	| "key_unknown"
	| "tenant_unknown" // nobody and nothing of it is known
	| "client_exists"
	| "client_unknown"
	| "grant_unknown"
	| "mcp_session_unknown" // there is no session of that id any more
	| "kill_switch_unknown" // nothing of that name is switched off
	| "too_many" // a limit of how many there may be is reached
	| "not_stored" // it could not be written to the store
	| "approval_unknown" // there is no such approval, or it is not the caller's to know of
	| "approval_over" // nothing is to be decided about it any more
	| "rpc_error"; // the server answered with an error of its own

/** What is wrong with one member of a body. */
export interface FieldError {
	/** Path of the member, its parts joined by dots. */
	readonly field: string;
	/** A sentence. */
	readonly message: string;
}

/** Something the API refuses or could not do. */
export interface AdminProblem {
	readonly code: AdminProblemCode;
	/** A sentence: what happened. */
	readonly message: string;
	/** A sentence: what to do next. */
	readonly next: string;
	/** Stands in the gateway's log too. */
	readonly error_id?: string | undefined;
	/** Mistakes in the configuration file, one by one. */
	readonly config?: readonly (ConfigProblem & { readonly field?: string })[] | undefined;
	/** Mistakes by the member of the body that each is about. */
	readonly errors?: readonly FieldError[] | undefined;
	/** The server's own JSON-RPC error code. */
	readonly rpc_code?: number | undefined;
}

interface CodeFacts {
	readonly status: number;
	readonly title: string;
	/** What to do about a fault of this code. */
	readonly next: string;
}

const look_at_logs = "See what the server wrote: `moorage logs NAME`.";
const try_again = "Try again in a moment.";

/** HTTP status, title and remedy of every code. */
export const problem_facts: Readonly<Record<AdminProblemCode, CodeFacts>> = {
	server_starting: { status: 503, title: "Server is still starting", next: try_again },
	server_failed: { status: 502, title: "Server has failed", next: look_at_logs },
	server_exited: { status: 502, title: "Server went away", next: look_at_logs },
	server_unreachable: {
		status: 502,
		title: "Server is unreachable",
		next: "Check the server's address and the network.",
	},
	server_protocol: { status: 502, title: "Server broke the protocol", next: look_at_logs },
	server_rejected: {
		status: 502,
		title: "Server refused",
		next: "Check the server's address and credentials.",
	},
	authorization_required: {
		status: 502,
		title: "Server needs authorization",
		next: "Set `headers` or `oauth` for the server, or open the page that its log names.",
	},
	authorization_failed: {
		status: 502,
		title: "Server did not allow it",
		next: "Check what the server's credentials may do, and its `oauth` settings.",
	},
	reply_too_large: {
		status: 502,
		title: "Reply is too large",
		next: "Ask the tool for less at once.",
	},
	call_timeout: {
		status: 504,
		title: "Call timed out",
		next: "Raise the server's call timeout, or ask for less at once.",
	},
	command_missing: {
		status: 502,
		title: "Program is not installed",
		next: "Run `moorage doctor`: it says what to install.",
	},
	isolation_missing: {
		status: 502,
		title: "Server cannot be confined on this machine",
		next: "Run `moorage doctor`: it says what is missing.",
	},
	install_failed: {
		status: 502,
		title: "Package could not be installed",
		next: look_at_logs,
	},
	package_changed: {
		status: 502,
		title: "Package is not what is locked",
		next: look_at_logs,
	},
	call_cancelled: { status: 400, title: "Call was cancelled", next: "Call again if wanted." },
	server_unknown: {
		status: 404,
		title: "No such server",
		next: "List the servers: `moorage ls`.",
	},
	not_offered: {
		status: 404,
		title: "Not offered by this server",
		next: "List what it offers: `moorage tools NAME`.",
	},
	not_supported: {
		status: 400,
		title: "Not supported",
		next: "Use another way: the two sides' revisions cannot carry this.",
	},
	policy_denied: {
		status: 403,
		title: "Not allowed",
		next: "Ask whoever runs this gateway; the rule is named in the message.",
	},
	scope_missing: {
		status: 403,
		title: "Token lacks a scope",
		next: "Log in again and agree to the scopes that the message names.",
	},
	switched_off: {
		status: 403,
		title: "Switched off",
		next: "Ask whoever switched it off; the reason is in the message.",
	},
	rate_limited: { status: 429, title: "Too many calls", next: try_again },
	loop_detected: {
		status: 429,
		title: "The same call again and again",
		next: "Call with other arguments, or find out why the caller repeats itself.",
	},
	arguments_invalid: {
		status: 400,
		title: "Arguments do not fit the tool",
		next: "See the tool's schema: `moorage tools NAME`.",
	},
	approval_pending: {
		status: 403,
		title: "Waits for an approval",
		next: "Make the same call again once it is approved.",
	},
	approval_denied: {
		status: 403,
		title: "Was not approved",
		next: "Ask whoever decided; the reason is in the message.",
	},
	evidence_unavailable: {
		status: 503,
		title: "The audit cannot be written",
		next: "Look at the gateway's log and at the space left on its disk.",
	},
	secret_unavailable: {
		status: 502,
		title: "A secret cannot be had",
		next: "Check the server's secrets and where they come from.",
	},
	queue_full: { status: 503, title: "Too many calls wait", next: try_again },
	overloaded: { status: 503, title: "Too many requests at once", next: try_again },
	gateway_stopping: {
		status: 503,
		title: "Gateway is stopping",
		next: "Start it again: `moorage up`.",
	},
	internal: {
		status: 500,
		title: "Internal error",
		next: "The gateway's log has the detail under this error's id.",
	},
	unauthorized: {
		status: 401,
		title: "Token needed",
		next: "Send `Authorization: Bearer` with the content of keys/admin-token in the data folder.",
	},
	login_failed: {
		status: 401,
		title: "Not signed in",
		next: "Look at the name and the password, and whether the name needs its tenant: acme/ana.",
	},
	too_many_attempts: {
		status: 429,
		title: "Too many attempts",
		next: "Wait as long as the message says. An administrator can set another password.",
	},
	session_over: {
		status: 401,
		title: "Session is over",
		next: "Sign in again, or with a new link from `moorage dashboard`.",
	},
	forged_request: {
		status: 403,
		title: "Not from the dashboard",
		next: "Reload the dashboard, or send a bearer token instead of a cookie.",
	},
	forbidden: {
		status: 403,
		title: "Not allowed",
		next: "Ask an administrator for one of the roles that may.",
	},
	link_used: {
		status: 401,
		title: "Link is not good any more",
		next: "Make a new one: `moorage dashboard`.",
	},
	edited_meanwhile: {
		status: 412,
		title: "Changed by somebody else meanwhile",
		next: "Read it again, and make your change to what it is now.",
	},
	not_found: {
		status: 404,
		title: "No such address",
		next: "See /api/openapi.json for what there is.",
	},
	method_not_allowed: {
		status: 405,
		title: "Method not allowed",
		next: "Use one of the methods the Allow header names.",
	},
	body_too_large: { status: 413, title: "Body is too large", next: "Send a smaller body." },
	content_type: {
		status: 415,
		title: "Wrong content type",
		next: "Send `Content-Type: application/json`.",
	},
	invalid_json: { status: 400, title: "Body is not JSON", next: "Send valid JSON." },
	invalid_request: {
		status: 400,
		title: "Request has the wrong shape",
		next: "See /api/openapi.json for the right one.",
	},
	server_exists: {
		status: 409,
		title: "Name is taken",
		next: "Choose another name, or remove that server first.",
	},
	config_missing: {
		status: 409,
		title: "No configuration file",
		next: "Start the gateway with a configuration file: `moorage up moorage.yaml`.",
	},
	config_refused: {
		status: 422,
		title: "Configuration refused",
		next: "Correct the configuration; what ran before keeps running.",
	},
	version_unknown: {
		status: 404,
		title: "No such version",
		next: "List the versions: `moorage versions NAME`.",
	},
	not_known_yet: {
		status: 409,
		title: "Not known yet",
		next: "Ask somebody with the role admin to look: only they start programs by looking.",
	},
	nothing_to_do: {
		status: 409,
		title: "Nothing to do",
		next: "List the versions: `moorage versions NAME`.",
	},
	release_failed: { status: 502, title: "New version was given up", next: look_at_logs },
	call_unknown: {
		status: 404,
		title: "No such call",
		next: "See which there are: `moorage calls`. Old ones leave the history.",
	},
	history_unavailable: {
		status: 503,
		title: "The history cannot be read",
		next: "See that `calls.history` is on and that the disk is not full; the gateway's log has more.",
	},
	audit_unavailable: {
		status: 503,
		title: "The audit cannot be read",
		next: "See that `audit` is on, and look at the gateway's log.",
	},
	secret_unknown: {
		status: 404,
		title: "No such secret",
		next: "List the secrets: `moorage secret ls`.",
	},
	upstream_grant_unknown: {
		status: 404,
		title: "No such authorization",
		next: "List them: `moorage grant ls`.",
	},
	secret_refused: {
		status: 422,
		title: "Secret was not stored",
		next: "Choose another name or value.",
	},
	alert_unknown: {
		status: 404,
		title: "No such alert",
		next: "See which there are: GET /api/alerts.",
	},
	silence_unknown: {
		status: 404,
		title: "No such silence",
		next: "See which there are: GET /api/alerts.",
	},
	backup_failed: {
		status: 409,
		title: "Backup was not made",
		next: "Name a folder that does not exist yet, where there is room and this user may write.",
	},
	user_exists: {
		status: 409,
		title: "User exists",
		next: "Choose another name, or change that user.",
	},
	user_unknown: {
		status: 404,
		title: "No such user",
		next: "List the users: `moorage user ls`.",
	},
	tenant_unknown: {
		status: 404,
		title: "No such tenant",
		next: "See which there are: GET /api/tenants.",
	},
	key_exists: { status: 409, title: "Key exists", next: "Choose another name for the key." },
	key_unknown: { status: 404, title: "No such key", next: "List the keys: `moorage key ls`." },
	client_exists: { status: 409, title: "Client exists", next: "Choose another id for it." },
	client_unknown: {
		status: 404,
		title: "No such client",
		next: "List the clients: `moorage client ls`.",
	},
	grant_unknown: { status: 404, title: "No such grant", next: "List them: GET /api/grants." },
	mcp_session_unknown: {
		status: 404,
		title: "No such session",
		next: "List the sessions: `moorage session ls`.",
	},
	kill_switch_unknown: {
		status: 404,
		title: "Not switched off",
		next: "List what is: `moorage kills`.",
	},
	too_many: { status: 409, title: "Too many of them", next: "Remove some first." },
	not_stored: {
		status: 503,
		title: "Could not be stored",
		next: "Look at the gateway's log and at the space left on its disk, and do it again.",
	},
	approval_unknown: {
		status: 404,
		title: "No such approval",
		next: "List what there is: `moorage approvals`.",
	},
	approval_over: {
		status: 409,
		title: "Nothing to decide any more",
		next: "See what became of it: `moorage approvals show ID`.",
	},
	rpc_error: {
		status: 502,
		title: "Server answered with an error",
		next: "Check the arguments against the tool's inputSchema.",
	},
};

/** A problem of this code with its usual remedy. */
export function problemOf(code: AdminProblemCode, message: string): AdminProblem {
	return { code, message, next: problem_facts[code].next };
}

/** What a fault of the data path is for a user of the API. */
export function problemOfFault(fault: Fault): AdminProblem {
	const next = problem_facts[fault.code].next.replace("NAME", fault.server ?? "NAME");
	return { code: fault.code, message: fault.message, next, error_id: fault.id };
}

/** Invalid params (JSON-RPC 2.0, section 5.1): the caller's mistake, not the server's. */
const invalid_params = -32602;

/** A problem in the form of RFC 9457. */
export function problemDetails(problem: AdminProblem): ProblemDetails {
	const facts = problem_facts[problem.code];
	return {
		type: `tag:moorage.dev,2026:problem/${problem.code}`,
		title: facts.title,
		status: problem.rpc_code === invalid_params ? 400 : facts.status,
		detail: problem.message,
		code: problem.code,
		next: problem.next,
		...(problem.error_id === undefined ? {} : { error_id: problem.error_id }),
		...(problem.rpc_code === undefined ? {} : { rpc_code: problem.rpc_code }),
		...(problem.config === undefined ? {} : { config: [...problem.config] }),
		...(problem.errors === undefined ? {} : { errors: [...problem.errors] }),
	};
}

/** The HTTP response for a problem. Never cached. */
export function problemResponse(
	problem: AdminProblem,
	headers: Readonly<Record<string, string>> = {},
): Response {
	const details = problemDetails(problem);
	return new Response(`${JSON.stringify(details)}\n`, {
		status: details.status,
		headers: {
			"content-type": "application/problem+json",
			"cache-control": "no-store",
			...headers,
		},
	});
}
