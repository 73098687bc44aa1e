import assert from "node:assert/strict";
import { test } from "node:test";
import type { TenantDetails, TenantPage } from "../../src/admin/contracts/tenants.ts";
import { hashApiKey, newApiKey } from "../../src/identity/api-keys.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { adminDone } from "../support/admin-request.ts";
import { startGateway, stdioFixture } from "../support/gateway.ts";

test("a tenant is told with its people and keys, and what they may use only where it is asked", async (t) => {
	const hash = `sha256:${hashApiKey(newApiKey(systemRandom))}`;
	const gateway = await startGateway({
		identity: { keys: [{ name: "bot", hash, tenant: "acme", user: "bot", roles: ["member"] }] },
		servers: { echo: stdioFixture("echo") },
	});
	t.after(() => gateway.stop());
	for (const user of ["zoe", "ana"]) {
		await adminDone(gateway, "POST", "/api/users", { tenant: "acme", user, roles: ["member"] });
	}
	await adminDone(gateway, "POST", "/api/users", { tenant: "globex", user: "gus", roles: [] });
	await adminDone(gateway, "POST", "/api/keys", { name: "laptop", tenant: "acme", user: "ana" });

	const { tenants } = await adminDone<TenantPage>(gateway, "GET", "/api/tenants");
	const told = tenants.map(({ name, people, keys }) => [name, people, keys]);
	assert.deepEqual(told, [
		["acme", 2, 2],
		["globex", 1, 0],
	]);

	const looked = await adminDone<TenantDetails>(gateway, "GET", "/api/tenants/acme");
	const members = looked.members.map(({ kind, user, roles }) => [kind, user, roles]);
	assert.deepEqual(members, [
		["person", "ana", ["member"]],
		["person", "zoe", ["member"]],
		["key", "bot", ["member"]],
		["key", "ana", ["member"]],
	]);
	assert.deepEqual([looked.asked, looked.servers[0]?.open_to], [undefined, undefined]);

	const path = "/api/tenants/acme?access=true";
	const asked = await adminDone<TenantDetails>(gateway, "GET", path);
	assert.deepEqual([asked.asked, asked.servers[0]?.open_to], [4, 4]);
});
