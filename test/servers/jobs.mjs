/**
 * A modern server that tells of its tasks: `start` makes a task, `finish` ends the one of that
 * label and tells whoever listens for it, `listeners` answers once so many tasks are listened
 * for, `exit` ends the process. Labels are the ids of tasks.
 */
import { serve, text, toolServer } from "./wire/serve.mjs";

const tag = "io.modelcontextprotocol/subscriptionId";
const extension = "io.modelcontextprotocol/tasks";
const capabilities_key = "io.modelcontextprotocol/clientCapabilities";
const at = "2026-01-01T00:00:00Z";

/** Open listen requests. */
const listening = new Set();
let changed = () => {};

const taskOf = (taskId, status) => ({
	taskId,
	status,
	createdAt: at,
	lastUpdatedAt: at,
	ttlMs: 60_000,
	pollIntervalMs: 100,
});

function tell(call, method, params) {
	call.notify(method, JSON.stringify({ ...params, _meta: { [tag]: call.message.id } }));
}

const listenedFor = () => new Set([...listening].flatMap(({ task_ids }) => task_ids)).size;

const tools = [
	{
		name: "start",
		call: ({ arguments: { label } }) =>
			JSON.stringify({ resultType: "task", ...taskOf(label, "working") }),
	},
	{
		name: "finish",
		call: ({ arguments: { label } }) => {
			for (const { call, task_ids } of listening) {
				if (!task_ids.includes(label)) continue;
				const result = { content: [{ type: "text", text: `done ${label}` }] };
				tell(call, "notifications/tasks", { ...taskOf(label, "completed"), result });
			}
			return text("finished");
		},
	},
	{
		name: "listeners",
		// Answers once there are that many, so that nobody has to poll.
		call: async ({ arguments: { count } }) => {
			while (listenedFor() !== count) {
				await new Promise((resolve) => {
					changed = resolve;
				});
			}
			return text(String(count));
		},
	},
	{ name: "exit", call: () => process.exit(0) },
];

function listen(call) {
	const { taskIds, ...others } = call.message.params.notifications;
	const declared = call.meta[capabilities_key]?.extensions?.[extension] !== undefined;
	const notifications = declared && taskIds !== undefined ? { ...others, taskIds } : others;
	tell(call, "notifications/subscriptions/acknowledged", { notifications });
	const entry = { call, task_ids: notifications.taskIds ?? [] };
	listening.add(entry);
	changed();
	return call.cancelled.then(() => {
		listening.delete(entry);
		changed();
	});
}

serve({
	...toolServer("jobs", tools, {
		handle: (call) => (call.message.method === "subscriptions/listen" ? listen(call) : undefined),
	}),
	capabilities: JSON.stringify({ tools: {}, extensions: { [extension]: {} } }),
});
