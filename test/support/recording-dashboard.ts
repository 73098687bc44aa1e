import type { Caller } from "../../src/admin/caller.ts";
import type { Changes, ServerStatus } from "../../src/admin/contract.ts";
import type {
	ClientLine,
	ConfigFile,
	DashboardBackend,
	FleetReport,
	Framed,
	FrameRequest,
	MyServers,
	Play,
	PlayAnswer,
	PlayRequest,
	Proposal,
} from "../../src/admin/dashboard-backend.ts";
import type { SendEvent } from "../../src/admin/event-stream.ts";
import { type AdminProblem, problemOf } from "../../src/admin/problem.ts";
import { fail, type Result, succeed } from "../../src/lib/result.ts";
import { no_changes } from "./no-changes.ts";

const quiet = { calls_per_s: 0, error_rate: 0, calls: 0, spark: [] };

/** What there is for the dashboard, in the hands of a test; it knows one server, `time`. */
export class RecordingDashboard implements DashboardBackend {
	readonly #calls: string[];
	readonly #status: () => ServerStatus;

	constructor(calls: string[], status: () => ServerStatus) {
		this.#calls = calls;
		this.#status = status;
	}

	fleet(): Promise<FleetReport> {
		this.#calls.push("fleet()");
		const url = "http://127.0.0.1:1";
		return Promise.resolve({ at_ms: 1, url, sessions: 0, traffic: quiet, servers: [] });
	}

	mine(caller: Caller): MyServers {
		this.#calls.push(`mine(${caller.principal.id})`);
		return { servers: [] };
	}

	wake(server: string): Result<ServerStatus, AdminProblem> {
		this.#calls.push(`wake(${server})`);
		return this.#of(server);
	}

	freeze(server: string): Result<ServerStatus, AdminProblem> {
		this.#calls.push(`freeze(${server})`);
		return this.#of(server);
	}

	readConfig(): Promise<Result<ConfigFile, AdminProblem>> {
		this.#calls.push("readConfig()");
		return Promise.resolve(succeed(this.#file("version: 1\n")));
	}

	previewConfig(text: string): Promise<Result<Changes, AdminProblem>> {
		this.#calls.push(`previewConfig(${text})`);
		return Promise.resolve(succeed(no_changes));
	}

	replaceConfig(text: string, etag: string): Promise<Result<ConfigFile, AdminProblem>> {
		this.#calls.push(`replaceConfig(${text}, ${etag})`);
		const changed = problemOf("edited_meanwhile", "Somebody was quicker.");
		return Promise.resolve(etag === '"1"' ? succeed(this.#file(text)) : fail(changed));
	}

	propose(text: string): Promise<Result<Proposal, AdminProblem>> {
		this.#calls.push(`propose(${text})`);
		return Promise.resolve(succeed({ servers: [] }));
	}

	clientLines(endpoint: string): readonly ClientLine[] | undefined {
		this.#calls.push(`clientLines(${endpoint})`);
		return endpoint === "mcp" ? [] : undefined;
	}

	play(request: PlayRequest, caller: Caller): Result<Play, AdminProblem> {
		const { server, method, as } = request;
		const who = as === undefined ? caller.principal.id : `${as.tenant}/${as.user}`;
		this.#calls.push(`play(${server}, ${method}, ${who})`);
		if (server !== "time") return fail(problemOf("server_unknown", "There is no such server."));
		if (request.params["name"] === "hang") return succeed(this.#hanging());
		const run = (send: SendEvent) => {
			send("result", { reply: "{}" });
			return Promise.resolve();
		};
		return succeed({ id: "p1", run, cancel: () => undefined });
	}

	/** A call that ends only when it is given up. */
	#hanging(): Play {
		const given_up = Promise.withResolvers<void>();
		const cancel = () => {
			this.#calls.push("cancelled");
			given_up.resolve();
		};
		return { id: "p1", run: () => given_up.promise, cancel };
	}

	answer(play: string, question: string, answer: PlayAnswer): boolean {
		this.#calls.push(`answer(${play}, ${question}, ${answer.action})`);
		return play === "p1";
	}

	frame({ server, uri }: FrameRequest): Promise<Result<Framed, AdminProblem>> {
		this.#calls.push(`frame(${server}, ${uri})`);
		return Promise.resolve(succeed({ path: "/apps/x", notes: [] }));
	}

	#of(server: string): Result<ServerStatus, AdminProblem> {
		if (server === "time") return succeed(this.#status());
		return fail(problemOf("server_unknown", `There is no server named "${server}".`));
	}

	#file(text: string): ConfigFile {
		return { path: "/etc/moorage.yaml", syntax: "yaml", text, etag: '"1"', servers: [] };
	}
}
