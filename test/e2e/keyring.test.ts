import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { no_keyring, startKeyring } from "../support/keyring.ts";
import { runCli } from "../support/run-cli.ts";
import { tempFolder } from "../support/temp-folder.ts";
import { ModernWire } from "../support/wire-clients.ts";

/** The master key of the vault in a real keyring, that of GNOME, on a message bus of its own. */

const value = "the-value-that-is-kept";
const digest = createHash("sha256").update(value).digest("hex");

test("the master key is kept in the keyring alone, through a rotation, and found again", {
	skip: no_keyring,
}, async (t) => {
	const [folder, home] = [await tempFolder(t), await tempFolder(t)];
	const config = {
		secrets: { master_key: { keyring: "moorage-test" } },
		servers: {
			leaky: {
				...stdioFixture("secretive"),
				env: { SECRETS: "TOKEN", TOKEN: "${secret:token}" },
			},
		},
	};
	await writeFile(join(folder, "moorage.yaml"), JSON.stringify({ version: 1, ...config }));
	let keyring = await startKeyring(home);
	t.after(() => keyring.stop());
	const run = (words: readonly string[], input?: string) =>
		runCli(["secret", ...words], {
			cwd: folder,
			environment: keyring.environment,
			...(input !== undefined && { input }),
		});
	const held = async (): Promise<string> => {
		const { environment } = keyring;
		const gateway = await startGateway(config, { folder, environment, drain_ms: 100 });
		try {
			const client = new ModernWire(gateway.address("leaky"));
			const reply = await client.call("hold", '{"name":"TOKEN"}');
			return reply.result?.content?.[0]?.text ?? reply.error?.message;
		} finally {
			await gateway.stop();
		}
	};

	const stored = await run(["set", "token"], value);
	assert.equal(stored.code, 0, stored.stderr);
	const first = keyring.lookup("moorage-test");
	assert.match(first, /^[\w-]{43}$/);
	assert.equal(await held(), digest);
	const keys = await readdir(join(folder, ".moorage", "keys"));
	assert.ok(!keys.includes("master-key"), keys.join());

	await t.test("a rotation exchanges it there", async () => {
		const rotated = await run(["rotate", "--master"]);
		assert.equal(rotated.code, 0, rotated.stderr);
		const second = keyring.lookup("moorage-test");
		assert.match(second, /^[\w-]{43}$/);
		assert.notEqual(second, first);
		assert.equal(keyring.lookup("moorage-test-next"), "");
		assert.equal(await held(), digest);
	});

	await t.test("without the keyring nothing is given out, and nothing is lost", async () => {
		await keyring.stop();
		const said = await held();
		assert.doesNotMatch(said, new RegExp(digest));
		assert.match(said, /master key is missing/);
		const refused = await run(["set", "other"], "another-value");
		assert.notEqual(refused.code, 0);
		assert.match(refused.stderr, /keyring/);
		keyring = await startKeyring(home);
		assert.equal(await held(), digest);
	});
});
