import assert from "node:assert/strict";
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, describe, test } from "node:test";
import { planRules, systemRules } from "./landlock-rules.ts";

const root = realpathSync(await mkdtemp(join(tmpdir(), "moorage-rules-")));
after(() => rm(root, { recursive: true }));
let count = 0;

function scene(...files: string[]): (name: string) => string {
	count += 1;
	const folder = join(root, String(count));
	for (const file of files) {
		mkdirSync(dirname(join(folder, file)), { recursive: true });
		writeFileSync(join(folder, file), "");
	}
	return (name) => join(folder, name);
}

async function told(mounts: Parameters<typeof planRules>[0]): Promise<string[]> {
	const { rules } = await planRules(mounts);
	return rules.map(({ kind, path }) => `${kind} ${path}`).toSorted();
}

describe("what a program is allowed", () => {
	test("is a whole folder where nothing in it is hidden, and no link or empty place", async () => {
		const at = scene("project/a");
		const mounts = [
			{ kind: "read", path: at("project") },
			{ kind: "write", path: at("volume") },
			{ kind: "link", path: at("link"), target: at("project") },
			{ kind: "hide", path: at("elsewhere") },
		] as const;
		assert.deepEqual(await told(mounts), [`read ${at("project")}`, `write ${at("volume")}`]);
		assert.deepEqual((await planRules(mounts)).notes, []);
	});

	test("is the rest of a folder, as deep as it takes, where something is hidden", async () => {
		const at = scene("p/a", "p/b/c", "p/b/data/db", "p/moorage.yaml", "p/d/e");
		// What a link leads to was never named.
		symlinkSync("/etc", at("p/link"));
		const mounts = [
			{ kind: "read", path: at("p") },
			{ kind: "hide", path: at("p/b/data") },
			{ kind: "write", path: at("p/b/data/volume") },
			{ kind: "hide", path: at("p/moorage.yaml"), is_file: true },
		] as const;
		assert.deepEqual(await told(mounts), [
			`read ${at("p/a")}`,
			`read ${at("p/b/c")}`,
			`read ${at("p/d")}`,
			`write ${at("p/b/data/volume")}`,
		]);
		assert.deepEqual((await planRules(mounts)).notes, [
			`${at("p")} is given to it without ${at("p/b/data")}, ${at("p/moorage.yaml")}. ` +
				"It cannot list it, and does not see what is made there later.",
		]);
	});

	test("keeps what is only to be read from being written by the folder around it", async () => {
		const at = scene("p/a", "p/b/c");
		const mounts = [
			{ kind: "write", path: at("p") },
			{ kind: "read", path: at("p/b") },
		] as const;
		assert.deepEqual(await told(mounts), [`read ${at("p/b")}`, `write ${at("p/a")}`]);
	});

	test("is nothing of a folder with too much in it, which is said", async () => {
		// children_max
		const fits = Array.from({ length: 999 }, (_, index) => `p/${index}`);
		const at = scene(...fits, "p/hidden");
		const mounts = [
			{ kind: "read", path: at("p") },
			{ kind: "hide", path: at("p/hidden"), is_file: true },
		] as const;
		assert.equal((await told(mounts)).length, 999);
		writeFileSync(at("p/one-more"), "");
		assert.deepEqual(await planRules(mounts), {
			rules: [],
			notes: [`${at("p")} is not given to it: there is too much beside what it may not see.`],
		});
	});
});

test("the system is read, its devices are used, and /proc is its own or a part", () => {
	const layout = {
		folders: ["/usr"],
		links: [],
		settings: [["/etc/localtime", "/usr/share/zoneinfo/UTC"]],
		passwd: "/p",
		group: "/g",
	} as const;
	const own = systemRules(layout, true);
	assert.deepEqual(
		own.filter(({ kind }) => kind === "read").map(({ path }) => path),
		["/usr", "/usr/share/zoneinfo/UTC", "/etc/passwd", "/etc/group", "/proc"],
	);
	assert(own.some(({ kind, path }) => kind === "device" && path === "/dev/null"));
	assert(!own.some(({ kind }) => kind === "write"));
	const shared = systemRules(layout, false).map(({ path }) => path);
	assert(shared.includes("/proc/self") && !shared.includes("/proc"));
});

test("there are as many rules as a launcher can be given, and what is left out is said", async () => {
	// rules_max
	const mounts = (count: number) =>
		Array.from({ length: count }, (_, index) => ({ kind: "read", path: `/x/${index}` }) as const);
	for (const count of [3_999, 4_000]) {
		const plan = await planRules(mounts(count));
		assert.equal(plan.rules.length, count);
		assert.deepEqual(plan.notes, []);
	}
	const plan = await planRules(mounts(4_001));
	assert.equal(plan.rules.length, 4_000);
	assert.deepEqual(plan.notes, [
		"/x/4000 is not given to it: more than 4000 rules would be needed.",
	]);
});
