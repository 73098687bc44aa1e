/**
 * Makes tasks that last until they are cancelled, as the era has them that it speaks: `begin` makes
 * the task of that label, which is its id, `cancelled` answers with the labels of cancelled tasks
 * once there are `count` of them.
 */
import { argv } from "node:process";
import { serve, text, toolServer } from "./wire/serve.mjs";

const is_modern = argv.includes("modern");
const extension = "io.modelcontextprotocol/tasks";
const at = "2026-01-01T00:00:00Z";

const tasks = new Map();
const cancelled = [];
let changed = () => {};

function view(taskId) {
	const known = { taskId, status: tasks.get(taskId), createdAt: at, lastUpdatedAt: at };
	return is_modern
		? { ...known, ttlMs: 600_000, pollIntervalMs: 100 }
		: { ...known, ttl: 600_000, pollInterval: 100 };
}

const tools = ["begin", "begin_other"].map((name) => ({
	name,
	json: JSON.stringify({
		name,
		inputSchema: { type: "object", properties: { label: { type: "string" } } },
		...(is_modern ? {} : { execution: { taskSupport: "required" } }),
	}),
	call({ arguments: { label } }) {
		tasks.set(label, "working");
		if (is_modern) return JSON.stringify({ resultType: "task", ...view(label) });
		return JSON.stringify({ task: view(label) });
	},
}));
tools.push({
	name: "cancelled",
	// Answers once there are that many, so that nobody has to poll.
	call: async ({ arguments: { count } }) => {
		while (cancelled.length < count) {
			await new Promise((resolve) => {
				changed = resolve;
			});
		}
		return text(cancelled.toSorted().join());
	},
});

function aboutTask({ message: { method, params } }) {
	const { taskId } = params;
	if (!tasks.has(taskId))
		return { error: JSON.stringify({ code: -32602, message: "Unknown task" }) };
	if (method === "tasks/cancel") {
		tasks.set(taskId, "cancelled");
		cancelled.push(taskId);
		changed();
		if (is_modern) return '{"resultType":"complete"}';
	}
	const complete = is_modern ? { resultType: "complete" } : {};
	return JSON.stringify({ ...complete, ...view(taskId) });
}

const with_tasks = is_modern
	? { extensions: { [extension]: {} } }
	: { tasks: { cancel: {}, requests: { tools: { call: {} } } } };

serve({
	...toolServer("lasting", tools, {
		handle: (call) =>
			/^tasks\/(get|cancel)$/.test(call.message.method) ? aboutTask(call) : undefined,
	}),
	capabilities: JSON.stringify({ tools: {}, ...with_tasks }),
});
