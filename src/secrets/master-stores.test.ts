import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { drawMasterKey, masterKeyOf, parseMasterKey, writeMasterKey } from "./master-key.ts";
import { commandStore, environmentStore, keyringStore, type RunCommand } from "./master-stores.ts";

const random = new SeededRandom(3);
const key = drawMasterKey(random);

test("a key is read in every way in which it is written", () => {
	for (const text of [
		writeMasterKey(key),
		`${key.bytes.toString("base64")}\n`,
		key.bytes.toString("hex"),
		key.bytes.toString("hex").toUpperCase(),
	]) {
		const read = parseMasterKey(text, "it");
		assert.ok(read.ok);
		assert.equal(read.value.id, key.id);
	}
});

test("what is no key is refused without being repeated", () => {
	for (const text of ["", "hunter22", "a".repeat(42), "a".repeat(64) + "g", "ä".repeat(43)]) {
		const read = parseMasterKey(text, "the file");
		assert.ok(!read.ok);
		assert.ok(text === "" || !JSON.stringify(read).includes(text));
	}
});

test("an id tells keys apart and says nothing of them", () => {
	assert.match(key.id, /^[0-9a-f]{16}$/);
	assert.notEqual(key.id, masterKeyOf(Buffer.alloc(32)).id);
	assert.ok(!key.bytes.toString("hex").includes(key.id));
});

test("a key comes from the environment, or it is said how", async () => {
	const set = await environmentStore("K", { K: writeMasterKey(key) }).load(undefined);
	assert.ok(set.ok && set.value.id === key.id);
	for (const environment of [{}, { K: "" }]) {
		const unset = await environmentStore("K", environment).load(undefined);
		assert.ok(!unset.ok);
		assert.match(unset.problem.message, /`K` is not set/);
	}
});

test("a key comes from a program, which is run without a shell", async () => {
	const ran: (readonly string[])[] = [];
	const run =
		(code: number | null, stdout: string): RunCommand =>
		(argv) => {
			ran.push(argv);
			return Promise.resolve({ code, stdout });
		};
	const argv = ["pass", "show", "a; rm -rf /"];
	const read = await commandStore(argv, run(0, `${writeMasterKey(key)}\n`)).load(undefined);
	assert.ok(read.ok && read.value.id === key.id);
	assert.deepEqual(ran, [argv]);
	for (const [code, message] of [
		[1, /exit code 1/],
		[null, /could not be run/],
	] as const) {
		const failed = await commandStore(argv, run(code, "")).load(undefined);
		assert.ok(!failed.ok);
		assert.match(failed.problem.message, message);
	}
});

/** The programs of a keyring, as their manuals describe them, over a map. */
function fakeKeyring(entries: Map<string, string>): RunCommand {
	return (argv, input = "") => {
		assert.ok(!argv.some((word) => /[\w-]{43}/.test(word)), "no key is an argument");
		const [program, verb] = argv;
		const account = argv.at(program === "security" ? argv.indexOf("-a") + 1 : -1) ?? "";
		if (verb === "lookup" || verb === "find-generic-password") {
			const found = entries.get(account);
			return Promise.resolve({ code: found === undefined ? 1 : 0, stdout: found ?? "" });
		}
		if (verb === "store") entries.set(account, input);
		else if (verb === "-i") {
			const [, name = "", value = ""] = /-a (\S+) -w (\S+)/.exec(input) ?? [];
			entries.set(name, value);
		} else entries.delete(account);
		return Promise.resolve({ code: 0, stdout: "" });
	};
}

for (const platform of ["linux", "darwin"] as const) {
	test(`on ${platform} the keyring keeps the key, also through a rotation that is interrupted`, async () => {
		const entries = new Map<string, string>();
		const store = keyringStore("master", { run: fakeKeyring(entries), random, platform });
		const made = await store.load(undefined);
		const again = await store.load(undefined);
		assert.ok(made.ok && again.ok && made.value.id === again.value.id);
		const next = drawMasterKey(random);
		assert.ok((await store.prepare?.(next))?.ok);
		const old = await store.load(made.value.id);
		assert.ok(old.ok && old.value.id === made.value.id, "nothing was sealed with the new one");
		const newer = await store.load(next.id);
		assert.ok(newer.ok && newer.value.id === next.id, "everything was");
		assert.ok((await store.finish?.(next))?.ok);
		assert.deepEqual([...entries.keys()], ["master"]);
		entries.clear();
		const gone = await store.load(next.id);
		assert.ok(!gone.ok);
		assert.equal(entries.size, 0, "no new key is made in its place");
	});
}

test("where there is no keyring that is said", async () => {
	const absent: RunCommand = () => Promise.resolve({ code: null, stdout: "" });
	const refuses: RunCommand = () => Promise.resolve({ code: 1, stdout: "" });
	for (const [run, platform] of [
		[absent, "linux"],
		[refuses, "linux"],
		[refuses, "win32"],
	] as const) {
		const outcome = await keyringStore("master", { run, random, platform }).load(undefined);
		assert.ok(!outcome.ok);
		assert.match(outcome.problem.message, /keyring/);
	}
});
