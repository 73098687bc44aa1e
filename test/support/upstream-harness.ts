import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import type { Result } from "../../src/lib/result.ts";
import type { Fault } from "../../src/protocol/fault.ts";
import type {
	Driver,
	DriverContext,
	GoneReason,
	LineStream,
	Upstream,
	UpstreamAsk,
	UpstreamRequest,
} from "../../src/upstreams/driver.ts";
import { indexMessage } from "../../src/wire/index-message.ts";
import type { Message } from "../../src/wire/message.ts";
import { indexArray, indexObject, memberSpan, readString } from "../../src/wire/object.ts";
import { PlainSpawner } from "./plain-spawner.ts";

/** Remembers everything a driver reports, and lets a test wait for it without polling. */
export class Recorder {
	readonly pushes: Message[] = [];
	readonly asks: UpstreamAsk[] = [];
	readonly lines: { stream: LineStream; line: string }[] = [];
	readonly gone: GoneReason[] = [];
	readonly #waiting = new Set<() => void>();

	/** Resolves as soon as the condition holds; it is looked at after every report. */
	until(condition: () => boolean): Promise<void> {
		return new Promise((resolve) => {
			const look = () => {
				if (!condition()) return;
				this.#waiting.delete(look);
				resolve();
			};
			this.#waiting.add(look);
			look();
		});
	}

	/** The lines of one stream. */
	of(stream: LineStream): string[] {
		return this.lines.filter((entry) => entry.stream === stream).map(({ line }) => line);
	}

	/** Something was reported. */
	changed(): void {
		for (const look of [...this.#waiting]) look();
	}
}

/** A context for `Driver.open` that reports to the recorder. */
export function recordingContext(
	recorder: Recorder,
	overrides: Partial<DriverContext> = {},
): DriverContext {
	const note = <Item>(list: Item[]) => {
		return (item: Item) => {
			list.push(item);
			recorder.changed();
		};
	};
	return {
		server: "fixture",
		clock: systemClock,
		random: systemRandom,
		signal: new AbortController().signal,
		start_ms: 20_000,
		stop_ms: 2_000,
		reply_bytes_max: 16_000_000,
		client_capabilities: '{"elicitation":{"form":{}},"roots":{}}',
		client_info: '{"name":"moorage-test","version":"1.0.0"}',
		spawner: new PlainSpawner(),
		onPush: note(recorder.pushes),
		onRequest: note(recorder.asks),
		onLine: (stream, line) =>
			note(recorder.lines)({ stream: stream === "odd" ? "event" : stream, line }),
		onGone: note(recorder.gone),
		...overrides,
	};
}

/** An open upstream and what it reported. */
export interface Opened {
	readonly upstream: Upstream;
	readonly recorder: Recorder;
	readonly context: DriverContext;
}

/** Opens an upstream or fails the test with the fault's sentence. */
export async function openUpstream<Spec>(
	driver: Driver<Spec>,
	spec: Spec,
	overrides: Partial<DriverContext> = {},
): Promise<Opened> {
	const recorder = new Recorder();
	const context = recordingContext(recorder, overrides);
	const upstream = taken(await driver.open(spec, context));
	return { upstream, recorder, context };
}

/** The specification of a fixture as a program. */
export function nodeSpec(path: string, args: readonly string[] = []) {
	const command = process.execPath;
	return { driver: "stdio" as const, command, args: [path, ...args], env: {}, cwd: tmpdir() };
}

/** A message from its text. */
export function message(text: string | Buffer): Message {
	const indexed = indexMessage(Buffer.from(text));
	assert.ok(indexed.ok, `not a message: ${String(text).slice(0, 200)}`);
	return indexed.value;
}

/** What `callTool` may change of a request. */
export type RequestOverrides = Partial<UpstreamRequest> & {
	readonly id?: string;
	readonly token?: string;
};

/** A request for a tool, as a client would write it. Ids and tokens are raw JSON. */
export function toolRequest(
	name: string,
	args: object = {},
	overrides: RequestOverrides = {},
): UpstreamRequest {
	const { id = "0", token, ...rest } = overrides;
	const meta = token === undefined ? "" : `,"_meta":{"progressToken":${token}}`;
	const params = `{"name":"${name}","arguments":${JSON.stringify(args)}${meta}}`;
	return {
		message: message(`{"jsonrpc":"2.0","id":${id},"method":"tools/call","params":${params}}`),
		edits: [],
		name,
		signal: new AbortController().signal,
		call_ms: 20_000,
		...rest,
	};
}

/** Calls a tool. */
export function callTool(
	upstream: Upstream,
	name: string,
	args: object = {},
	overrides: RequestOverrides = {},
): Promise<Result<Message, Fault>> {
	return upstream.request(toolRequest(name, args, overrides));
}

/** The text of a tool's result. */
export function textOf(outcome: Result<Message, Fault>): string {
	const { bytes, result } = taken(outcome);
	const content = memberSpan(result, "content");
	const first = content === undefined ? undefined : indexArray(bytes, content)?.[0];
	const item = first === undefined ? undefined : indexObject(bytes, first);
	const text = readString(bytes, memberSpan(item, "text"));
	assert.ok(text !== undefined, `no text in ${bytes.toString("utf8", 0, 300)}`);
	return text;
}

/** The value of a result that must be a success. */
export function taken<Value>(result: Result<Value, Fault>): Value {
	assert.ok(result.ok, result.ok ? "" : `${result.problem.code}: ${result.problem.message}`);
	return result.value;
}

/** The fault of a result that must be a failure. */
export function faultOf(result: Result<unknown, Fault>): Fault {
	assert.ok(!result.ok, "this was expected to fail");
	return result.problem;
}
