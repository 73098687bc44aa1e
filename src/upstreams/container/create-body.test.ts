import assert from "node:assert/strict";
import { test } from "node:test";
import type { EgressPlan, ResourcePlan } from "../../config/plan.ts";
import { client_running, declared_running } from "../../config/running.ts";
import type { Confinement } from "../driver.ts";
import { type CreateOptions, createBody, raisedMemory } from "./create-body.ts";
import { networkOf } from "./network.ts";

const spec = { image: "sha256:abc", args: [], env: {} };

function confined(over: Partial<Confinement> = {}): Confinement {
	const { sandbox, untrusted, resources } = declared_running;
	const folders = { volume: "/data/volumes/one", temp: "/data/tmp/one", needs: [] };
	return { sandbox, untrusted, resources, ...folders, instance: "one/shared/1", ...over };
}

function imageOf(user: string) {
	return { user, entrypoint: ["/bin/app"], command: ["serve"] };
}

function bodyOf(over: Partial<CreateOptions> = {}) {
	return createBody({
		spec,
		confinement: confined(),
		labels: { "dev.moorage.owner": "me" },
		image: imageOf(""),
		way: undefined,
		user: "65534:65534",
		...over,
	});
}

function withEgress(egress: EgressPlan): Confinement {
	return confined({ sandbox: { ...declared_running.sandbox, egress } });
}

function withResources(over: Partial<ResourcePlan>): Confinement {
	return confined({ resources: { ...declared_running.resources, ...over } });
}

test("a container has nothing that it was not given", () => {
	const { HostConfig, Labels, OpenStdin, Tty } = bodyOf();
	assert.equal(HostConfig.ReadonlyRootfs, true);
	assert.deepEqual(HostConfig.CapDrop, ["ALL"]);
	assert.deepEqual(HostConfig.SecurityOpt, ["no-new-privileges"]);
	assert.equal(HostConfig.Privileged, false);
	assert.equal(HostConfig.NetworkMode, "none");
	assert.equal(HostConfig.Init, true);
	assert.deepEqual(HostConfig.LogConfig, { Type: "none" });
	assert.deepEqual(HostConfig.RestartPolicy, { Name: "no" });
	assert.deepEqual(Labels, { "dev.moorage.owner": "me" });
	assert.equal(OpenStdin, true);
	assert.equal(Tty, false);
});

test("without a confinement it is as strict, and has no volume", () => {
	const { HostConfig, Env } = bodyOf({ confinement: undefined });
	assert.equal(HostConfig.NetworkMode, "none");
	assert.equal(HostConfig.ReadonlyRootfs, true);
	assert.deepEqual(HostConfig.Mounts, []);
	assert.deepEqual(Env, []);
});

test("an image that would run as root runs as somebody else", () => {
	for (const image_user of ["", "root", "0", "00", "0:0", "root:staff", ":5"]) {
		assert.equal(bodyOf({ image: imageOf(image_user) }).User, "65534:65534", image_user);
	}
	for (const image_user of ["node", "1000", "1000:1000", "rooted"]) {
		assert.equal(bodyOf({ image: imageOf(image_user) }).User, image_user);
	}
});

test("the volume is written, the paths of the sandbox are where they are on the machine", () => {
	const sandbox = { ...declared_running.sandbox, read: ["/etc/app"], write: ["/srv/out"] };
	const { HostConfig } = bodyOf({ confinement: confined({ sandbox }) });
	assert.deepEqual(HostConfig.Mounts, [
		{ Type: "bind", Source: "/data/volumes/one", Target: "/volume", ReadOnly: false },
		{ Type: "bind", Source: "/etc/app", Target: "/etc/app", ReadOnly: true },
		{ Type: "bind", Source: "/srv/out", Target: "/srv/out", ReadOnly: false },
	]);
});

test("the environment is the server's own, with where its volume is", () => {
	const env = { HOME: "/home/app", KEY: "a=b" };
	assert.deepEqual(bodyOf({ spec: { ...spec, env } }).Env, [
		"HOME=/home/app",
		"MOORAGE_VOLUME=/volume",
		"KEY=a=b",
	]);
});

test("arguments replace the image's command, none leave it", () => {
	assert.equal("Cmd" in bodyOf(), false);
	assert.deepEqual(bodyOf({ spec: { ...spec, args: ["a", "b"] } }).Cmd, ["a", "b"]);
});

test("limits are set, swap adds nothing to memory, and the processor waits", () => {
	const confinement = withResources({ memory_bytes_max: 64 * 1024 ** 2, cpus_max: 0.5 });
	const { HostConfig } = bodyOf({ confinement });
	assert.equal(HostConfig.Memory, 64 * 1024 ** 2);
	assert.equal(HostConfig.MemorySwap, HostConfig.Memory);
	assert.equal(HostConfig.PidsLimit, 256);
	assert.deepEqual(HostConfig.Ulimits, [
		{ Name: "core", Soft: 0, Hard: 0 },
		{ Name: "nofile", Soft: 4096, Hard: 4096 },
		{ Name: "fsize", Soft: 1024 ** 3, Hard: 1024 ** 3 },
	]);
	assert.equal(Object.keys(HostConfig).filter((name) => /cpu/i.test(name)).length, 0);
});

