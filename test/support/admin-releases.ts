import { readFile } from "node:fs/promises";
import type {
	Changes,
	Deployed,
	Forked,
	ServerStatus,
	VersionList,
} from "../../src/admin/contract.ts";
import type { TestGateway } from "./gateway.ts";

/** What an operation of the admin API answered. */
export type Answer<Value> =
	| { readonly ok: true; readonly value: Value }
	| { readonly ok: false; readonly status: number; readonly code: string };

/** Asks for versions over the admin API of a gateway, as the command line does. */
export class AdminReleases {
	readonly #gateway: TestGateway;

	constructor(gateway: TestGateway) {
		this.#gateway = gateway;
	}

	async versions(server: string): Promise<VersionList> {
		const answer = await this.#ask<VersionList>("GET", `servers/${server}/versions`);
		if (!answer.ok) throw new Error(answer.code);
		return answer.value;
	}

	deploy(server: string, request: object): Promise<Answer<Deployed>> {
		return this.#ask("POST", `servers/${server}/deploy`, request);
	}

	rollback(server: string, version?: number): Promise<Answer<Deployed>> {
		const body = version === undefined ? {} : { version };
		return this.#ask("POST", `servers/${server}/rollback`, body);
	}

	promote(server: string): Promise<Answer<Deployed>> {
		return this.#ask("POST", `servers/${server}/promote`, {});
	}

	fork(server: string, name?: string): Promise<Answer<Forked>> {
		return this.#ask("POST", `servers/${server}/fork`, name === undefined ? {} : { name });
	}

	remove(server: string): Promise<Answer<unknown>> {
		return this.#ask("DELETE", `servers/${server}`);
	}

	/** Calls and streams that one server's instances have now. */
	async leases(server: string): Promise<number> {
		const answer = await this.#ask<ServerStatus>("GET", `servers/${server}`);
		if (!answer.ok) throw new Error(answer.code);
		return answer.value.instances.reduce((sum, { leases }) => sum + leases, 0);
	}

	/** The lines of a server's log. */
	async lines(server: string): Promise<string[]> {
		const answer = await this.#ask<{ lines: { text: string }[] }>("GET", `servers/${server}/logs`);
		if (!answer.ok) throw new Error(answer.code);
		return answer.value.lines.map(({ text }) => text);
	}

	async plan(): Promise<Changes> {
		const answer = await this.#ask<Changes>("GET", "plan");
		if (!answer.ok) throw new Error(answer.code);
		return answer.value;
	}

	async #ask<Value>(method: string, path: string, body?: object): Promise<Answer<Value>> {
		const token = (await readFile(this.#gateway.daemon.admin_token_path, "utf8")).trim();
		const response = await fetch(`${this.#gateway.url}/api/${path}`, {
			method,
			headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
			...(body === undefined ? {} : { body: JSON.stringify(body) }),
		});
		const value = (await response.json()) as Value & { code: string };
		if (response.ok) return { ok: true, value };
		return { ok: false, status: response.status, code: value.code };
	}
}
