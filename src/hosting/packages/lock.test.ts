import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import fc from "fast-check";
import { systemClock } from "../../lib/clock.ts";
import { fail, succeed } from "../../lib/result.ts";
import type { ImageEntry } from "./image-entry.ts";
import type { LockEntry, NpmEntry } from "./lock-entry.ts";
import { changedPackage, lockKey, treeDigest } from "./lock-entry.ts";
import { LockFile } from "./lock-file.ts";
import { parseLock, renderLock as renderContent } from "./lock-text.ts";
import type { PackageRequest } from "./request.ts";

const root = await mkdtemp(join(tmpdir(), "moorage-lock-"));
after(() => rm(root, { recursive: true }));

function renderLock(packages: ReadonlyMap<string, LockEntry>): string {
	return renderContent({ packages, images: new Map() });
}

let places = 0;
async function place(): Promise<string> {
	places += 1;
	const folder = join(root, String(places));
	await mkdir(folder);
	return folder;
}

function npm(versions: Record<string, string>, integrity = "sha512-"): NpmEntry {
	const tree = Object.fromEntries(
		Object.entries(versions).map(([name, version]) => [
			`node_modules/${name}`,
			{ version, integrity: `${integrity}${name}${version}` },
		]),
	);
	const [name = "", version = ""] = Object.entries(versions)[0] ?? [];
	const digest = treeDigest("npm", tree);
	return { ecosystem: "npm", name, version, integrity: "sha512-x", digest, platform: "p", tree };
}

function python(tree: Record<string, string[]>): LockEntry {
	return {
		ecosystem: "pypi",
		name: "t",
		version: "1.0",
		integrity: "sha256:0",
		digest: treeDigest("pypi", tree),
		platform: "p",
		python: "3.12",
		tree,
	};
}

const request: PackageRequest = {
	ecosystem: "npm",
	launcher: "npx",
	packages: ["@a/b@1"],
	program: undefined,
	options: [],
	adds_path: false,
	args: [],
};

test("what is asked for has one key, however it is started and whatever is run of it", () => {
	assert.equal(lockKey(request, []), "npm:@a/b@1");
	const others = { launcher: "bunx", args: ["x"], program: "p", options: ["--cache=/c"] };
	assert.equal(lockKey({ ...request, ...others }, []), "npm:@a/b@1");
	const more = { ...request, packages: ["a", "b"], options: ["--registry=http://me:pw@r/"] };
	assert.equal(lockKey(more, ["uv_python=3"]), "npm:a b --registry=http://r/ uv_python=3");
});

test("a lock is written in one order and read back as it was", () => {
	const entries: [string, LockEntry][] = [
		["npm:b", npm({ b: "1.0.0", c: "2.0.0" })],
		["npm:a", npm({ a: "1.0.0" })],
		[
			"pypi:t",
			python({ "t==1.0": ["sha256:00"], "w==2 ; sys_platform == 'win32'": ["sha256:01"] }),
		],
	];
	const text = renderLock(new Map(entries));
	assert.equal(renderLock(new Map([...entries].reverse())), text);
	assert(text.indexOf('"npm:a"') < text.indexOf('"npm:b"'));
	// One line for one package, so that a difference reads like one.
	assert.match(
		text,
		/^\t\t\t\t"node_modules\/c": \{"version":"2\.0\.0","integrity":"sha512-c2\.0\.0"\}$/mu,
	);
	const back = parseLock(text);
	assert(back.ok);
	assert.deepEqual([...back.value.packages].sort(), [...entries].sort());
	assert.equal(renderLock(new Map()), '{\n\t"lock_version": 1,\n\t"packages": {}\n}\n');
});

test("any lock survives being written and read", () => {
	const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,12}$/u);
	const version = fc.stringMatching(/^\d{1,3}\.\d{1,3}\.\d{1,3}$/u);
	const entry = fc.dictionary(name, version, { minKeys: 1 }).map((versions) => npm(versions));
	const locks = fc.array(fc.tuple(fc.string(), entry));
	fc.assert(
		fc.property(locks, (pairs) => {
			const lock = new Map(pairs.map(([key, value]) => [`npm:${key}`, value]));
			const back = parseLock(renderLock(lock));
			assert(back.ok, back.ok ? "" : back.problem);
			assert.equal(renderContent(back.value), renderLock(lock));
		}),
	);
});

