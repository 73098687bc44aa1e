import { ChildProcess } from "node:child_process";
import type { Direction } from "../support/wire-schema.ts";
import { Conversation } from "./conversation.ts";
import type { Complain } from "./http-exchange.ts";

/** The internal method that every way of starting a program comes down to. */
interface Startable {
	spawn(options: unknown): unknown;
}

/**
 * Sees what goes in and out of every program that this process starts and speaks MCP with: its
 * first line in is a JSON-RPC message, or it is none of ours to judge.
 */
export function watchStdioHop(complainFor: (program: string) => Complain): void {
	const startable = ChildProcess.prototype as unknown as Startable;
	const { spawn } = startable;
	startable.spawn = function (this: ChildProcess, options: unknown) {
		const outcome = spawn.call(this, options);
		watchChild(this, complainFor);
		return outcome;
	};
}

function watchChild(child: ChildProcess, complainFor: (program: string) => Complain): void {
	const { stdin, stdout } = child;
	if (stdin === null || stdout === null || stdin === undefined || stdout === undefined) return;
	const conversation = new Conversation();
	let speaks: boolean | undefined;
	const said = (direction: Direction, line: string) => {
		speaks ??= direction === "to-server" && line.includes('"jsonrpc"');
		if (!speaks || line.trim() === "") return;
		const complaint = conversation.said(direction, line);
		if (complaint !== undefined) complainFor(child.spawnargs.join(" "))(direction, complaint, line);
	};
	const lines_in = new Lines((line) => said("to-server", line));
	for (const verb of ["write", "end"] as const) {
		const inner = stdin[verb].bind(stdin) as (...all: unknown[]) => never;
		stdin[verb] = ((...all: unknown[]) => {
			const [chunk] = all;
			if (typeof chunk === "string" || Buffer.isBuffer(chunk)) lines_in.push(Buffer.from(chunk));
			return inner(...all);
		}) as never;
	}
	const lines_out = new Lines((line) => said("to-client", line));
	const push = stdout.push.bind(stdout);
	stdout.push = (chunk: Buffer | null, ...rest) => {
		if (chunk !== null && speaks === true) lines_out.push(chunk);
		return push(chunk, ...rest);
	};
}

/** Longest line that is looked at; what is longer is a server's misbehaviour and is not kept. */
const line_bytes_max = 16 * 1024 * 1024;

/** Puts lines together of what passes by. */
export class Lines {
	readonly #onLine: (line: string) => void;
	#pieces: Buffer[] = [];
	#bytes = 0;

	constructor(onLine: (line: string) => void) {
		this.#onLine = onLine;
	}

	push(chunk: Buffer): void {
		let start = 0;
		for (let end = chunk.indexOf(0x0a); end >= 0; end = chunk.indexOf(0x0a, start)) {
			this.#keep(chunk.subarray(start, end));
			start = end + 1;
			if (this.#bytes <= line_bytes_max) {
				this.#onLine(Buffer.concat(this.#pieces).toString("utf8"));
			}
			this.#pieces = [];
			this.#bytes = 0;
		}
		this.#keep(chunk.subarray(start));
	}

	/** A copy: the gateway gives the memory of what it has read back as soon as it has it. */
	#keep(piece: Buffer): void {
		this.#bytes += piece.length;
		if (this.#bytes <= line_bytes_max) this.#pieces.push(Buffer.from(piece));
		else this.#pieces = [];
	}
}
