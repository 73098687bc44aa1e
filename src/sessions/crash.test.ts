import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { EventRecorder } from "../../test/support/event-recorder.ts";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { MemoryLog } from "../../test/support/memory-log.ts";
import { openTestStore } from "../../test/support/test-store.ts";
import { systemClock } from "../lib/clock.ts";
import { systemRandom } from "../lib/random.ts";
import { SessionEvents } from "./events.ts";
import { Sessions } from "./sessions.ts";

const program = fileURLToPath(new URL("../../test/support/sessions-child.ts", import.meta.url));

let folder: string;
let path: string;
beforeEach(async () => {
	folder = await mkdtemp(join(tmpdir(), "moorage-crash-"));
	path = join(folder, "moorage.db");
});
afterEach(() => rm(folder, { recursive: true }));

/** What the child said before it was killed, line by line in words. */
async function runAndKill(lines_min: number): Promise<string[][]> {
	const child = spawn(process.execPath, [program, path], { stdio: ["ignore", "pipe", "inherit"] });
	const exited = once(child, "exit");
	const lines: string[][] = [];
	for await (const line of createInterface({ input: child.stdout })) {
		lines.push(line.split(" "));
		if (lines.length === lines_min) child.kill("SIGKILL");
	}
	assert.deepEqual(await exited, [null, "SIGKILL"]);
	return lines;
}

/** The rooms over the same database, as the next gateway builds them. */
async function restart() {
	const { database, writer, repositories, troubles } = await openTestStore(new FakeClock(), path);
	const shared = { clock: systemClock, random: systemRandom, writer };
	const { events: repository, meta, sessions: stored } = repositories;
	const sessions = new Sessions({ ...shared, repository: stored, sessions_max: 10_000 });
	await sessions.restore();
	const log = new MemoryLog();
	const events = new SessionEvents({ ...shared, log, sessions, events: repository, meta });
	await events.restore();
	return { database, writer, sessions, events, stored, troubles };
}

/** A call is answered and over, or neither: then it is for this run to end it. */
async function judgeCall(events: SessionEvents, session_id: string, stream: string) {
	const heard = new EventRecorder();
	const resumed = await events.resume(session_id, `${stream}-0`, heard);
	assert.ok(resumed.ok);
	const { orphaned } = resumed.value;
	if (orphaned) events.finish(session_id, stream, Buffer.from("lost"));
	resumed.value.flow();
	await settle();
	const finals = heard.texts.filter((text) => text !== "progress");
	assert.deepEqual(finals, [orphaned ? "lost" : "final"]);
	assert.deepEqual(heard.ends, ["complete"]);
}

describe("a gateway that is killed in the middle of its work", () => {
	it("is followed by one that knows every session and event it had promised", async () => {
		const lines = await runAndKill(61);
		const { database, writer, sessions, events, stored, troubles } = await restart();
		const rows = new Map((await stored.load()).map((row) => [row.id, row]));
		for (const [word, id, stream, ...ids] of lines) {
			const row = rows.get(id as string);
			assert.ok(row !== undefined, `${word} of session ${id}`);
			assert.ok(sessions.get(row.id, row.endpoint, row.principal) !== undefined);
			assert.equal(sessions.get(row.id, row.endpoint, "someone else"), undefined);
			if (word === "call") await judgeCall(events, row.id, stream as string);
			if (word !== "events") continue;
			const heard = new EventRecorder();
			const resumed = await events.resume(row.id, ids[0] as string, heard);
			assert.ok(resumed.ok);
			assert.equal(resumed.value.orphaned, true);
			const number = resumed.value.about.split(" ")[1];
			resumed.value.flow();
			await settle();
			// Everything that was flushed is there, in order, and what follows has no holes.
			assert.deepEqual(
				heard.texts,
				heard.texts.map((_, k) => `${number}.${k + 1}`),
			);
			assert.ok(heard.texts.length >= 2);
			const answer = events.append(row.id, stream as string, Buffer.from("answered"));
			assert.ok(answer !== undefined && !heard.events.slice(0, -1).some(({ id }) => id === answer));
			events.end(row.id, stream as string);
			assert.equal(heard.texts.at(-1), "answered");
			assert.deepEqual(heard.ends, ["complete"]);
		}
		await writer.flush();
		assert.deepEqual(troubles, []);
		await database.close();
	});
});
