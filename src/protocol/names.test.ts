import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { exposedName, exposedUri, originalUri } from "./names.ts";

const server_name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9-]{0,30}$/);

test("a short plain name is only prefixed with its server", () => {
	assert.equal(exposedName("time", "get_current_time"), "time__get_current_time");
});

test("a name with other characters keeps a readable beginning and gets a digest", () => {
	const name = exposedName("shop", "order.create/now");
	assert.match(name, /^shop__order_create_now_[0-9a-f]{8}$/);
});

test("a long name is cut to 64 characters and stays distinct from its neighbour", () => {
	const long = "x".repeat(100);
	const one = exposedName("server", `${long}1`);
	const two = exposedName("server", `${long}2`);
	assert.equal(one.length, 64);
	assert.notEqual(one, two);
});

test("every exposed name is acceptable to model providers and the same each time", () => {
	fc.assert(
		fc.property(server_name, fc.string({ minLength: 1, maxLength: 200 }), (server, tool) => {
			const name = exposedName(server, tool);
			assert.match(name, /^[A-Za-z0-9_-]{1,64}$/);
			assert.equal(exposedName(server, tool), name);
		}),
	);
});

test("different tools of one server get different names", () => {
	fc.assert(
		fc.property(server_name, fc.uniqueArray(fc.string({ minLength: 1 })), (server, tools) => {
			const names = new Set(tools.map((tool) => exposedName(server, tool)));
			assert.equal(names.size, tools.length);
		}),
	);
});

test("a resource's address carries its server and comes back whole", () => {
	fc.assert(
		fc.property(server_name, fc.webUrl(), (server, uri) => {
			assert.deepEqual(originalUri(exposedUri(server, uri)), { server, uri });
		}),
	);
});

test("schemes that mean something to clients are kept", () => {
	assert.equal(exposedUri("maps", "ui://widget/map.html"), "ui://maps/widget/map.html");
	assert.deepEqual(originalUri("ui://maps/widget/map.html"), {
		server: "maps",
		uri: "ui://widget/map.html",
	});
	assert.equal(exposedUri("docs", "skill://pdf/SKILL.md"), "skill://docs/pdf/SKILL.md");
});

test("a template stays a template", () => {
	const exposed = exposedUri("everything", "demo://resource/{id}");
	assert.equal(exposed, "moorage://everything/demo://resource/{id}");
});

test("an address that is not ours has no original", () => {
	assert.equal(originalUri("https://example.com/x"), undefined);
	assert.equal(originalUri("moorage://"), undefined);
	assert.equal(originalUri("moorage:///x"), undefined);
	assert.equal(originalUri("ui://widget"), undefined);
});
