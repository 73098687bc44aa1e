import assert from "node:assert/strict";
import { playRounds } from "../../src/gateway/bridge/rounds.ts";
import type { Call, Reply } from "../../src/gateway/call.ts";
import type { GatewayContext } from "../../src/gateway/context.ts";
import type { Channel } from "../../src/gateway/edges/channel.ts";
import { legacySink } from "../../src/gateway/edges/legacy-sink.ts";
import { LegacyStates } from "../../src/gateway/edges/legacy-state.ts";
import { ModernRun } from "../../src/gateway/parking/modern-run.ts";
import { ParkedCalls, parked_ms } from "../../src/gateway/parking/parked-calls.ts";
import { makeFault } from "../../src/protocol/fault.ts";
import type { AskOutcome, UpstreamAsk } from "../../src/upstreams/driver.ts";
import { composeRequest, composeResult } from "../../src/wire/compose.ts";
import { indexMessage } from "../../src/wire/index-message.ts";
import type { Message } from "../../src/wire/message.ts";
import { rawText, readJson } from "../../src/wire/object.ts";
import { FakeClock, settle } from "./fake-clock.ts";
import { SeededRandom } from "./seeded-random.ts";

/** One life of the gateway; a restart begins another with the same key and nothing else. */
interface Life {
	readonly parked: ParkedCalls;
	readonly states: LegacyStates;
	/** Breaks every connection of this life and ends every call of its servers. */
	readonly over: AbortController;
}

/** One request as its client sees it. */
interface Request {
	readonly client: string;
	readonly name: string;
	/** How it ended; one entry is right, more or none is a defect. */
	readonly ends: string[];
	readonly retry: boolean;
}

/** One question of a server, and every answer it was given. */
interface Question {
	readonly client: string;
	readonly answers: AskOutcome[];
}

const client_count = 5;
const calls_max = 8;

/**
 * Clients of both eras, servers and a gateway, made of the gateway's own parts for parking,
 * sessions and rounds, on a network that drops, delays, repeats and reorders. The seed decides
 * everything that happens.
 */
export class GatewaySimulation {
	readonly #random: SeededRandom;
	readonly #clock = new FakeClock();
	readonly #key: Buffer;
	readonly #requests: Request[] = [];
	readonly #questions: Question[] = [];
	readonly #asked_ids = new Map<string, Set<string>>();
	/** Calls at servers that have not ended. */
	readonly #at_servers = new Set<string>();
	/** How many sessions of a client have ended. */
	readonly #ended_sessions = new Map<string, number>();
	readonly #running: Promise<void>[] = [];
	readonly #failures: unknown[] = [];
	#life: Life;
	/** What was seen, by name; a simulation that sees nothing proves nothing. */
	readonly seen = new Map<string, number>();

	constructor(seed: number) {
		this.#random = new SeededRandom(seed);
		this.#key = this.#random.bytes(32);
		this.#life = this.#begin();
	}

