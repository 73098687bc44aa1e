import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { FakeClock } from "../../../test/support/fake-clock.ts";
import {
	DashboardSessions,
	type SessionHolder,
	session_ms,
	sessions_each_max,
	sessions_max,
} from "../../admin/dashboard-sessions.ts";
import { systemRandom } from "../../lib/random.ts";
import { box_key_bytes, SecretBox } from "../../secrets/box.ts";
import { type Database, openDatabase } from "../../store/database.ts";
import { all_migrations, type Migrations } from "../../store/migrate.ts";
import { sessionStore } from "./session-store.ts";

const program = fileURLToPath(
	new URL("../../../test/support/dashboard-sessions-child.ts", import.meta.url),
);
const key = systemRandom.bytes(box_key_bytes);
const box = new SecretBox(key, systemRandom);
const hashOf = (token: string) => createHash("sha256").update(token).digest("base64url");
const holder: SessionHolder = { kind: "credential", credential: "key-ana" };
/** As large as what a session stands for may become: a token and claims of a provider. */
const large: SessionHolder = {
	...{ kind: "vouched", issuer: "https://id.example", tenant: "acme", user: "ana", roles: [] },
	claims: { groups: "g".repeat(4_000) },
	until_ms: Number.MAX_SAFE_INTEGER,
	elsewhere: { provider: "id", issuer: "https://id.example", id_token: "t".repeat(4_000) },
};

let folder: string;
before(() => {
	folder = mkdtempSync(join(tmpdir(), "moorage-signed-in-"));
});
after(() => rmSync(folder, { recursive: true }));

async function openFile(path: string, migrations?: Migrations): Promise<Database> {
	const opened = await openDatabase({ path, ...(migrations && { migrations }) });
	assert.ok(opened.ok, opened.ok ? "" : opened.problem.message);
	return opened.value;
}

/** Sessions as the next gateway finds them. */
async function restore(database: Database, clock = new FakeClock(Date.now())) {
	const store = sessionStore(database);
	const sessions = new DashboardSessions({ clock, random: systemRandom, box, store });
	await sessions.restore();
	return sessions;
}

function rowsIn(path: string): number {
	const raw = new DatabaseSync(path, { readOnly: true });
	const count = raw.prepare("select count(*) as count from dashboard_sessions").get()?.["count"];
	raw.close();
	return Number(count);
}

describe("signed-in browsers of a gateway that kept them all in one value", () => {
	const old = Object.fromEntries(Object.entries(all_migrations).slice(0, 12));
	const now_ms = Date.now();
	const row = (n: number, sealed: string) => ({
		...{ id: `id-${n}`, principal: "acme/ana", hash: hashOf(`token-${n}`) },
		...{ created_at_ms: now_ms - 9_000 + n, expires_at_ms: now_ms + session_ms, sealed },
	});

	async function upgraded(name: string, value: string) {
		const path = join(folder, name);
		const before = await openFile(path, old);
		await before.connection
			.insertInto("meta")
			.values({ key: "dashboard_sessions", value })
			.execute();
		await before.close();
		return openFile(path);
	}

	it("stay signed in, in a row each, also those of a time when keys were sealed bare", async () => {
		const about = "dashboard-session";
		const database = await upgraded(
			"old.db",
			JSON.stringify([
				row(1, box.seal("key-bare", about)),
				row(2, box.seal(JSON.stringify(holder), about)),
				{ ...row(3, box.seal(JSON.stringify(holder), about)), expires_at_ms: now_ms - 1 },
				{ id: "half" },
				null,
			]),
		);
		const sessions = await restore(database);
		const found = [1, 2, 3].map((n) => sessions.find(`token-${n}`)?.holder);
		const bare = { kind: "credential", credential: "key-bare" };
		assert.deepEqual(found, [bare, holder, undefined]);
		assert.deepEqual(
			sessions.list().map(({ id }) => id),
			["id-2", "id-1"],
		);
		const left = await database.connection
			.selectFrom("meta")
			.where("key", "=", "dashboard_sessions")
			.select("key")
			.execute();
		assert.deepEqual(left, []);
		await database.close();
		assert.equal(rowsIn(join(folder, "old.db")), 2);
	});

	it("are let go of where the value is damaged, and people sign in again", async () => {
		const database = await upgraded("damaged.db", '[{"id":"a"');
		const sessions = await restore(database);
		assert.deepEqual(sessions.list(), []);
		const { token } = await sessions.open(holder, "acme/ana");
		assert.deepEqual((await restore(database)).find(token)?.holder, holder);
		await database.close();
	});
});

