import assert from "node:assert/strict";
import { test } from "node:test";
import { readPowers } from "./engine-powers.ts";

const everything = { MemoryLimit: true, PidsLimit: true, CpuCfsQuota: true };

test("an engine says itself what it cannot limit", () => {
	const docker = { ...everything, PidsLimit: false, SecurityOptions: ["name=seccomp"] };
	assert.deepEqual(readPowers(docker, undefined), {
		is_podman: false,
		is_rootless: false,
		missing: ["processes"],
	});
	const podman = { ...everything, Rootless: false };
	assert.deepEqual(readPowers(podman, undefined).missing, []);
});

test("a rootless Podman can limit what was delegated to it, whatever it tells Docker's clients", () => {
	const info = { ...everything, Rootless: true };
	const given = (cgroupControllers: string[]) =>
		readPowers(info, { host: { cgroupControllers } }).missing;
	assert.deepEqual(given(["memory", "pids"]), ["processors"]);
	assert.deepEqual(given(["cpu", "io", "memory", "pids"]), []);
	assert.deepEqual(given([]), ["memory", "processes", "processors"]);
	assert.deepEqual(readPowers(info, undefined).missing, ["memory", "processes", "processors"]);
});

test("a rootless Docker is known by its security options", () => {
	const info = {
		...everything,
		SecurityOptions: ["name=seccomp,profile=default", "name=rootless"],
	};
	const { is_podman, is_rootless, missing } = readPowers(info, undefined);
	assert.deepEqual([is_podman, is_rootless, missing], [false, true, []]);
});
