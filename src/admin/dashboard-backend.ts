import type { z } from "zod";
import type { Result } from "../lib/result.ts";
import type { Caller } from "./caller.ts";
import type { Changes, ServerStatus } from "./contract.ts";
import type {
	client_line_schema,
	config_file_schema,
	proposal_schema,
} from "./contracts/config-file.ts";
import type { fleet_schema } from "./contracts/fleet.ts";
import type {
	answer_schema,
	app_frame_schema,
	framed_schema,
	play_schema,
} from "./contracts/playground.ts";
import type { my_servers_schema } from "./contracts/session.ts";
import type { SendEvent } from "./event-stream.ts";
import type { AdminProblem } from "./problem.ts";

export type FleetReport = z.infer<typeof fleet_schema>;
export type MyServers = z.infer<typeof my_servers_schema>;
export type ConfigFile = z.infer<typeof config_file_schema>;
export type Proposal = z.infer<typeof proposal_schema>;
export type ClientLine = z.infer<typeof client_line_schema>;
/** A call by hand; its params as they were written, too, so that no number loses a digit. */
export type PlayRequest = z.infer<typeof play_schema> & { readonly params_json: string };
/** An answer by hand; what was accepted as it was written. */
export type PlayAnswer = Pick<z.infer<typeof answer_schema>, "action"> & {
	readonly result_json: string;
};
export type FrameRequest = z.infer<typeof app_frame_schema>;
export type Framed = z.infer<typeof framed_schema>;

/** A call of the playground while it runs. */
export interface Play {
	readonly id: string;
	/** Runs it, telling everything that is said; resolves when it is over. Never rejects. */
	run(send: SendEvent): Promise<void>;
	/** Gives it up; the server is told. */
	cancel(): void;
}

/** What the dashboard needs of the house beside the rest of the admin API. */
export interface DashboardBackend {
	/** Every server with what it does and uses now. */
	fleet(): Promise<FleetReport>;
	/** What somebody may use. */
	mine(caller: Caller): MyServers;
	wake(server: string): Result<ServerStatus, AdminProblem>;
	freeze(server: string): Result<ServerStatus, AdminProblem>;
	/** The configuration file as it is on the disk. */
	readConfig(): Promise<Result<ConfigFile, AdminProblem>>;
	/** What a text would change if it were the configuration. */
	previewConfig(text: string): Promise<Result<Changes, AdminProblem>>;
	/** Replaces the configuration, if it still is what `etag` says, and applies it. */
	replaceConfig(text: string, etag: string): Promise<Result<ConfigFile, AdminProblem>>;
	/** What adding a pasted text would run. Starts nothing. */
	propose(text: string): Promise<Result<Proposal, AdminProblem>>;
	/**
	 * How clients are connected to an endpoint; undefined where there is none of that name, or none
	 * that the caller may know of.
	 */
	clientLines(endpoint: string, caller: Caller): readonly ClientLine[] | undefined;
	/** Prepares a call by hand; it starts with `run`. */
	play(request: PlayRequest, caller: Caller): Result<Play, AdminProblem>;
	/** Answers a question of a running call; false when nobody asks that. */
	answer(play: string, question: string, answer: PlayAnswer, caller: Caller): boolean;
	/** Reads an MCP App and makes a frame of it. */
	frame(request: FrameRequest, caller: Caller): Promise<Result<Framed, AdminProblem>>;
}