test("what is not limited stays out, but a core file is never written", () => {
	const none = {
		memory_bytes_max: undefined,
		processes_max: undefined,
		file_bytes_max: undefined,
		descriptors_max: undefined,
	};
	const { HostConfig } = bodyOf({ confinement: withResources(none) });
	assert.equal("Memory" in HostConfig || "PidsLimit" in HostConfig, false);
	assert.deepEqual(HostConfig.Ulimits, [{ Name: "core", Soft: 0, Hard: 0 }]);
});

test("a limit below what engines accept is the least they do, and that is said", () => {
	const least = 6 * 1024 ** 2;
	for (const [memory_bytes_max, given, said] of [
		[least + 1, least + 1, undefined],
		[least, least, undefined],
		[1024, least, /^Its limit on memory is 6MiB instead of 1KiB: container engines accept no less/],
	] as const) {
		const confinement = withResources({ memory_bytes_max });
		assert.equal(bodyOf({ confinement }).HostConfig.Memory, given);
		const note = raisedMemory(confinement.resources);
		if (said === undefined) assert.equal(note, undefined);
		else assert.match(note ?? "", said);
	}
});

test("the temporary folder is no larger than the disk it may use, and than memory bears", () => {
	// temp_bytes_max
	const most = 256 * 1024 ** 2;
	for (const [disk_bytes_max, size] of [
		[1024, 1024],
		[most - 1, most - 1],
		[most, most],
		[most + 1, most],
		[undefined, most],
	] as const) {
		const { HostConfig } = bodyOf({ confinement: withResources({ disk_bytes_max }) });
		assert.equal(
			HostConfig.Tmpfs["/tmp"],
			`rw,nosuid,nodev,noexec,mode=1777,size=${size}`,
			String(disk_bytes_max),
		);
	}
});

test("another runtime is named only where one was asked for", () => {
	assert.equal("Runtime" in bodyOf().HostConfig, false);
	assert.equal(bodyOf({ spec: { ...spec, runtime: "runsc" } }).HostConfig.Runtime, "runsc");
});

test("a network is given only to who asked for all of it, and is trusted", () => {
	assert.equal(networkOf(undefined), "none");
	assert.equal(networkOf(withEgress({ kind: "hosts", hosts: ["a.example"] })), "none");
	assert.equal(networkOf(confined({ sandbox: client_running.sandbox })), "none");
	const open = withEgress({ kind: "open" });
	assert.equal(networkOf(open), "bridge");
	assert.equal(networkOf({ ...open, untrusted: true }), "none");
});

test("what leads its connections stands in front of the image's own program", () => {
	const way = {
		binds: [{ from: "/data/forward", to: "/run/forward" }],
		prefix: ["/run/forward", "1"],
		env: { HTTP_PROXY: "http://proxy", KEY: "way" },
		close: async () => {},
	};
	const own = bodyOf({ way });
	assert.deepEqual(own.Entrypoint, ["/run/forward", "1"]);
	assert.deepEqual(own.Cmd, ["/bin/app", "serve"]);
	const mount = { Type: "bind", Source: "/data/forward", Target: "/run/forward", ReadOnly: true };
	assert.deepEqual(own.HostConfig.Mounts.at(-1), mount);
	const given = bodyOf({ way, spec: { ...spec, args: ["-v"], env: { KEY: "own" } } });
	assert.deepEqual(given.Cmd, ["/bin/app", "-v"]);
	assert.ok(given.Env.includes("HTTP_PROXY=http://proxy") && given.Env.includes("KEY=own"));
	assert.equal("Entrypoint" in bodyOf(), false);
});

test("what is hidden lies over what it would be seen in, and stays there with what is above it", () => {
	const sandbox = { ...declared_running.sandbox, write: ["/srv/out"] };
	const hidden = [{ path: "/srv/out/a/b/data", by: "/empty" }];
	const { HostConfig } = bodyOf({ confinement: confined({ sandbox }), hidden });
	assert.deepEqual(
		HostConfig.Mounts.map(({ Source, Target, ReadOnly }) => [Source, Target, ReadOnly]),
		[
			["/data/volumes/one", "/volume", false],
			["/srv/out", "/srv/out", false],
			["/srv/out/a", "/srv/out/a", false],
			["/srv/out/a/b", "/srv/out/a/b", false],
			["/empty", "/srv/out/a/b/data", true],
		],
	);
});

test("the engine's user is kept only where that is said", () => {
	assert.equal("UsernsMode" in bodyOf().HostConfig, false);
	assert.equal(bodyOf({ keeps_user: true }).HostConfig.UsernsMode, "keep-id");
});
