// In a process of its own: it asks what was wrong on the wire of its process.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { startHttpFixture } from "../support/fixtures.ts";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { startMoorage } from "../support/moorage-process.ts";
import { exchange } from "../support/raw-client.ts";
import { ModernWire, openLegacy } from "../support/wire-clients.ts";
import { expectWrong } from "./watch.ts";

/** What the check says when the gateway stops. */
async function complaintsOf(gateway: TestGateway): Promise<string> {
	try {
		await gateway.stop();
		return "";
	} catch (error) {
		return (error as Error).message;
	}
}

test("what fits is no complaint, over every transport", async () => {
	const remote = await startHttpFixture("echo", ["--http"]);
	const servers = { pipe: stdioFixture("echo"), remote: { url: remote.url } };
	const gateway = await startGateway({ servers });
	for (const server of ["pipe", "remote"]) {
		await (await openLegacy(gateway.address(server))).call("echo", '{"text":"x"}');
		await new ModernWire(gateway.address(server)).call("echo", '{"text":"x"}');
	}
	assert.equal(await complaintsOf(gateway), "");
	await remote.stop();
});

test("a wrong result is seen where it is said, and where it is passed on", async () => {
	const remote = await startHttpFixture("fidelity", ["--http"]);
	const servers = { pipe: stdioFixture("fidelity"), remote: { url: remote.url } };
	const gateway = await startGateway({ servers });
	for (const server of ["pipe", "remote"]) {
		await new ModernWire(gateway.address(server)).call("odd");
	}
	const said = await complaintsOf(gateway);
	for (const hop of ["pipes", "servers", "clients"]) {
		assert.match(said, new RegExp(`^- ${hop}, to-client .*CallToolResult`, "mu"));
	}
	assert.match(said, /"type":"hologram"/u);
	await remote.stop();
});

test("a wrong request is seen, unless it is marked as wrong on purpose", async () => {
	const body = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}';
	const again = async () => {
		const gateway = await startGateway({ servers: { pipe: stdioFixture("echo") } });
		const client = await openLegacy(gateway.address("pipe"));
		await exchange(client.address, { headers: client.headers({}), body });
		return complaintsOf(gateway);
	};
	assert.match(await again(), /clients, to-server .*\/params\/name must be string/u);
	expectWrong([
		{ hop: "clients", direction: "to-server", complaint: /\/params\/name/u, why: "To be sure." },
	]);
	assert.equal(await again(), "");
});

test("a gateway in a process of its own is watched as well, and when it is killed", async () => {
	const folder = await mkdtemp(join(tmpdir(), "moorage-wire-test-"));
	const config = join(folder, "moorage.yaml");
	await writeFile(
		config,
		JSON.stringify({ version: 1, servers: { odd: stdioFixture("fidelity") } }),
	);
	try {
		for (const end of ["stop", "kill"] as const) {
			const moorage = await startMoorage(config, join(folder, "data"));
			await new ModernWire(moorage.address("odd")).call("odd");
			await assert.rejects(moorage[end](), /pipes, to-client .*CallToolResult/u);
		}
	} finally {
		await rm(folder, { recursive: true, force: true });
	}
});
