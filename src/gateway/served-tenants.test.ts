import assert from "node:assert/strict";
import { test } from "node:test";
import { ServedTenants } from "./served-tenants.ts";

const shared = { server: "notes", scope_key: "" };

test("what a shared instance says is told to the one tenant that it has worked for", () => {
	const served = new ServedTenants();
	assert.ok(served.mayTell(shared, "acme") && served.mayTell(shared, "other"));
	served.note(shared, "acme");
	served.note(shared, "acme");
	assert.deepEqual(
		[served.mayTell(shared, "acme"), served.mayTell(shared, "other")],
		[true, false],
	);
	served.note(shared, "other");
	served.note(shared, "acme");
	assert.deepEqual(
		[served.mayTell(shared, "acme"), served.mayTell(shared, "other")],
		[false, false],
	);
	assert.ok(served.mayTell({ ...shared, server: "files" }, "other"));
});

test("an instance of somebody's own is told apart by its scope", () => {
	const served = new ServedTenants();
	const own = { server: "notes", scope_key: "tenant:acme" };
	served.note(own, "acme");
	assert.ok(served.mayTell(own, "acme"));
	assert.ok(served.mayTell(shared, "other"));
});
