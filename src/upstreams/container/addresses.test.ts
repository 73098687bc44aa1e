import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { tempFolder } from "../../../test/support/temp-folder.ts";
import { addressText, engineAddresses, hasEngineSocket } from "./addresses.ts";

test("an engine is looked for where it is said to be, else where engines usually are", () => {
	assert.deepEqual(engineAddresses({ DOCKER_HOST: "tcp://h:1", HOME: "/me" }), [
		{ host: "h", port: 1 },
	]);
	assert.deepEqual(engineAddresses({ DOCKER_HOST: "tcp://h" }), [{ host: "h", port: 2375 }]);
	assert.deepEqual(engineAddresses({ DOCKER_HOST: "unix:///a/b.sock" }), [{ socket: "/a/b.sock" }]);
	assert.deepEqual(engineAddresses({ HOME: "/me", XDG_RUNTIME_DIR: "/run/me" }), [
		{ socket: "/var/run/docker.sock" },
		{ socket: "/run/me/docker.sock" },
		{ socket: "/me/.docker/run/docker.sock" },
		{ socket: "/run/me/podman/podman.sock" },
		{ socket: "/run/podman/podman.sock" },
	]);
});

test("an address that cannot be read is none, and no other is tried instead", () => {
	for (const set of ["nonsense", "ssh://host", "tcp://"]) {
		assert.deepEqual(engineAddresses({ DOCKER_HOST: set, HOME: "/me" }), [], set);
	}
});

test("an address is told as people write it", () => {
	assert.equal(addressText({ socket: "/a" }), "/a");
	assert.equal(addressText({ host: "h", port: 1 }), "h:1");
});

test("an engine of this machine is there when its socket is; one of another is not looked for", async (t) => {
	const folder = await tempFolder(t, { "docker.sock": "" });
	assert.ok(hasEngineSocket({ DOCKER_HOST: `unix://${join(folder, "docker.sock")}` }));
	assert.ok(!hasEngineSocket({ DOCKER_HOST: `unix://${join(folder, "none.sock")}` }));
	assert.ok(!hasEngineSocket({ DOCKER_HOST: "tcp://127.0.0.1:2375" }));
	assert.ok(hasEngineSocket({ XDG_RUNTIME_DIR: folder }));
});