test("the lock that the documentation shows is one", async () => {
	const page = await readFile(new URL("../../../docs/packages.md", import.meta.url), "utf8");
	const shown = /```json\n([\s\S]*?)```/u.exec(page)?.[1] ?? "";
	const lock = parseLock(shown);
	assert(lock.ok, lock.ok ? "" : lock.problem);
	assert.equal(renderContent(lock.value), shown);
});

test("a lock that is no lock is refused in words, and nothing is guessed", () => {
	const good = renderLock(new Map([["npm:a", npm({ a: "1.0.0" })]]));
	const table: [string, RegExp][] = [
		["", /is not valid JSON/u],
		[good.slice(0, -5), /is not valid JSON/u],
		[`<<<<<<< ours\n${good}`, /unresolved merge conflict/u],
		["null", /is damaged/u],
		["[]", /is damaged/u],
		[good.replace('"packages"', '"package"'), /is damaged at packages/u],
		['{"lock_version":2,"packages":{}}', /newer Moorage/u],
	];
	for (const [text, message] of table) {
		const parsed = parseLock(text);
		assert(!parsed.ok, text);
		assert.match(parsed.problem, message);
	}
});

test("a damaged entry is put aside with what is wrong, and the others are read", () => {
	const both = new Map([
		["npm:a", npm({ a: "1.0.0" })],
		["npm:b", npm({ b: "1.0.0" })],
	]);
	const good = renderLock(both);
	const table: [string, string, RegExp][] = [
		[
			"npm:a",
			good.replace('"1.0.0","integrity"', '"1.0.1","integrity"'),
			/npm:a does not match its digest/u,
		],
		["pypi:a", good.replace("npm:a", "pypi:a"), /no request of npm/u],
		[
			"npm:a",
			good.replace('"platform": "p"', '"platform": 5'),
			/damaged at packages > npm:a > platform/u,
		],
		["npm:a", good.replace("node_modules/a", "../a"), /damaged at packages > npm:a > tree/u],
		["npm:a", good.replace('"1.0.0","integrity"', '"file:../x","integrity"'), /at packages/u],
		["npm:a", good.replace('{"version"', '{"resolved":"file:x","version"'), /at packages/u],
		["npm:a", good.replace(/"npm:a": \{[^]*?\n\t\t\}/u, '"npm:a": null'), /at packages > npm:a$/u],
	];
	for (const [key, text, message] of table) {
		assert.notEqual(text, good);
		const parsed = parseLock(text);
		assert(parsed.ok, text);
		assert.deepEqual([...parsed.value.packages], [["npm:b", both.get("npm:b")]]);
		assert.deepEqual([...parsed.value.damaged.packages.keys()], [key]);
		assert.match(parsed.value.damaged.packages.get(key)?.problem ?? "", message);
		assert.deepEqual(JSON.parse(renderContent(parsed.value)), JSON.parse(text), "and is kept");
	}
});

test("the same version with other contents is a contradiction, another version is none", () => {
	const one = npm({ a: "1.0.0", b: "1.0.0" });
	assert.equal(changedPackage(one, one), undefined);
	assert.equal(changedPackage(one, npm({ a: "1.0.1", c: "1.0.0" }, "other-")), undefined);
	assert.equal(changedPackage(one, npm({ c: "1.0.0", b: "1.0.0" }, "other-")), "b@1.0.0");
	const wheel = python({ "t==1.0": ["sha256:00"] });
	assert.equal(changedPackage(wheel, python({ "t==1.0": ["sha256:00", "sha256:11"] })), undefined);
	assert.equal(changedPackage(wheel, python({ "t==1.0": ["sha256:11"] })), "t@1.0");
	assert.equal(changedPackage(wheel, one), undefined);
});

