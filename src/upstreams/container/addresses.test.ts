import assert from "node:assert/strict";
import { test } from "node:test";
import { addressText, engineAddresses } from "./addresses.ts";

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
