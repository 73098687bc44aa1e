import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { serverPlan } from "../../test/support/fake-house.ts";
import { QuietLog } from "../../test/support/quiet-log.ts";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { callTool, nodeSpec, textOf } from "../../test/support/upstream-harness.ts";
import type { ServerPlan } from "../config/plan.ts";
import { systemClock } from "../lib/clock.ts";
import { processEnvironment } from "../lib/environment.ts";
import { systemRandom } from "../lib/random.ts";
import { succeed } from "../lib/result.ts";
import { SecretRedactor } from "../secrets/redactor.ts";
import type { ChildHandle, Spawner } from "../upstreams/driver.ts";
import { stdioDriver } from "../upstreams/stdio/driver.ts";
import { Hosting, type ServerStatus } from "./hosting.ts";
import { baseKey } from "./instance-key.ts";
import { createSpawner } from "./process/spawner.ts";
import { asWritten } from "./resolved.ts";

/** Hosting with real programs, and a way to wait for what a server reports. */
async function realHouse(context: TestContext) {
	const contained = await createSpawner({
		data_dir: await tempFolder(context),
		owner_id: "test",
		clock: systemClock,
		random: systemRandom,
		environment: processEnvironment(),
	});
	context.after(() => contained.close());
	const running = new Set<ChildHandle>();
	const spawner: Spawner = {
		async spawn(request) {
			const started = await contained.spawn(request);
			if (!started.ok) return started;
			const child = started.value;
			running.add(child);
			void child.exited.then(() => running.delete(child));
			return started;
		},
	};
	const waiting = new Set<(status: ServerStatus) => void>();
	const hosting = new Hosting({
		redactor: new SecretRedactor(),
		clock: systemClock,
		random: systemRandom,
		log: new QuietLog(),
		drivers: { stdio: stdioDriver },
		spawner,
		resolve: async (spec) => succeed(asWritten(spec)),
		limits: () => ({ calls_per_server_max: 16, reply_bytes_max: 1_000_000 }),
		client_info: '{"name":"moorage-test","version":"1.0.0"}',
		events: {
			onReady: () => {},
			onPush: () => {},
			onRequest: () => {},
			onState: (status) => {
				for (const look of [...waiting]) look(status);
			},
		},
	});
	/** Resolves with the first status for which the condition holds. */
	const until = (server: string, condition: (status: ServerStatus) => boolean) => {
		return new Promise<ServerStatus>((resolve) => {
			const look = (status: ServerStatus) => {
				if (status.name !== server || !condition(status)) return;
				waiting.delete(look);
				resolve(status);
			};
			waiting.add(look);
			const now = hosting.status(server);
			if (now !== undefined) look(now);
		});
	};
	const lease = async (server: string) => {
		const options = { signal: new AbortController().signal, wait_ms: 20_000 };
		const outcome = await hosting.acquire(baseKey(server), options);
		assert.ok(outcome.ok, outcome.ok ? "" : outcome.problem.message);
		return outcome.value;
	};
	return { hosting, running, until, lease };
}

function fixture(name: string, args: string[] = [], change: Partial<ServerPlan> = {}): ServerPlan {
	const path = new URL(`../../test/servers/${name}.mjs`, import.meta.url).pathname;
	const timeouts = { start_ms: 20_000, call_ms: 20_000, stop_ms: 300 };
	return serverPlan(name, { spec: nodeSpec(path, args), timeouts, ...change });
}

const eager = { start: "eager" } as const;

test("a real server is started, called, restarted after its crash, and ended", async (context) => {
	const house = await realHouse(context);
	house.hosting.apply([fixture("crashing")]);
	const first = await house.lease("crashing");
	assert.equal(textOf(await callTool(first.upstream, "echo", { text: "hello" })), "hello");
	const crashed = await callTool(first.upstream, "crash");
	assert.ok(!crashed.ok);
	assert.equal(crashed.problem.code, "server_exited");
	first.release();
	const status = await house.until("crashing", ({ state, restarts }) => {
		return state === "ready" && restarts === 1;
	});
	assert.equal(status.reason, undefined);
	const second = await house.lease("crashing");
	assert.equal(textOf(await callTool(second.upstream, "echo", { text: "again" })), "again");
	second.release();
	const lines = house.hosting.lines("crashing");
	assert.ok(lines.some(({ source, text }) => source === "stderr" && /told to crash/.test(text)));
	assert.ok(lines.some(({ source, text }) => source === "event" && /code 3/.test(text)));
	await house.hosting.stop();
	assert.equal(house.running.size, 0);
});

test("servers that crash, hang and are missing leave a healthy one alone and nothing behind", async (context) => {
	const house = await realHouse(context);
	const missing = serverPlan("missing", {
		...eager,
		spec: { driver: "stdio", command: "/nonexistent/server", args: [], env: {}, cwd: "/" },
	});
	house.hosting.apply([
		fixture("crashing", ["--at_start"], eager),
		fixture("silent", [], eager),
		fixture("stubborn", [], eager),
		missing,
		fixture("echo", [], eager),
	]);
	const echo = await house.lease("echo");
	assert.equal(textOf(await callTool(echo.upstream, "echo", { text: "fine" })), "fine");
	echo.release();
	const failed = await house.until("missing", ({ state }) => state === "failed");
	assert.equal(failed.code, "command_missing");
	const broken = await house.until("crashing", ({ reason }) => reason !== undefined);
	assert.equal(broken.code, "server_failed");
	assert.doesNotMatch(broken.reason ?? "", /flux capacitor/, "what it printed stays private");
	await house.hosting.stop({ drain_ms: 0 });
	assert.equal(house.running.size, 0);
});

test("a call in flight finishes on the old instance while the new one takes over", async (context) => {
	const house = await realHouse(context);
	house.hosting.apply([fixture("slow")]);
	const old = await house.lease("slow");
	const tools = await callTool(old.upstream, "nothing");
	assert.ok(tools.ok, "the server answers");
	const retired = house.until("slow", ({ instances }) => {
		return instances.some(({ state }) => state === "draining");
	});
	house.hosting.apply([fixture("slow", [], { fingerprint: "another" })]);
	await retired;
	const fresh = await house.lease("slow");
	assert.notEqual(fresh.upstream, old.upstream);
	assert.ok((await callTool(old.upstream, "nothing")).ok, "the old one still answers");
	assert.ok((await callTool(fresh.upstream, "nothing")).ok);
	old.release();
	await house.until("slow", ({ instances }) => instances.length === 1);
	fresh.release();
	await house.hosting.stop();
	assert.equal(house.running.size, 0);
});