	/** Plays until nothing more can happen, and checks that it ended well. */
	async play(): Promise<void> {
		for (let at = 0; at < client_count; at += 1) {
			const modern = this.#random.chance(0.5);
			const calls = 1 + this.#random.below(calls_max);
			for (let number = 0; number < calls; number += 1) {
				this.#later(3_000, () => {
					if (modern) this.#startModern(`m${at}`, `m${at}-call${number}`);
					else this.#startLegacy(`l${at}`, `l${at}-call${number}`);
				});
			}
		}
		for (let restarts = this.#random.below(3); restarts > 0; restarts -= 1) {
			this.#later(6_000, () => this.#restart());
		}
		// Long enough for everything that waits to be given up.
		for (let hour = 0; hour < 3; hour += 1) await this.#clock.advance(parked_ms + 10_000);
		await Promise.all(this.#running);
		await settle();
		this.#check();
	}

	#check(): void {
		if (this.#failures.length > 0) throw this.#failures[0];
		for (const { name, ends, retry } of this.#requests) {
			const what = retry ? "retry of" : "first request of";
			assert.equal(
				ends.length,
				1,
				`the ${what} ${name} ended ${ends.length} times: ${ends.join()}`,
			);
		}
		for (const { client, answers } of this.#questions) {
			assert.ok(answers.length <= 1, `a question was answered ${answers.length} times`);
			for (const outcome of answers) {
				if (outcome.kind === "error") continue;
				assert.equal(outcome.json.toString(), answerOf(client), "answered by somebody else");
			}
		}
		assert.deepEqual([...this.#at_servers], [], "calls go on at servers");
		assert.equal(this.#life.parked.count, 0, "calls stay parked");
		assert.equal(this.#clock.pending, 0, "timers stay behind");
		for (const [session, ids] of this.#asked_ids) {
			const state = this.#life.states.find(session);
			assert.equal(state?.anyStream(), undefined, "requests stay in flight");
			for (const id of ids) {
				const late = state?.questions.answered(id, { kind: "result", json: Buffer.from("{}") });
				assert.notEqual(late, true, "a question of a call that is over can be answered");
			}
		}
	}

	#begin(): Life {
		const over = new AbortController();
		const [clock, random, key] = [this.#clock, this.#random, this.#key];
		return {
			parked: new ParkedCalls({ clock, random, key }),
			states: new LegacyStates(random),
			over,
		};
	}

	/** As after SIGKILL: nothing of the life before says a word to anybody. */
	#restart(): void {
		this.#see("restart");
		const before = this.#life;
		before.over.abort();
		before.parked.close();
		this.#life = this.#begin();
	}

	/** Work that must end; what it fails with is told at the end, with the seed. */
	#keep(work: Promise<void>): void {
		this.#running.push(work.catch((error: unknown) => void this.#failures.push(error)));
	}

	#see(what: string): void {
		this.seen.set(what, (this.seen.get(what) ?? 0) + 1);
	}

	#later(within_ms: number, fn: () => void): void {
		this.#clock.after(this.#random.below(within_ms), fn);
	}

	#pause(within_ms: number): Promise<void> {
		return new Promise((resolve) => this.#later(within_ms, resolve));
	}

	#request(client: string, name: string, retry: boolean): Request {
		const request = { client, name, ends: [], retry };
		this.#requests.push(request);
		return request;
	}

	// --- a modern client

	#startModern(client: string, name: string): void {
		const life = this.#life;
		const request = this.#request(client, name, false);
		const cancel = new AbortController();
		const run = new ModernRun(
			this.#viewer(request, life, () => run),
			{
				cancel,
				defer: (fn) => void this.#clock.after(10, fn),
				mayPark: () => !life.parked.full,
			},
		);
		this.#connect(request, life, () => run.cancel());
		const ask = (question: UpstreamAsk) => run.ask(question);
		const served = this.#serveLegacy(client, name, { cancel: cancel.signal, life, ask });
		this.#keep(served.then((reply) => run.settle(reply)));
	}

	/** What the edge does for a request that looks at a run. */
	#viewer(request: Request, life: Life, run: () => ModernRun) {
		return {
			notify: () => {},
			inputRequired: (questions: ReadonlyMap<string, UpstreamAsk>) => {
				const state = life.parked.park(this.#random.uuid(), run(), ownerOf(request));
				request.ends.push("input_required");
				const keys = [...questions.keys()];
				this.#onQuestions(request, state, keys);
			},
			finish: (reply: Reply) => {
				assert.equal(textOf(reply), `reply to ${request.name}`);
				request.ends.push("reply");
				this.#see("modern reply");
			},
		};
	}

	/** The client answers at its leisure: once, twice at once, or never; thieves try too. */
	#onQuestions(request: Request, state: string, keys: readonly string[]): void {
		if (this.#random.chance(0.15)) return this.#see("client that never came back");
		const times = this.#random.chance(0.2) ? 2 : 1;
		for (let time = 0; time < times; time += 1) {
			this.#later(5_000, () => this.#resume(request, state, keys));
		}
		if (this.#random.chance(0.2)) {
			this.#later(5_000, () => {
				const stolen = { ...ownerOf(request), principal: "thief" };
				assert.equal(this.#life.parked.take(state, stolen), "invalid");
				const other = { ...ownerOf(request), request: "another" };
				assert.equal(this.#life.parked.take(state, other), "invalid");
				this.#see("stolen state");
			});
		}
	}

	#resume({ client, name }: Request, state: string, keys: readonly string[]): void {
		const life = this.#life;
		const request = this.#request(client, name, true);
		const run = life.parked.take(state, ownerOf(request));
		if (typeof run === "string") {
			assert.equal(run, "over");
			request.ends.push("refused");
			this.#see("state that was over");
			return;
		}
		this.#connect(request, life, () => run.cancel());
		const answered = keys.filter(() => this.#random.chance(0.8));
		const answers = answered.map((key) => [key, answerTo(client)] as const);
		run.resume(
			this.#viewer(request, life, () => run),
			new Map(answers),
		);
		this.#see("resumed call");
	}

	/** The request's connection, which breaks with the gateway or by itself. */
	#connect(request: Request, life: Life, onBroken: () => void): void {
		const breaks = () => {
			if (request.ends.length > 0) return;
			request.ends.push("closed");
			this.#see("broken connection");
			onBroken();
		};
		life.over.signal.addEventListener("abort", breaks, { once: true });
		if (this.#random.chance(0.15)) this.#later(4_000, breaks);
	}

	// --- a legacy client

	#startLegacy(client: string, name: string): void {
		const life = this.#life;
		const request = this.#request(client, name, false);
		const cancel = new AbortController();
		const session = this.#sessionOf(client);
		const state = life.states.of(session);
		const channel = this.#channel(request, session, life);
		const id = JSON.stringify(name);
		const running = { cancel, reply: channel };
		state.began(id, running);
		// The connection of a legacy call may break: the call goes on, and so does its stream.
		life.over.signal.addEventListener("abort", () => {
			if (request.ends.length === 0) request.ends.push("closed");
		});
		if (this.#random.chance(0.1)) this.#later(3_000, () => state.cancel(id));
		if (this.#random.chance(0.05)) this.#later(4_000, () => this.#endSession(client, session));
		const sink = legacySink(channel, state);
		const at = { cancel: cancel.signal, life, ask: (ask: UpstreamAsk) => sink.ask(ask) };
		const served = this.#random.chance(0.5)
			? this.#serveLegacy(client, name, at)
			: this.#serveModern(client, name, at);
		this.#keep(
			served.then((reply) => {
				state.ended(id, running);
				if (life.over.signal.aborted) return;
				const text = textOf(reply);
				if (text !== undefined) assert.equal(text, `reply to ${name}`);
				channel.finish(Buffer.from("{}"), 200);
				this.#see("legacy reply");
			}),
		);
	}

	/** A client whose session has ended goes on with another one. */
	#sessionOf(client: string): string {
		return `${client} ${this.#ended_sessions.get(client) ?? 0}`;
	}

	#endSession(client: string, session: string): void {
		if (this.#sessionOf(client) !== session) return;
		this.#ended_sessions.set(client, (this.#ended_sessions.get(client) ?? 0) + 1);
		this.#life.states.end(session);
		this.#see("ended session");
	}

	#channel(request: Request, session: string, life: Life): Channel {
		return {
			takes_streams: true,
			get finished() {
				return request.ends.length > 0;
			},
			send: (bytes) => this.#toLegacy(request.client, session, life, bytes),
			finish: () => request.ends.push("reply"),
			end: () => request.ends.push("end"),
		};
	}

	/** A question on its way to its client: lost, late, and answered more than once. */
	#toLegacy(client: string, session: string, life: Life, bytes: Buffer): void {
		const indexed = indexMessage(bytes);
		assert.ok(indexed.ok);
		const span = indexed.value.id;
		if (span === undefined) return;
		const id = rawText(bytes, span);
		const ids = this.#asked_ids.get(session) ?? new Set();
		assert.ok(!ids.has(id), "an id of a question was used before");
		this.#asked_ids.set(session, ids.add(id));
		if (life.over.signal.aborted || this.#random.chance(0.1)) return this.#see("lost question");
		const times = this.#random.chance(0.2) ? 2 : 1;
		for (let time = 0; time < times; time += 1) {
			this.#later(3_000, () => {
				// It may come to another life of the gateway than the one that asked.
				const found = this.#life.states.of(session).questions.answered(id, answerTo(client));
				this.#see(found ? "answered question" : "answer too late");
			});
		}
		if (this.#random.chance(0.1)) {
			this.#later(3_000, () =>
				this.#life.states.of(`thief of ${id}`).questions.answered(id, answerTo("thief")),
			);
		}
	}

	// --- servers

	/** A legacy server: it asks real questions and answers, or goes away. */
	async #serveLegacy(client: string, name: string, at: ServedAt): Promise<Reply> {
		const end = this.#arrive(name, at);
		for (let rounds = this.#random.below(4); rounds > 0; rounds -= 1) {
			await Promise.race([this.#pause(500), end.gone]);
			if (end.isGone()) break;
			const count = 1 + this.#random.below(3);
			const open = Array.from({ length: count }, () => this.#ask(client, at, end.signal));
			await Promise.race([Promise.all(open), end.gone]);
		}
		await Promise.race([this.#pause(800), end.gone]);
		return end.leave();
	}

	#ask(client: string, at: ServedAt, signal: AbortSignal): Promise<void> {
		if (signal.aborted) return Promise.resolve();
		const question: Question = { client, answers: [] };
		this.#questions.push(question);
		const withdrawn = new AbortController();
		signal.addEventListener("abort", () => withdrawn.abort(), { once: true });
		return new Promise((resolve) => {
			if (this.#random.chance(0.1)) {
				this.#later(2_000, () => {
					withdrawn.abort();
					resolve();
				});
			}
			at.ask({
				message: composeRequest(String(this.#questions.length), "elicitation/create", "{}"),
				signal: withdrawn.signal,
				answer: (outcome) => {
					question.answers.push(outcome);
					resolve();
				},
			});
		});
	}

	/** A modern server behind a legacy client: its rounds are played by the bridge. */
	async #serveModern(client: string, name: string, at: ServedAt): Promise<Reply> {
		const end = this.#arrive(name, at);
		let left = this.#random.below(4);
		const step = async (): Promise<Reply> => {
			await Promise.race([this.#pause(500), end.gone]);
			if (end.isGone() || left === 0) return end.leave();
			left -= 1;
			const asked = Array.from(
				{ length: this.#random.below(3) },
				(_, key) => `"k${key}":${question}`,
			);
			const json = `{"resultType":"input_required","inputRequests":{${asked.join(",")}},"requestState":"s"}`;
			return messageReply(json);
		};
		const sink = {
			notify: () => {},
			ask: (ask: UpstreamAsk) => {
				const seen: Question = { client, answers: [] };
				this.#questions.push(seen);
				const answer = (outcome: AskOutcome) => {
					seen.answers.push(outcome);
					ask.answer(outcome);
				};
				at.ask({ ...ask, answer });
			},
		};
		const call = {
			id: name,
			message: modern_call,
			edits: [],
			signal: end.signal,
			sink,
		} as unknown as Call;
		const reply = await playRounds(call, await step(), this.#context(), step);
		end.leave();
		return reply;
	}

	/** The parts of the gateway that rounds need. */
	#context(): GatewayContext {
		const fault = (parts: Parameters<typeof makeFault>[1]) => makeFault(this.#random, parts);
		return { clock: this.#clock, fault, fieldsOf: () => ({}) } as unknown as GatewayContext;
	}

	/** A call reaches its server, which forgets it when it is cancelled, and may die over it. */
	#arrive(name: string, { cancel, life }: ServedAt) {
		this.#at_servers.add(name);
		const gone = Promise.withResolvers<void>();
		const ended = new AbortController();
		const go = () => {
			ended.abort();
			gone.resolve();
		};
		for (const signal of [cancel, life.over.signal]) {
			if (signal.aborted) go();
			signal.addEventListener("abort", go, { once: true });
		}
		// A call without an answer to its questions does not wait for ever.
		this.#clock.after(60_000, go);
		if (this.#random.chance(0.1)) this.#later(3_000, go);
		return {
			gone: gone.promise,
			signal: ended.signal,
			isGone: () => ended.signal.aborted,
			leave: (): Reply => {
				this.#at_servers.delete(name);
				go();
				return messageReply(JSON.stringify({ text: `reply to ${name}` }));
			},
		};
	}
}

/** Where a server serves a call, and its way back. */
interface ServedAt {
	readonly cancel: AbortSignal;
	readonly life: Life;
	ask(ask: UpstreamAsk): void;
}

const question = '{"method":"elicitation/create","params":{"message":"?"}}';
const modern_call = composeRequest("1", "tools/call", '{"name":"t"}');

function ownerOf({ client, name }: Request) {
	return { principal: client, request: name };
}

function answerOf(client: string): string {
	return JSON.stringify({ action: "accept", content: { by: client } });
}

function answerTo(client: string): AskOutcome {
	return { kind: "result", json: Buffer.from(answerOf(client)) };
}

function messageReply(json: string): Reply {
	const indexed = indexMessage(composeResult("1", json));
	assert.ok(indexed.ok);
	return { kind: "message", message: indexed.value, edits: [] };
}

function textOf(reply: Reply): string | undefined {
	if (reply.kind !== "message") return undefined;
	const { bytes, result }: Message = reply.message;
	return (readJson(bytes, result?.span) as { text?: string }).text;
}
