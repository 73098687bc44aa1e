import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { AdminReleases } from "../support/admin-releases.ts";
import { floatingServer } from "../support/floating-server.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { type NpmRegistry, startNpmRegistry } from "../support/npm-registry.ts";
import { textOf } from "../support/raw-client.ts";
import { ModernWire } from "../support/wire-clients.ts";

/** What a lock that was edited by hand, or merged badly, does to the servers of a gateway. */

const npm = ["/usr/bin/npm", "/usr/local/bin/npm"].some(existsSync);

describe("a gateway that starts with a damaged lock", { skip: !npm && "npm is not here" }, () => {
	let registry: NpmRegistry;
	let gateway: TestGateway;
	let folder: string;
	let good: string;
	const path = () => join(folder, "moorage.lock");
	const start = () =>
		startGateway(
			{
				servers: {
					one: { command: "npx -y first" },
					two: { command: "npx -y second" },
					plain: stdioFixture("echo"),
				},
			},
			{
				folder,
				environment: registry.environment(folder),
			},
		);
	const call = async (server: string, tool: string, args = "{}") =>
		textOf(await new ModernWire(gateway.address(server)).call(tool, args));
	const restartWith = async (lock: string) => {
		await gateway.stop();
		await writeFile(path(), lock);
		gateway = await start();
	};
	before(async () => {
		folder = await mkdtemp(join(tmpdir(), "moorage-test-"));
		registry = await startNpmRegistry();
		for (const name of ["first", "second"]) {
			registry.publish(name, "1.0.0", { "main.mjs": floatingServer("1.0.0", ["version"]) });
		}
		gateway = await start();
		assert.equal(await call("one", "version"), "1.0.0");
		assert.equal(await call("two", "version"), "1.0.0");
		good = await readFile(path(), "utf8");
	});
	after(async () => {
		await gateway.stop();
		await registry.stop();
		await rm(folder, { recursive: true, force: true });
	});

	test("fails only the server of a damaged entry, and says which and what to do", async () => {
		const bad = good.replace(/("npm:first": \{[^]*?"version": )"1\.0\.0"/u, "$1[]");
		assert.notEqual(bad, good);
		await restartWith(bad);
		assert.equal(await call("plain", "echo", `{"text":"hello"}`), "hello");
		assert.equal(await call("two", "version"), "1.0.0");
		const answer = await call("one", "version");
		assert.match(answer, /moorage\.lock is damaged at packages > npm:first > version\./u);
		assert.match(answer, /`moorage deploy one --update`/u);
		assert.equal(await readFile(path(), "utf8"), bad);
	});

	test("has the entry resolved anew by a deploy, and the server runs", async () => {
		const deployed = await new AdminReleases(gateway).deploy("one", { update: true });
		assert.ok(deployed.ok, JSON.stringify(deployed));
		assert.equal(await call("one", "version"), "1.0.0");
		assert.equal(await readFile(path(), "utf8"), good);
	});

	test("serves what is no package while its lock cannot be read at all", async () => {
		await restartWith(`<<<<<<< ours\n${good}`);
		assert.equal(await call("plain", "echo", `{"text":"hello"}`), "hello");
		for (const server of ["one", "two"]) {
			const answer = await call(server, "version");
			assert.match(answer, /moorage\.lock holds an unresolved merge conflict\./u);
			assert.match(answer, /Restore the file from version control or a backup/u);
		}
	});
});
