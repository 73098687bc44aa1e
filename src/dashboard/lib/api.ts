import type { z } from "zod";
import type { ProblemDetails } from "../../admin/contract.ts";
import type { operations as contract, OperationId } from "../../admin/operations.ts";
import { parseExact, stringifyExact } from "./exact-json.ts";
import { operations } from "./operations.ts";

/** What an operation answers. */
export type Reply<Id extends OperationId> = (typeof contract)[Id] extends { reply: infer Schema }
	? Schema extends z.ZodType
		? z.infer<Schema>
		: never
	: never;

/** What an operation is called with. */
export interface ApiRequest {
	/** Values for the parts of the path. */
	readonly path?: Readonly<Record<string, string>>;
	readonly query?: Readonly<Record<string, string | undefined>>;
	readonly body?: unknown;
	readonly headers?: Readonly<Record<string, string>>;
	readonly signal?: AbortSignal;
}

/** Something the gateway refused, or that it could not be asked. */
export class ApiProblem extends Error {
	readonly code: string;
	readonly status: number;
	/** A sentence: what to do next. */
	readonly next: string;
	/** Mistakes in the configuration, where that is what it is about. */
	readonly config: ProblemDetails["config"];
	/** Mistakes by the member of the body that each is about. */
	readonly errors: ProblemDetails["errors"];
	readonly error_id: string | undefined;

	constructor(details: {
		code: string;
		status: number;
		detail: string;
		next: string;
		config?: ProblemDetails["config"];
		errors?: ProblemDetails["errors"];
		error_id?: string | undefined;
	}) {
		super(details.detail);
		this.code = details.code;
		this.status = details.status;
		this.next = details.next;
		this.config = details.config;
		this.errors = details.errors;
		this.error_id = details.error_id;
	}
}

let csrf: string | undefined;
let onOver: () => void = () => undefined;

/** Changes are sent with this from now on. */
export function setCsrf(token: string | undefined): void {
	csrf = token;
}

/** Calls `fn` whenever the gateway says that nobody is signed in any more. */
export function onSessionOver(fn: () => void): void {
	onOver = fn;
}

/** Operations that answer with values of others: what is edited and sent back keeps its digits. */
const digit_keepers: ReadonlySet<OperationId> = new Set<OperationId>([
	...(["listTools", "listResources", "listPrompts", "getServerSettings"] as const),
]);

/** Performs an operation; rejects with an `ApiProblem`. */
export async function call<Id extends OperationId>(
	id: Id,
	request: ApiRequest = {},
): Promise<Reply<Id>> {
	const response = await send(id, request);
	if (!digit_keepers.has(id)) return (await response.json()) as Reply<Id>;
	return parseExact(await response.text()) as Reply<Id>;
}

/** Performs an operation that answers with a stream; the response is good. */
export async function send(id: OperationId, request: ApiRequest = {}): Promise<Response> {
	const { method } = operations[id];
	const headers = new Headers(request.headers);
	if (request.body !== undefined) headers.set("content-type", "application/json");
	if (method !== "GET" && csrf !== undefined) headers.set("x-moorage-csrf", csrf);
	const response = await reach(addressOf(id, request), {
		method,
		headers,
		credentials: "same-origin",
		...(request.body === undefined ? {} : { body: stringifyExact(request.body) }),
		...(request.signal === undefined ? {} : { signal: request.signal }),
	});
	if (response.ok) return response;
	const problem = await problemOf(response);
	if (problem.status === 401 && id !== "createSession") onOver();
	throw problem;
}

/** The address of an operation, with its path and query filled in. */
export function addressOf(id: OperationId, { path, query }: ApiRequest): string {
	const filled = operations[id].path.replace(/\{(\w+)\}/g, (_whole, name: string) =>
		encodeURIComponent(path?.[name] ?? ""),
	);
	const parameters = new URLSearchParams();
	for (const [name, value] of Object.entries(query ?? {})) {
		if (value !== undefined && value !== "") parameters.set(name, value);
	}
	const text = parameters.toString();
	return text === "" ? filled : `${filled}?${text}`;
}

async function reach(address: string, init: RequestInit): Promise<Response> {
	try {
		return await fetch(address, init);
	} catch (error) {
		if (init.signal?.aborted === true) throw error;
		throw new ApiProblem({
			code: "unreachable",
			status: 0,
			detail: "The gateway does not answer.",
			next: "See whether it still runs. This page goes on by itself once it answers.",
		});
	}
}

async function problemOf(response: Response): Promise<ApiProblem> {
	const text = await response.text();
	try {
		return new ApiProblem(JSON.parse(text) as ProblemDetails);
	} catch {
		return new ApiProblem({
			code: "strange",
			status: response.status,
			detail: `The gateway answered with HTTP status ${response.status}.`,
			next: "Reload the page.",
		});
	}
}

/** What went wrong, whatever was thrown. */
export function problemIn(error: unknown): ApiProblem {
	if (error instanceof ApiProblem) return error;
	const detail = error instanceof Error ? error.message : String(error);
	return new ApiProblem({ code: "page", status: 0, detail, next: "Reload the page." });
}
