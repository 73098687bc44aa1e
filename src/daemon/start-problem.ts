import type { ConfigProblem } from "../config/problem.ts";

/** Why a gateway could not start. */
export interface StartProblem {
	/** A sentence: what is wrong. */
	readonly message: string;
	/** A sentence: what to do; empty when the message says it already. */
	readonly next: string;
	/** Mistakes in the configuration, where they are the reason. */
	readonly config?: readonly ConfigProblem[];
}

/** Why listening failed, in words. */
export function listenProblem(code: string, host: string, port: number): StartProblem {
	if (code === "EADDRINUSE") {
		return {
			message: `Port ${port} on ${host} is in use by another program.`,
			next: "Stop that program, or choose another port: `moorage up --listen 127.0.0.1:0`.",
		};
	}
	if (code === "EACCES") {
		return {
			message: `This user may not listen on port ${port}.`,
			next: "Choose a port above 1023, for example `--listen 127.0.0.1:8642`.",
		};
	}
	return {
		message: `Listening on ${host}:${port} failed (${code}).`,
		next: "Choose an address of this machine with --listen, for example 127.0.0.1:8642.",
	};
}