describe("signed-in browsers of a thousand people", () => {
	it("are not written again when one more signs in, and the oldest makes room", async () => {
		const path = join(folder, "thousand.db");
		const database = await openFile(path);
		const clock = new FakeClock(Date.now());
		const sessions = await restore(database, clock);
		const tokens: string[] = [];
		for (let n = 0; n < sessions_max; n += 1) {
			await clock.advance(1);
			tokens.push((await sessions.open(large, `acme/person ${n}`)).token);
		}
		const raw = new DatabaseSync(path);
		raw.exec("pragma wal_checkpoint(truncate)");
		assert.equal(statSync(`${path}-wal`).size, 0);
		const { token } = await sessions.open(large, "acme/one more");
		const written_bytes = statSync(`${path}-wal`).size;
		raw.close();
		// The row itself is some 11 KB; all of them would be over 11 MB.
		assert.ok(written_bytes > 0 && written_bytes < 128 * 1024, `${written_bytes} bytes`);
		const next = await restore(database, clock);
		assert.equal(next.list().length, sessions_max);
		assert.equal(next.find(tokens[0] as string), undefined);
		assert.deepEqual(
			[tokens[1] as string, token].map((one) => next.find(one)?.holder),
			[large, large],
		);
		await database.close();
	});

	it("end one by one, all of one person's, and by themselves, and no row stays", async () => {
		const path = join(folder, "ends.db");
		const database = await openFile(path);
		const clock = new FakeClock(Date.now());
		const sessions = await restore(database, clock);
		for (let n = 0; n < sessions_each_max + 5; n += 1) {
			await sessions.open(holder, "acme/ana");
			await sessions.open(holder, "acme/bob");
		}
		assert.equal(rowsIn(path), 2 * sessions_each_max);
		const [latest] = sessions.list();
		assert.equal(await sessions.end(latest?.id ?? ""), true);
		assert.equal(await sessions.endAllOf("acme/ana"), sessions_each_max);
		assert.equal(rowsIn(path), sessions_each_max - 1);
		await clock.advance(session_ms);
		await restore(database, clock);
		assert.equal(rowsIn(path), 0);
		await database.close();
	});
});

describe("a gateway that is killed while people sign in", () => {
	it("is followed by one that knows whom it had signed in, and not who was replaced", async () => {
		const path = join(folder, "killed.db");
		for (const lines_min of [1, 40, 160]) {
			const said = await killAfter(path, lines_min);
			const database = await openFile(path);
			const sessions = await restore(database);
			const replaced = new Set(said.map(([, , , id]) => id));
			for (const [index, [, id = "", token = ""]] of said.entries()) {
				if (replaced.has(id)) assert.ok(!sessions.isOpen(id), `${id} was replaced`);
				else if (index > said.length - sessions_each_max) {
					// The last may have been replaced in the moment of the kill.
					const is_open = sessions.find(token)?.id === id;
					assert.ok(is_open || index === said.length - 1, `${id} was opened`);
				}
			}
			for (const n of [0, 1, 2, 3, 4]) {
				const theirs = sessions.list().filter(({ principal }) => principal === `acme/person ${n}`);
				assert.ok(theirs.length <= sessions_each_max);
			}
			await database.close();
		}
	});

	async function killAfter(path: string, lines_min: number): Promise<string[][]> {
		const args = [program, path, key.toString("base64url")];
		const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
		const exited = once(child, "exit");
		const lines: string[][] = [];
		for await (const line of createInterface({ input: child.stdout })) {
			lines.push(line.split(" "));
			if (lines.length === lines_min) child.kill("SIGKILL");
		}
		assert.deepEqual(await exited, [null, "SIGKILL"]);
		return lines;
	}
});
