import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { test } from "node:test";
import { runCli } from "../../../test/support/run-cli.ts";
import { identity_schema } from "../../config/schema-identity.ts";
import { hashApiKey } from "../../identity/api-keys.ts";

const world = { cwd: tmpdir() };

test("a new key is printed with the entry that lets it in, which holds only its hash", async () => {
	const args = ["key", "new", "alice-laptop", "--user", "alice", "--tenant", "acme"];
	const { code, stdout } = await runCli(args, world);
	assert.equal(code, 0);
	const [key = "", entry = ""] = stdout.trim().split("\n");
	assert.match(key, /^moorage_[\w-]{43}$/);
	assert.ok(entry.includes(`"sha256:${hashApiKey(key)}"`), entry);
	assert.ok(!entry.includes(key));
	assert.match(entry, /^- \{ name: "alice-laptop", hash: .*, tenant: "acme", user: "alice" \}$/);
});

test("as JSON it is ready for the configuration", async () => {
	const args = ["key", "new", "ci", "--expires", "2027-01-31", "--json"];
	const { stdout } = await runCli(args, world);
	const { key, entry } = JSON.parse(stdout) as { key: string; entry: { hash: string } };
	assert.equal(entry.hash, `sha256:${hashApiKey(key)}`);
	assert.ok(identity_schema.safeParse({ keys: [entry] }).success);
});

test("an action that does not exist is a mistake of the command line", async () => {
	const { code, stderr } = await runCli(["key", "remove", "alice"], world);
	assert.equal(code, 2);
	assert.match(stderr, /moorage key new NAME/);
});
