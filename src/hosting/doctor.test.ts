import assert from "node:assert/strict";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { systemClock } from "../lib/clock.ts";
import type { Environment } from "../lib/environment.ts";
import { processEnvironment } from "../lib/environment.ts";
import { probeMachine } from "./doctor.ts";
import { ownHierarchies } from "./process/groups/probe.ts";

const root = await mkdtemp(join(tmpdir(), "moorage-doctor-"));
after(() => rm(root, { recursive: true }));

async function probe(environment: Environment, data_dir = root) {
	const checks = await probeMachine({ clock: systemClock, environment, data_dir });
	return new Map(checks.map((check) => [check.name, check]));
}

test("everything that matters is looked at, and what is not well comes with what to do", async () => {
	const checks = await probe(processEnvironment());
	const everywhere = [
		"node",
		"containment",
		"sandbox",
		"npm",
		"uv",
		"docker",
		"python3",
		"git",
		"data folder",
	];
	const on_linux = ["setpriv", "unshare", "freezing", "limits", "swap", "open files"];
	const expected = [...everywhere, ...(process.platform === "linux" ? on_linux : [])];
	assert.deepEqual(new Set(expected).difference(new Set(checks.keys())), new Set());
	for (const { name, status, detail, remedy } of checks.values()) {
		assert.match(detail, /\S/u, name);
		if (status === "missing") {
			assert.match(remedy ?? "", /^[A-Z].*\.$/u, name);
		}
	}
	assert.equal(checks.get("node")?.status, "ok");
	assert.equal(checks.get("data folder")?.status, "ok");
	assert.match(checks.get("data folder")?.detail ?? "", /GiB free$/u);
	assert.match(checks.get("containment")?.detail ?? "", /^(?:pid-namespace|watcher): /u);
	assert.deepEqual(await readdir(root), []);
});

test("on a machine without tools their absence is told, not thrown", async () => {
	const checks = await probe({ PATH: join(root, "nowhere"), HOME: root });
	assert.equal(checks.get("uv")?.status, "missing");
	assert.match(checks.get("uv")?.remedy ?? "", /install uv/u);
});

test("a tool that is there but broken is told from one that is not", async () => {
	const bin = join(root, "bin");
	await mkdir(bin);
	await writeFile(join(bin, "uv"), "#!/bin/sh\necho 'wrong libc' >&2\nexit 1\n", { mode: 0o755 });
	await writeFile(join(bin, "git"), "#!/bin/sh\necho git version 0.1\n", { mode: 0o755 });
	const checks = await probe({ PATH: bin, HOME: root });
	assert.equal(checks.get("uv")?.status, "limited");
	assert.match(checks.get("uv")?.detail ?? "", /does not work: wrong libc/u);
	assert.deepEqual(checks.get("git"), {
		name: "git",
		status: "ok",
		detail: `git version 0.1 (${join(bin, "git")})`,
	});
});

test("a data folder that is still to be made is fine; one that cannot be is not", async () => {
	const fresh = (await probe({}, join(root, "a", "b"))).get("data folder");
	assert.equal(fresh?.status, "ok");
	assert.match(fresh?.detail ?? "", /made at the first start/u);
	await writeFile(join(root, "file"), "");
	for (const data_dir of [join(root, "file"), join(root, "file", "below")]) {
		const refused = (await probe({}, data_dir)).get("data folder");
		assert.equal(refused?.status, "missing");
		assert.match(refused?.detail ?? "", /ENOTDIR/u);
		assert.match(refused?.remedy ?? "", /--data/u);
	}
});

test("a container engine is found by its answer, and what to do is said where none is", async (t) => {
	const engine = createServer((request, response) => {
		response.writeHead(request.url === "/_ping" ? 200 : 404).end("OK");
	});
	const socket = join(root, "docker.sock");
	await new Promise<void>((resolve) => engine.listen(socket, resolve));
	t.after(() => engine.close());
	const found = (await probe({ DOCKER_HOST: `unix://${socket}` })).get("docker");
	assert.equal(found?.status, "ok");
	assert.ok(found.detail.includes(socket));
	const none = (await probe({ DOCKER_HOST: "unix:///no/such" })).get("docker");
	assert.equal(none?.status, "missing");
});

test("what a rootless engine cannot limit is said, with what it needs", async (t) => {
	const answers: Record<string, unknown> = {
		"/_ping": "OK",
		"/info": { Rootless: true, MemoryLimit: true, PidsLimit: true, CpuCfsQuota: true },
		"/libpod/info": { host: { cgroupControllers: ["memory", "pids"] } },
	};
	const engine = createServer((request, response) => {
		const answer = answers[request.url ?? ""];
		response.writeHead(answer === undefined ? 404 : 200).end(JSON.stringify(answer));
	});
	const socket = join(root, "rootless.sock");
	await new Promise<void>((resolve) => engine.listen(socket, resolve));
	t.after(() => engine.close());
	const found = (await probe({ DOCKER_HOST: `unix://${socket}` })).get("docker");
	assert.equal(found?.status, "limited");
	assert.match(found.detail, /, rootless; it cannot limit processors of a container$/u);
	assert.match(found.remedy ?? "", /delegates to its user/u);
});

test("freezing and limits are told with their means, or with what stands in for them", async (t) => {
	if (process.platform !== "linux") {
		t.skip("control groups exist on Linux only");
		return;
	}
	const checks = await probe(processEnvironment());
	for (const name of ["freezing", "limits"]) {
		const check = checks.get(name);
		assert.match(check?.detail ?? "", check?.status === "ok" ? /version [12]/u : /\(|signals/u);
		assert.equal(check?.remedy === undefined, check?.status === "ok");
	}
});

test("swap is told with what it means for frozen servers", async (t) => {
	if (process.platform !== "linux") {
		t.skip("memory is given back on Linux only");
		return;
	}
	const check = (await probe(processEnvironment())).get("swap");
	assert.match(check?.detail ?? "", /swap space|compressed memory/u);
	assert.equal(check?.remedy === undefined, check?.status === "ok");
});

test("looking at the machine leaves no control group behind", async () => {
	await probe(processEnvironment());
	for (const { folder } of ownHierarchies()) {
		const left = (await readdir(folder)).filter((name) => name.includes(`doctor-${process.pid}`));
		assert.deepEqual(left, []);
	}
});
