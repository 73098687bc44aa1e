import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { openDatabase } from "../../src/store/database.ts";

/** How many there are; what is promised is about these. */
export const people_many = 100_000;
const rows_at_once = 1_000;

/** What a password becomes: as long as every hash that is kept. */
const password_hash = `$argon2id$v=19$m=19456,t=2,p=1$${"a".repeat(22)}$${"b".repeat(43)}`;

/**
 * Loads 100,000 stored people and 10,000 rules in a process that does nothing else, as a gateway
 * does when it starts: CPU milliseconds of each and together, and what both take of memory.
 */
export async function measureMany(): Promise<Record<string, number>> {
	const folder = await mkdtemp(join(tmpdir(), "moorage-bench-people-"));
	try {
		const path = join(folder, "moorage.db");
		await storePeople(path);
		const program = fileURLToPath(new URL("load-child.ts", import.meta.url));
		const child = spawn(process.execPath, ["--expose-gc", program, path], {
			stdio: ["ignore", "pipe", "inherit"],
		});
		const [printed, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
		if (code !== 0) throw new Error(`the child ended with ${code}`);
		return JSON.parse(printed) as Record<string, number>;
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
}

/** Half of them have a password, the other half come from a provider. */
async function storePeople(path: string): Promise<void> {
	const opened = await openDatabase({ path });
	if (!opened.ok) throw new Error(opened.problem.detail);
	const database = opened.value;
	await database.transaction(async (connection) => {
		for (let at = 0; at < people_many; at += rows_at_once) {
			const rows = Array.from({ length: rows_at_once }, (_, index) => personOf(at + index));
			await connection.insertInto("users").values(rows).execute();
		}
	});
	await database.close();
}

function personOf(at: number) {
	const has_password = at % 2 === 0;
	return {
		tenant: `tenant-${at % 100}`,
		user: `person.${at}@example.com`,
		display_name: `Person ${at}`,
		roles: at % 10 === 0 ? '["operator"]' : "[]",
		password_hash: has_password ? password_hash : null,
		provider: has_password ? null : "okta",
		subject: has_password ? null : `00u${String(at).padStart(17, "0")}`,
		created_at_ms: 1_700_000_000_000 + at,
		login_at_ms: null,
	};
}
