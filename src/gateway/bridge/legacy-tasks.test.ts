import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { indexMessage } from "../../wire/index-message.ts";
import type { Edit, Message } from "../../wire/message.ts";
import { applyEdits } from "../../wire/splice.ts";
import {
	asksForTask,
	mayNameTask,
	OwnedTasks,
	type TaskView,
	taskMessageEdits,
	taskResultEdits,
} from "./legacy-tasks.ts";

const related = "io.modelcontextprotocol/related-task";

function message(parts: object): Message {
	const indexed = indexMessage(Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...parts })));
	assert.ok(indexed.ok);
	return indexed.value;
}

const request = (method: string, params: object = {}) => message({ id: 1, method, params });

/** A client that owns these tasks, and knows each as `mine.<id>`. */
function viewOf(...ids: string[]): TaskView & { readonly owned: Set<string> } {
	const owned = new Set(ids);
	return {
		owned,
		owns: (task_id) => owned.has(task_id),
		note: (task_id) => void owned.add(task_id),
		expose: (task_id) => `mine.${task_id}`,
	};
}

const apply = ({ bytes }: Message, edits: readonly Edit[]) =>
	JSON.parse(applyEdits(bytes, edits).toString("utf8"));

function seen(asked: Message, result: object, view: TaskView) {
	const reply = message({ id: 1, result });
	assert.equal(mayNameTask(asked, reply), true);
	return apply(reply, taskResultEdits(asked, reply, view)).result;
}

test("a call that became a task is its client's, under an id of its own", () => {
	const view = viewOf();
	const asked = request("tools/call", { name: "x", task: { ttl: 1 } });
	const result = {
		task: { taskId: "7", status: "working" },
		_meta: { [related]: { taskId: "7" } },
	};
	assert.deepEqual(seen(asked, result, view), {
		task: { taskId: "mine.7", status: "working" },
		_meta: { [related]: { taskId: "mine.7" } },
	});
	assert.deepEqual([...view.owned], ["7"]);
});

test("what is told of a task names it as its client does", () => {
	for (const method of ["tasks/get", "tasks/cancel"]) {
		assert.equal(asksForTask(method), true);
		const result = seen(request(method), { taskId: "7", status: "working" }, viewOf("7"));
		assert.deepEqual(result, { taskId: "mine.7", status: "working" });
	}
	const done = { content: [], taskId: "payload", _meta: { [related]: { taskId: "7" } } };
	const { _meta } = seen(request("tasks/result"), done, viewOf("7"));
	assert.deepEqual(_meta, { [related]: { taskId: "mine.7" } });
});

test("a plain result that has a task of its own is left alone", () => {
	const reply = message({ id: 1, result: { task: { taskId: "7" }, taskId: "8" } });
	assert.equal(mayNameTask(request("tools/call", { name: "x" }), reply), false);
	assert.deepEqual(taskResultEdits(request("tools/call", { name: "x" }), reply, viewOf()), []);
});

test("a list has the tasks of its client alone, whatever the server keeps", () => {
	const ids = fc.uniqueArray(fc.string(), { maxLength: 20 });
	const property = fc.property(ids, fc.func(fc.boolean()), (all, isOwn) => {
		const own = all.filter((id) => isOwn(id));
		const tasks = all.map((taskId, n) => ({ n, taskId, status: "working" }));
		const result = seen(request("tasks/list"), { tasks, nextCursor: "c" }, viewOf(...own));
		assert.deepEqual(
			result.tasks,
			tasks
				.filter(({ taskId }) => own.includes(taskId))
				.map((task) => ({ ...task, taskId: `mine.${task.taskId}` })),
		);
		assert.equal(result.nextCursor, "c");
	});
	fc.assert(property, { numRuns: 100 });
});

test("news of somebody else's task is not passed on, other messages name the client's", () => {
	const news = message({ method: "notifications/tasks/status", params: { taskId: "7" } });
	assert.equal(taskMessageEdits(news, viewOf("8")), undefined);
	assert.equal(apply(news, taskMessageEdits(news, viewOf("7")) ?? []).params.taskId, "mine.7");
	const asked = request("roots/list", { _meta: { [related]: { taskId: "7" } } });
	const { params } = apply(asked, taskMessageEdits(asked, viewOf("7")) ?? []);
	assert.deepEqual(params._meta[related], { taskId: "mine.7" });
	assert.deepEqual(taskMessageEdits(request("roots/list"), viewOf()), []);
});

test("a task is remembered for the one it was made for, the newest ten thousand of them", () => {
	const owned = new OwnedTasks();
	owned.note("ada", "jobs", "0");
	assert.equal(owned.has("ada", "jobs", "0"), true);
	assert.equal(owned.has("bob", "jobs", "0"), false);
	assert.equal(owned.has("ada", "mail", "0"), false);
	for (let n = 1; n <= 10_000; n += 1) owned.note("ada", "jobs", String(n));
	assert.equal(owned.has("ada", "jobs", "0"), false);
	assert.equal(owned.has("ada", "jobs", "1"), true);
});
