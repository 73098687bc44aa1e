/**
 * A server with the Tasks extension (SEP-2663), written on the wire because no SDK has its server
 * side. It speaks the modern era only. Clients that declared the extension get tasks; for others
 * a tool that can wait answers when it is done, and one that cannot is refused.
 */
import { randomUUID } from "node:crypto";
import { serve } from "../wire/serve.mjs";
import { ask_name, elicit, single_field } from "./questions.mjs";
import { Task } from "./task.mjs";

const extension = "io.modelcontextprotocol/tasks";
const capabilities_key = "io.modelcontextprotocol/clientCapabilities";
const state_of_round_1 = "waiting-for-the-name";

const tasks = new Map();

const says = (text) => ({ content: [{ type: "text", text }] });
const confirm = (message) =>
	elicit(message, { type: "object", properties: { confirm: { type: "boolean" } } });

/**
 * Tools by name: what one does, given its arguments and its task, and how it takes to tasks:
 * never, if the client likes, or always.
 */
const tools = {
	greet: {
		tasks: "never",
		properties: { name: { type: "string" } },
		run: ({ name }) => says(`Hello, ${name}!`),
	},
	slow_compute: {
		tasks: "optional",
		properties: { seconds: { type: "number" }, label: { type: "string" } },
		async run({ seconds, label }, task) {
			await task.sleep(seconds * 1000);
			return says(`computed ${label}`);
		},
	},
	failing_job: {
		tasks: "required",
		run: () => ({ ...says("The job failed."), isError: true }),
	},
	protocol_error_job: {
		tasks: "required",
		run() {
			throw Object.assign(new Error("The job broke down."), { code: -32603 });
		},
	},
	confirm_delete: {
		tasks: "required",
		properties: { filename: { type: "string" } },
		async run({ filename }, task) {
			const { action } = await task.ask(confirm(`Delete ${filename}?`));
			return says(`${action}: ${filename}`);
		},
	},
	multi_input: {
		tasks: "required",
		async run(_args, task) {
			const [first, second] = await Promise.all([
				task.ask(elicit("First?", single_field("value"))),
				task.ask(elicit("Second?", single_field("value"))),
			]);
			return says(`${first.action}, ${second.action}`);
		},
	},
	test_tool_with_task: {
		tasks: "required",
		asks_first: true,
		run: (_args, _task, { name }) => says(`Done for ${name}.`),
	},
};

const listed = Object.entries(tools).map(([name, tool]) => ({
	name,
	description: `Fixture tool ${name}.`,
	inputSchema: { type: "object", properties: tool.properties ?? {} },
}));

const failed = (code, message, data) => ({ error: JSON.stringify({ code, message, data }) });
const complete = (result) => JSON.stringify({ resultType: "complete", ...result });

function missingExtension() {
	const requiredCapabilities = { extensions: { [extension]: {} } };
	return failed(-32021, "The client has to support tasks.", { requiredCapabilities });
}

async function callTool({ message: { params }, meta }) {
	const tool = tools[params.name];
	if (tool === undefined) return failed(-32602, `Unknown tool: ${params.name}`);
	const declared = meta[capabilities_key]?.extensions?.[extension] !== undefined;
	if (tool.tasks === "required" && !declared) return missingExtension();
	const name = params.inputResponses?.user_name?.content?.name;
	if (tool.asks_first && (name === undefined || params.requestState !== state_of_round_1)) {
		const inputRequests = { user_name: ask_name };
		const requestState = state_of_round_1;
		return JSON.stringify({ resultType: "input_required", inputRequests, requestState });
	}
	const task = new Task(randomUUID(), (own) => tool.run(params.arguments ?? {}, own, { name }));
	if (tool.tasks === "never" || !declared) {
		const { result, error } = await task.ended;
		return error === undefined ? complete(result) : failed(error.code, error.message);
	}
	tasks.set(task.id, task);
	return JSON.stringify({ resultType: "task", ...task.summary() });
}

function taskRequest({ message: { method, params }, meta }) {
	if (meta[capabilities_key]?.extensions?.[extension] === undefined) return missingExtension();
	const task = tasks.get(params.taskId);
	if (task === undefined) return failed(-32602, `Unknown task: ${params.taskId}`);
	if (method === "tasks/get") return complete(task.details());
	if (method === "tasks/update") task.answer(params.inputResponses ?? {});
	else task.cancel();
	return complete({});
}

serve({
	name: "conformance-tasks",
	capabilities: JSON.stringify({ tools: {}, extensions: { [extension]: {} } }),
	handle(call) {
		switch (call.message.method) {
			case "tools/list":
				return complete({ tools: listed, ttlMs: 60_000, cacheScope: "public" });
			case "tools/call":
				return callTool(call);
			case "tasks/get":
			case "tasks/update":
			case "tasks/cancel":
				return taskRequest(call);
			default:
				return undefined;
		}
	},
});
