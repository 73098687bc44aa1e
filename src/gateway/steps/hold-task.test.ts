import assert from "node:assert/strict";
import { test } from "node:test";
import type { Lease } from "../../hosting/hosting.ts";
import { indexMessage } from "../../wire/index-message.ts";
import type { Message } from "../../wire/message.ts";
import type { Call, Reply } from "../call.ts";
import type { GatewayContext } from "../context.ts";
import type { TaskNews } from "../task-holds.ts";
import { holdTask, taskNews } from "./hold-task.ts";

function message(parts: object): Message {
	const indexed = indexMessage(Buffer.from(JSON.stringify({ jsonrpc: "2.0", ...parts })));
	assert.ok(indexed.ok);
	return indexed.value;
}

/** What is told of tasks when this request has this reply. */
function told(method: string, params: object, reply: object): (TaskNews | string)[] {
	const heard: (TaskNews | string)[] = [];
	const task_holds = {
		onNews: (_lease: Lease, _owners: readonly string[], news: TaskNews) => heard.push(news),
		onOver: (_lease: Lease, task_id: string) => heard.push(`${task_id} is over`),
	};
	const call = {
		method,
		message: message({ id: 1, method, params }),
		client: { session_id: "a", principal: "p" },
		target: { name: "7", server: { name: "s" } },
		lease: {},
		notes: {},
	} as unknown as Call;
	const context = { task_holds } as unknown as GatewayContext;
	const given = { kind: "message", message: message({ id: 1, ...reply }), edits: [] } as const;
	assert.equal(holdTask(call, { ...given, edits: [] }, context).kind, "message");
	return heard;
}

const working = { task_id: "7", status: "working", ttl_ms: 60 };

test("a call that became a task is one of either revision", () => {
	const extension = { resultType: "task", taskId: "7", status: "working", ttlMs: 60 };
	assert.deepEqual(told("tools/call", {}, { result: extension }), [working]);
	const legacy = { task: { taskId: "7", status: "working", ttl: 60 } };
	assert.deepEqual(told("tools/call", { task: {} }, { result: legacy }), [working]);
	const endless = { ...extension, ttlMs: null };
	const forever = { ...working, ttl_ms: undefined };
	assert.deepEqual(told("tools/call", {}, { result: endless }), [forever]);
});

test("which call a task was is remembered, without its arguments", () => {
	const heard: unknown[] = [];
	const task_holds = {
		onNews: (_lease: Lease, _owners: readonly string[], _news: TaskNews, made_by: unknown) =>
			heard.push(made_by),
	};
	const principal = { id: "p" };
	const parts = { principal, server: "s", method: "tools/call", name: "job", tool: undefined };
	const call = (method: string) =>
		({
			...{ method, principal, client: { principal: "p" }, lease: {} },
			message: message({ id: 1, method, params: {} }),
			target: { name: "7", server: { name: "s" } },
			notes: { checked: { ...parts, args: () => "large", arguments_raw: "large" } },
		}) as unknown as Call;
	const task = { resultType: "task", taskId: "7", status: "working" };
	const reply = { kind: "message", message: message({ id: 1, result: task }), edits: [] };
	const context = { task_holds } as unknown as GatewayContext;
	holdTask(call("tools/call"), reply as unknown as Reply, context);
	// Who asks for a task names no tool: it may have been any.
	holdTask(call("tasks/get"), reply as unknown as Reply, context);
	assert.deepEqual(heard, [parts, { ...parts, name: undefined }]);
});

test("a call that did not become a task tells of none", () => {
	const alike = { task: { taskId: "7" }, taskId: "7" };
	assert.deepEqual(told("tools/call", {}, { result: alike }), []);
	assert.deepEqual(told("tools/call", { task: {} }, { result: { task: "7" } }), []);
	assert.deepEqual(told("tools/call", { task: {} }, { error: { code: -32602, message: "" } }), []);
	assert.deepEqual(told("tools/call", {}, { result: { resultType: "task", taskId: 7 } }), []);
});

test("what is asked about a task tells how it is doing", () => {
	const result = { taskId: "7", status: "completed", ttl: 60 };
	const done = { ...working, status: "completed" };
	assert.deepEqual(told("tasks/get", {}, { result }), [done]);
	assert.deepEqual(told("tasks/cancel", {}, { result }), [done]);
	assert.deepEqual(told("tasks/update", {}, { result: {} }), []);
	assert.deepEqual(told("tasks/list", {}, { result: { tasks: [result] } }), []);
});

test("a task whose result was fetched, or that its server does not know, is over", () => {
	assert.deepEqual(told("tasks/result", {}, { result: { content: [] } }), ["7 is over"]);
	const unknown = { error: { code: -32602, message: "Unknown task" } };
	assert.deepEqual(told("tasks/get", {}, unknown), ["7 is over"]);
	const broken = { error: { code: -32603, message: "try again" } };
	assert.deepEqual(told("tasks/get", {}, broken), []);
});

test("a server tells of its tasks under the names of both revisions", () => {
	const params = { taskId: "7", status: "working", ttlMs: 60 };
	assert.deepEqual(taskNews(message({ method: "notifications/tasks", params })), working);
	const legacy = { taskId: "7", status: "working", ttl: 60 };
	const status = message({ method: "notifications/tasks/status", params: legacy });
	assert.deepEqual(taskNews(status), working);
	assert.equal(taskNews(message({ method: "notifications/progress", params })), undefined);
	assert.equal(taskNews(message({ method: "notifications/tasks" })), undefined);
});
