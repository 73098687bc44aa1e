import assert from "node:assert/strict";
import { test } from "node:test";
import { logLine } from "../../test/support/recording-backend.ts";
import type { Clock, Timer } from "../lib/clock.ts";
import type { LogLine } from "./contract.ts";
import { logStream } from "./log-stream.ts";

/** A clock whose timers fire when the test says so. */
class HandClock implements Clock {
	readonly timers = new Set<() => void>();

	now(): number {
		return 0;
	}

	monotonic(): number {
		return 0;
	}

	after(_delay_ms: number, fn: () => void): Timer {
		this.timers.add(fn);
		return { cancel: () => this.timers.delete(fn) };
	}

	afterIdle(delay_ms: number, fn: () => void): Timer {
		return this.after(delay_ms, fn);
	}

	fire(): void {
		const due = [...this.timers];
		this.timers.clear();
		for (const fn of due) fn();
	}
}

function open(lines: readonly LogLine[] = [], signal = new AbortController().signal) {
	const clock = new HandClock();
	const scene = { clock, ends: 0, followers: new Set<(line: LogLine) => void>() };
	const stream = logStream({
		clock,
		lines,
		follow(listener) {
			scene.followers.add(listener);
			return () => scene.followers.delete(listener);
		},
		signal,
		onEnd: () => {
			scene.ends += 1;
		},
	});
	const reader = stream.getReader();
	const next = async () => Buffer.from((await reader.read()).value ?? []).toString();
	const write = (text: string) => {
		for (const follower of scene.followers) follower(logLine(text));
	};
	return { ...scene, scene, reader, next, write };
}

test("the lines that were there come first, then the new ones", async () => {
	const { next, write } = open([logLine("a"), logLine("b")]);
	write("c");
	assert.equal(await next(), ": following\n\n");
	for (const text of ["a", "b", "c"]) {
		assert.equal(await next(), `event: line\ndata: ${JSON.stringify(logLine(text))}\n\n`);
	}
});

test("a quiet stream carries a comment now and then", async () => {
	const { next, clock } = open();
	assert.equal(await next(), ": following\n\n");
	clock.fire();
	assert.equal(await next(), ": keep-alive\n\n");
	clock.fire();
	assert.equal(await next(), ": keep-alive\n\n");
});

test("what a slow reader misses is counted, told in its place, and not kept", async () => {
	const { next, write, clock } = open();
	for (let line = 0; line < 1500; line += 1) write(`line ${line}`);
	clock.fire();
	await next();
	for (let line = 0; line < 999; line += 1) assert.match(await next(), /event: line/);
	assert.equal(await next(), 'event: dropped\ndata: {"lines":501}\n\n');
	write("after");
	assert.match(await next(), /"text":"after"/);
});

test("a reader that leaves is unsubscribed and its timer is gone", async () => {
	const { reader, scene, clock } = open();
	await reader.cancel();
	assert.equal(scene.ends, 1);
	assert.equal(scene.followers.size, 0);
	assert.equal(clock.timers.size, 0);
});

test("the gateway's end ends the stream once, after what was written", async () => {
	const stopping = new AbortController();
	const { reader, next, scene, write } = open([], stopping.signal);
	write("last");
	stopping.abort();
	write("too late");
	await next();
	assert.match(await next(), /"text":"last"/);
	assert.equal((await reader.read()).done, true);
	await reader.cancel();
	assert.equal(scene.ends, 1);
});

test("a stream opened while the gateway stops ends at once", async () => {
	const { reader, next, scene } = open([], AbortSignal.abort());
	await next();
	assert.equal((await reader.read()).done, true);
	assert.equal(scene.followers.size, 0);
	assert.equal(scene.ends, 1);
});
