/**
 * A process that opens sessions and sends events for ever, until it is killed.
 *
 *   sessions-child.ts PATH   prints `session ID` for each durable session and
 *                            `events SESSION STREAM ID...` for each flushed group of events and
 *                            `call SESSION STREAM` for a durable stream that is finished next
 */
import { stdout } from "node:process";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { SessionEvents } from "../../src/sessions/events.ts";
import { Sessions } from "../../src/sessions/sessions.ts";
import { EventRecorder } from "./event-recorder.ts";
import { MemoryLog } from "./memory-log.ts";
import { openTestStore } from "./test-store.ts";

const [, , path] = process.argv;
const clock = systemClock;
const random = systemRandom;
const { writer, repositories } = await openTestStore(clock, path);
const shared = { clock, random, writer };
const sessions = new Sessions({
	...shared,
	repository: repositories.sessions,
	sessions_max: 10_000,
});
await sessions.restore();
const { events: repository, meta } = repositories;
const log = new MemoryLog();
const events = new SessionEvents({ ...shared, log, sessions, events: repository, meta });
await events.restore();

for (let n = 0; ; n += 1) {
	const session = sessions.create({
		endpoint: "time",
		principal: `principal ${n}`,
		revision: "2025-11-25",
		client_capabilities: "{}",
		client_info: `{"name":"client ${n}"}`,
	});
	if (session === undefined) throw new Error("no room");
	await sessions.createdDurably(session);
	stdout.write(`session ${session.id}\n`);
	const reader = events.open(session.id, `request ${n}`, new EventRecorder());
	if (reader === undefined) throw new Error("no stream");
	const { stream } = reader;
	const ids = [0, 1, 2].map((k) => events.append(session.id, stream, Buffer.from(`${n}.${k}`)));
	await events.flush();
	stdout.write(`events ${session.id} ${stream} ${ids.join(" ")}\n`);
	const call = events.open(session.id, `request ${n}`, new EventRecorder());
	if (call === undefined) throw new Error("no stream");
	await events.openedDurably(session.id, call.stream);
	stdout.write(`call ${session.id} ${call.stream}\n`);
	events.append(session.id, call.stream, Buffer.from("progress"));
	events.finish(session.id, call.stream, Buffer.from("final"));
	// These may or may not be there after the kill.
	for (let k = 3; k < 20; k += 1) events.append(session.id, stream, Buffer.from(`${n}.${k}`));
}
