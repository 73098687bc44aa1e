import assert from "node:assert/strict";
import { test } from "node:test";
import { AdminReleases } from "../support/admin-releases.ts";
import { startGateway, stdioFixture } from "../support/gateway.ts";
import { textOf } from "../support/raw-client.ts";
import { ModernWire } from "../support/wire-clients.ts";

test("forks of a server with the longest name have names that are none too long", async (context) => {
	const server = "s".repeat(40);
	const gateway = await startGateway({ servers: { [server]: stdioFixture("echo") } });
	context.after(() => gateway.stop());
	const releases = new AdminReleases(gateway);
	for (const name of [`${"s".repeat(35)}-fork`, `${"s".repeat(33)}-fork-2`]) {
		const forked = await releases.fork(server);
		assert.ok(forked.ok, JSON.stringify(forked));
		assert.equal(forked.value.name, name);
		const wire = new ModernWire(gateway.address(name));
		assert.equal(textOf(await wire.call("echo", '{"text":"hello"}')), "hello");
	}
});