test("gateways that write at the same time lose nothing", async () => {
	const folder = await place();
	const at = { beside: undefined, own: join(folder, "moorage.lock") };
	const files = Array.from({ length: 4 }, () => new LockFile(at, systemClock));
	const names = Array.from({ length: 24 }, (_, index) => `p${index}`);
	await Promise.all(
		names.map(async (name, index) => {
			const file = files[index % files.length];
			assert(file !== undefined);
			const done = await file.change(`npm:${name}`, () => succeed(npm({ [name]: "1.0.0" })));
			assert(done.ok);
		}),
	);
	const lock = await new LockFile(at, systemClock).read();
	assert(lock.ok);
	assert.deepEqual([...lock.value.keys()].sort(), names.map((name) => `npm:${name}`).sort());
	assert.deepEqual(await readdir(folder), ["moorage.lock"]);
});

test("who decides sees what others wrote, and may keep it", async () => {
	const folder = await place();
	const file = new LockFile({ beside: undefined, own: join(folder, "l") }, systemClock);
	await file.change("npm:a", () => succeed(npm({ a: "1.0.0" })));
	const before = await readFile(join(folder, "l"), "utf8");
	const kept = await file.change("npm:a", (lock) => {
		const found = lock.get("npm:a");
		return found === undefined ? fail({ kind: "other", line: "" }) : succeed(found);
	});
	assert(kept.ok && kept.value.version === "1.0.0");
	const refused = await file.change("npm:a", () => fail({ kind: "changed", line: "no" }));
	assert(!refused.ok && refused.problem.kind === "changed");
	assert.equal(await readFile(join(folder, "l"), "utf8"), before);
});

test("what a killed gateway held is taken over when it is old", async () => {
	const folder = await place();
	const held = join(folder, ".l.held");
	await writeFile(held, "");
	const long_ago = new Date(systemClock.now() - 60_000);
	await utimes(held, long_ago, long_ago);
	const file = new LockFile({ beside: undefined, own: join(folder, "l") }, systemClock);
	assert((await file.change("npm:a", () => succeed(npm({ a: "1.0.0" })))).ok);
	assert.deepEqual(await readdir(folder), ["l"]);
});

test("the lock beside the configuration goes first, the data folder takes the rest", async () => {
	const [config, data] = [await place(), await place()];
	const at = { beside: join(config, "moorage.lock"), own: join(data, "moorage.lock") };
	const file = new LockFile(at, systemClock);
	await writeFile(at.own, renderLock(new Map([["npm:a", npm({ a: "1.0.0" })]])));
	await writeFile(at.beside, renderLock(new Map([["npm:a", npm({ a: "2.0.0" })]])));
	const lock = await file.read();
	assert(lock.ok && lock.value.get("npm:a")?.version === "2.0.0");
	assert((await file.change("npm:b", () => succeed(npm({ b: "1.0.0" })))).ok);
	assert.match(await readFile(at.beside, "utf8"), /npm:b/u);
	assert.doesNotMatch(await readFile(at.own, "utf8"), /npm:b/u);
});

test("where the configuration's folder cannot be written, what it locks stays", async (t) => {
	if (process.getuid?.() === 0) {
		t.skip("root may write everywhere");
		return;
	}
	const [config, data] = [await place(), await place()];
	const at = { beside: join(config, "moorage.lock"), own: join(data, "moorage.lock") };
	await writeFile(at.beside, renderLock(new Map([["npm:a", npm({ a: "1.0.0" })]])));
	await chmod(config, 0o555);
	try {
		const file = new LockFile(at, systemClock);
		assert((await file.change("npm:b", () => succeed(npm({ b: "1.0.0" })))).ok);
		assert.match(await readFile(at.own, "utf8"), /npm:b/u);
		const newer = await file.change("npm:a", () => succeed(npm({ a: "2.0.0" })));
		assert(!newer.ok && newer.problem.kind === "no_permission");
	} finally {
		await chmod(config, 0o755);
	}
});

test("a lock that cannot be written or read is a failure with its path", async () => {
	const folder = await place();
	const nowhere = new LockFile({ beside: undefined, own: join(folder, "no", "l") }, systemClock);
	const written = await nowhere.change("npm:a", () => succeed(npm({ a: "1.0.0" })));
	assert(!written.ok && written.problem.line.includes(join(folder, "no", "l")));
	await mkdir(join(folder, "l"));
	const unread = await new LockFile(
		{ beside: undefined, own: join(folder, "l") },
		systemClock,
	).read();
	assert(!unread.ok && /cannot be read \(EISDIR\)/u.test(unread.problem.line));
	await writeFile(join(folder, "bad"), "{");
	const bad = new LockFile({ beside: undefined, own: join(folder, "bad") }, systemClock);
	const read = await bad.read();
	assert(!read.ok && read.problem.kind === "lock_damaged");
	const change = await bad.change("npm:a", () => succeed(npm({ a: "1.0.0" })));
	assert(!change.ok && change.problem.kind === "lock_damaged");
	assert.equal(await readFile(join(folder, "bad"), "utf8"), "{");
});

