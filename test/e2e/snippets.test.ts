import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { readAdminToken } from "../../src/admin/token.ts";
import { snippetsOf } from "../../src/dashboard/lib/snippets.ts";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { repository_root } from "../../tools/lib/paths.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { cli_path } from "../support/run-cli.ts";

const run = promisify(execFile);
/** Whatever a shell, JSON or a template could trip over. */
const said = `it's "$HOME" \`x\` \\ ü € %s !`;
const call = { server: "echo", tool: "echo", args: { text: said } };

describe("the same call elsewhere, as the playground shows it", () => {
	let gateway: TestGateway;
	let folder: string;
	const key = newApiKey(systemRandom);

	before(async () => {
		folder = await mkdtemp(join(tmpdir(), "moorage-test-"));
		gateway = await startGateway({
			servers: { echo: { ...stdioFixture("echo"), scope: "shared" } },
			identity: { keys: [{ name: "ana", hash: `sha256:${hashApiKey(key)}` }] },
		});
	});
	after(async () => {
		await gateway?.stop();
		await rm(folder, { recursive: true, force: true });
	});

	const textOf = (id: string) => {
		const found = snippetsOf(gateway.url, call, true).find((one) => one.id === id);
		assert.ok(found !== undefined);
		return found.text;
	};
	const tokenOf = async () => {
		const token = await readAdminToken(gateway.daemon.plan.data);
		assert.ok(token.ok);
		return token.value;
	};

	test("curl makes it as it stands", async () => {
		const env = { ...process.env, MOORAGE_TOKEN: await tokenOf() };
		const { stdout } = await run("sh", ["-c", `${textOf("curl")} --silent --fail-with-body`], {
			env,
		});
		const { content } = JSON.parse(stdout) as { content: { text: string }[] };
		assert.equal(content[0]?.text, said);
	});

	test("the command line makes it as it stands", async () => {
		const moorage = `moorage() { "${process.execPath}" "${cli_path}" "$@"; }`;
		const script = `${moorage}\n${textOf("cli")} --json`;
		const { stdout } = await run("sh", ["-c", script], { cwd: gateway.folder });
		assert.ok(stdout.includes(JSON.stringify(said)), stdout);
	});

	test("the SDK makes it as it stands, with a key of its person", async () => {
		await symlink(join(repository_root, "node_modules"), join(folder, "node_modules"));
		const file = join(folder, "call.mjs");
		await writeFile(file, textOf("sdk"));
		const env = { ...process.env, MOORAGE_KEY: key };
		const { stdout } = await run(process.execPath, [file], { env });
		assert.ok(stdout.includes("type: 'text'") && stdout.includes("€"), stdout);
	});
});
