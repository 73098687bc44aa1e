import type { ReleaseBackend } from "../../src/admin/backend.ts";
import type {
	Changes,
	Deployed,
	DeployRequest,
	Forked,
	VersionList,
} from "../../src/admin/contract.ts";
import { type AdminProblem, problemOf } from "../../src/admin/problem.ts";
import { fail, type Result, succeed } from "../../src/lib/result.ts";

/** Versions that nothing happens to; it knows one server, `time`, with two of them. */
export class RecordingReleases implements ReleaseBackend {
	readonly #calls: string[];

	/** Every call made is added to `calls`, as `name(arguments)`. */
	constructor(calls: string[]) {
		this.#calls = calls;
	}

	versions(server: string): VersionList | undefined {
		this.#calls.push(`versions(${server})`);
		if (server !== "time") return undefined;
		const base = { source: "config", created_at_ms: 1_700_000_000_000 } as const;
		return {
			server,
			versions: [
				{ ...base, number: 1, state: "retired", changes: [] },
				{
					...base,
					number: 2,
					state: "active",
					changes: ['tool "now" was changed'],
					package: { name: "time", version: "1.2.3", digest: "sha256-00" },
				},
			],
			held_at: 2,
			forks: ["time-fork"],
		};
	}

	async deploy(server: string, request: DeployRequest): Promise<Result<Deployed, AdminProblem>> {
		this.#calls.push(`deploy(${server}, ${JSON.stringify(request)})`);
		return this.#deployed(server, request.hold === true ? "held" : "live");
	}

	async rollback(
		server: string,
		version: number | undefined,
	): Promise<Result<Deployed, AdminProblem>> {
		this.#calls.push(`rollback(${server}, ${version})`);
		return this.#deployed(server, "live");
	}

	async promote(server: string): Promise<Result<Deployed, AdminProblem>> {
		this.#calls.push(`promote(${server})`);
		return this.#deployed(server, "live");
	}

	async fork(server: string, name: string | undefined): Promise<Result<Forked, AdminProblem>> {
		this.#calls.push(`fork(${server}, ${name})`);
		if (server !== "time") return unknown(server);
		const fork_name = name ?? "time-fork";
		const url = `http://127.0.0.1:1/${fork_name}/mcp`;
		return succeed({ name: fork_name, server, url, copied_ms: 12 });
	}

	async plan(): Promise<Result<Changes, AdminProblem>> {
		this.#calls.push("plan()");
		return succeed({
			added: ["b"],
			removed: [],
			changed: [{ server: "time", differences: ['scope: "shared" -> "user"'] }],
			settings: ["policy"],
			held: [{ server: "time", version: 2 }],
			forks: ["time-fork"],
			warnings: [],
		});
	}

	#deployed(server: string, state: Deployed["state"]): Result<Deployed, AdminProblem> {
		if (server !== "time") return unknown(server);
		const changes = ['tool "now" was changed'];
		return succeed({ server, version: 3, state, changes, warnings: ["This is a major step."] });
	}
}

function unknown(server: string): { readonly ok: false; readonly problem: AdminProblem } {
	return fail(problemOf("server_unknown", `There is no server named "${server}".`));
}