test("images are locked beside packages, and neither loses the other", async () => {
	const at = { beside: undefined, own: join(await place(), "moorage.lock") };
	const file = new LockFile(at, systemClock);
	const sha = (letter: string) => `sha256:${letter.repeat(64)}`;
	const image: ImageEntry = {
		name: "h:5000/x",
		digest: sha("a"),
		ids: { "linux/amd64": sha("b") },
	};
	assert((await file.change("npm:a", () => succeed(npm({ a: "1.0.0" })))).ok);
	assert((await file.changeImage("h:5000/x:1", () => image)).ok);
	assert((await file.change("npm:b", () => succeed(npm({ b: "1.0.0" })))).ok);
	assert.deepEqual(await file.findImage("h:5000/x:1"), succeed(image));
	const packages = await file.read();
	assert(packages.ok);
	assert.deepEqual([...packages.value.keys()], ["npm:a", "npm:b"]);
	const text = await readFile(at.own, "utf8");
	for (const bad of [text.replace(sha("b"), "sha256:b"), text.replace('"h:5000/x"', '"-x"')]) {
		assert.notEqual(bad, text);
		await writeFile(at.own, bad);
		const found = await file.findImage("h:5000/x:1");
		assert(!found.ok && found.problem.kind === "entry_damaged");
		assert.match(found.problem.line, /is damaged at images > h:5000\/x:1/u);
		assert((await file.find("npm:a")).ok);
	}
	assert((await file.changeImage("h:5000/x:1", () => image, { mends: true })).ok);
	assert.equal(await readFile(at.own, "utf8"), text);
});

test("a damaged entry concerns whoever asks for it, and stays until it is to be replaced", async () => {
	const at = { beside: undefined, own: join(await place(), "moorage.lock") };
	const file = new LockFile(at, systemClock);
	assert((await file.change("npm:a", () => succeed(npm({ a: "1.0.0" })))).ok);
	assert((await file.change("npm:b", () => succeed(npm({ b: "1.0.0" })))).ok);
	const good = await readFile(at.own, "utf8");
	await writeFile(at.own, good.replace('"platform": "p"', '"platform": 5'));
	const found = await file.find("npm:a");
	assert(!found.ok && found.problem.kind === "entry_damaged");
	assert.match(found.problem.line, /moorage\.lock is damaged at packages > npm:a > platform$/u);
	const intact = await file.find("npm:b");
	assert(intact.ok && intact.value?.version === "1.0.0");
	const decided = await file.change("npm:a", () => assert.fail("it was decided anew"));
	assert(!decided.ok && decided.problem.kind === "entry_damaged");
	assert((await file.change("npm:c", () => succeed(npm({ c: "1.0.0" })))).ok);
	assert.match(await readFile(at.own, "utf8"), /"platform":5/u, "nobody else removes it");
	const mended = () => succeed(npm({ a: "1.0.0" }));
	assert((await file.change("npm:a", mended, { mends: true })).ok);
	const now = await file.find("npm:a");
	assert(now.ok && now.value?.version === "1.0.0");
	assert.doesNotMatch(await readFile(at.own, "utf8"), /"platform":5/u);
});

test("an entry beside the configuration goes before one in the data folder, damaged or not", async () => {
	const [config, data] = [await place(), await place()];
	const at = { beside: join(config, "moorage.lock"), own: join(data, "moorage.lock") };
	const file = new LockFile(at, systemClock);
	const good = renderLock(new Map([["npm:a", npm({ a: "1.0.0" })]]));
	const bad = good.replace('"platform": "p"', '"platform": 5');
	await writeFile(at.own, good);
	await writeFile(at.beside, bad);
	assert(!(await file.find("npm:a")).ok);
	await writeFile(at.own, bad);
	await writeFile(at.beside, good);
	assert((await file.find("npm:a")).ok);
});
