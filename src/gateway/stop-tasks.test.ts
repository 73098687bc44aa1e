import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock } from "../../test/support/fake-clock.ts";
import { baseKey } from "../hosting/instance-key.ts";
import { LeaseCount } from "../hosting/lease.ts";
import { principalOf } from "../identity/principal.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { coversCall, type KillTarget, type Stoppable } from "../policy/kill-target.ts";
import type { Fault } from "../protocol/fault.ts";
import type { Upstream, UpstreamRequest } from "../upstreams/driver.ts";
import { indexMessage } from "../wire/index-message.ts";
import type { Message } from "../wire/message.ts";
import type { GatewayContext } from "./context.ts";
import { stopTasks } from "./stop-tasks.ts";
import type { SwitchChange } from "./switches.ts";
import { TaskHolds } from "./task-holds.ts";

const ana = principalOf("acme", "ana", { client: "key:laptop" });
const bob = principalOf("other", "bob");

/** A server that answers `tasks/cancel` with this, and what it was asked. */
function setUp(era: "legacy" | "modern", answer: object | "nothing" = { result: {} }) {
	const asked: (string | undefined)[] = [];
	const told: string[] = [];
	const logged: string[] = [];
	const request = ({ message, name }: UpstreamRequest): Promise<Result<Message, Fault>> => {
		asked.push(name);
		told.push(message.bytes.toString("utf8"));
		if (answer === "nothing") return Promise.resolve(fail({ message: "It is gone." } as Fault));
		const reply = JSON.stringify({ jsonrpc: "2.0", id: 1, ...answer });
		const indexed = indexMessage(Buffer.from(reply));
		assert.ok(indexed.ok);
		return Promise.resolve(succeed(indexed.value));
	};
	const upstream = { hello: { era }, request } as unknown as Upstream;
	const owner = { onBack: () => undefined, onQuestion: () => undefined };
	const instance = new LeaseCount(baseKey("github"), upstream, owner);
	const task_holds = new TaskHolds(new FakeClock());
	const log = { warn: (_fields: object, text: string) => logged.push(text) };
	const made = (task_id: string, made_by: Partial<Stoppable> | undefined) => {
		const lease = instance.take({ kind: "call" });
		const whole: Stoppable | undefined = made_by && {
			...{ principal: ana, server: "github", method: "tools/call", name: "job", tool: undefined },
			...made_by,
		};
		task_holds.onNews(lease, ["person:p"], { task_id, status: "working", ttl_ms: 1 }, whole);
		lease.release();
	};
	const kill = async (target: KillTarget, kind: SwitchChange["kind"] = "killed") => {
		const off = { code: "switched_off", message: "Off.", rule: "kill" } as const;
		const stops = (call: Stoppable) => (coversCall(target, call) ? off : undefined);
		stopTasks({ kind, stops, isAbout: () => false }, {
			task_holds,
			log,
		} as unknown as GatewayContext);
		await new Promise((resolve) => setImmediate(resolve));
		return asked.splice(0);
	};
	return { told, logged, task_holds, instance, made, kill };
}

const all = { kind: "all", name: undefined } as const;

test("the tasks of a tool, server, person, client, tenant, or of all writes are cancelled", async () => {
	const read = { name: "list", annotations: {}, risk: "read", input_schema: {} } as const;
	for (const [target, cancelled] of [
		[{ kind: "tool", name: "github__job" }, ["mine"]],
		[{ kind: "server", name: "github" }, ["mine", "reading", "theirs", "unknown"]],
		[{ kind: "server", name: "elsewhere" }, []],
		[{ kind: "user", name: "acme/ana" }, ["mine", "reading", "unknown"]],
		[{ kind: "tenant", name: "other" }, ["theirs"]],
		[{ kind: "client", name: "key:laptop" }, ["mine", "reading", "unknown"]],
		[{ kind: "writes", name: undefined }, ["mine", "theirs", "unknown"]],
		[all, ["mine", "reading", "theirs", "unknown"]],
	] as const) {
		const { made, kill, task_holds } = setUp("modern");
		made("mine", {});
		made("reading", { name: "list", tool: read });
		made("theirs", { principal: bob, name: "other" });
		made("unknown", { name: undefined });
		made("unseen", undefined);
		assert.deepEqual(await kill(target), cancelled, JSON.stringify(target));
		assert.equal(task_holds.count, 5 - cancelled.length);
	}
});

test("each era is told in its own words", async () => {
	for (const era of ["legacy", "modern"] as const) {
		const { made, kill, told } = setUp(era);
		made("t", {});
		await kill(all);
		assert.match(told[0] ?? "", /"method":"tasks\/cancel","params":\{"taskId":"t"/);
		const declares = (told[0] ?? "").includes("io.modelcontextprotocol/tasks");
		assert.equal(declares, era === "modern");
	}
});

test("a task that its server does not know any more is let go, one that it cannot be told of is not", async () => {
	const unknown = setUp("legacy", { error: { code: -32602, message: "Unknown task" } });
	unknown.made("t", {});
	assert.deepEqual(await unknown.kill(all), ["t"]);
	assert.deepEqual([unknown.task_holds.count, unknown.instance.count], [0, 0]);
	const gone = setUp("legacy", "nothing");
	gone.made("t", {});
	assert.deepEqual(await gone.kill(all), ["t"]);
	assert.deepEqual([gone.task_holds.count, gone.instance.count], [1, 1]);
	assert.deepEqual(gone.logged, ["a task could not be cancelled"]);
});

test("what is switched on again cancels nothing, and nothing is cancelled twice", async () => {
	const { made, kill } = setUp("modern");
	made("t", {});
	assert.deepEqual(await kill(all, "lifted"), []);
	assert.deepEqual(await kill(all), ["t"]);
	assert.deepEqual(await kill(all), []);
});

test("the call that made a task counts, whoever asked for the task before", async () => {
	const { made, kill } = setUp("legacy");
	made("t", { name: undefined });
	made("t", {});
	made("t", { name: undefined });
	assert.deepEqual(await kill({ kind: "tool", name: "github__job" }), ["t"]);
});
