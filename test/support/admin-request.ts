import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { TestGateway } from "./gateway.ts";

/** An answer of the admin API. */
export interface AdminAnswer<Body = Record<string, unknown>> {
	readonly status: number;
	readonly body: Body;
}

/** Asks the admin API of a gateway; with the admin token unless another credential is given. */
export async function adminRequest<Body = Record<string, unknown>>(
	gateway: TestGateway,
	method: string,
	path: string,
	body?: unknown,
	credential?: string,
): Promise<AdminAnswer<Body>> {
	const token = credential ?? (await readFile(gateway.daemon.admin_token_path, "utf8")).trim();
	const response = await fetch(new URL(path, gateway.url), {
		method,
		headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
		...(body === undefined ? {} : { body: JSON.stringify(body) }),
	});
	return { status: response.status, body: (await response.json()) as Body };
}

/** The same, where it has to succeed. */
export async function adminDone<Body = Record<string, unknown>>(
	gateway: TestGateway,
	method: string,
	path: string,
	body?: unknown,
	credential?: string,
): Promise<Body> {
	const answer = await adminRequest<Body>(gateway, method, path, body, credential);
	assert.ok(
		answer.status < 300,
		`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`,
	);
	return answer.body;
}
