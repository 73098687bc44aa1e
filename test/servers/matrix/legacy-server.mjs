import { randomUUID } from "node:crypto";
import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import {
	CallToolRequestSchema,
	CancelTaskRequestSchema,
	CompleteRequestSchema,
	GetPromptRequestSchema,
	GetTaskPayloadRequestSchema,
	GetTaskRequestSchema,
	ListPromptsRequestSchema,
	ListResourcesRequestSchema,
	ListResourceTemplatesRequestSchema,
	ListToolsRequestSchema,
	McpError,
	ReadResourceRequestSchema,
	ResultSchema,
	SetLevelRequestSchema,
	SubscribeRequestSchema,
	UnsubscribeRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import * as content from "./content.mjs";
import { listTools, toolOf } from "./tools.mjs";

const levels = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

const capabilities = {
	tools: { listChanged: true },
	prompts: {},
	resources: { subscribe: true, listChanged: true },
	completions: {},
	logging: {},
	tasks: { cancel: {}, requests: { tools: { call: {} } } },
	extensions: content.extensions,
};

/** Every feature of the legacy era, with the low-level server of SDK 1.x. */
export function legacyServer() {
	const server = new Server({ name: "matrix-legacy", version: "1.0.0" }, { capabilities });
	const watched = new Set();
	// Until a client says what it wants to hear, the server is quiet.
	const state = { level: "error", watched };
	server.setRequestHandler(SetLevelRequestSchema, ({ params }) => {
		state.level = params.level;
		return {};
	});
	server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: listTools() }));
	server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) =>
		callTool(server, state, params, extra),
	);
	server.setRequestHandler(ListPromptsRequestSchema, () => ({ prompts: content.prompts }));
	server.setRequestHandler(GetPromptRequestSchema, ({ params }) =>
		content.getPrompt(params.arguments ?? {}),
	);
	server.setRequestHandler(ListResourcesRequestSchema, ({ params }) =>
		content.resourcePage(params?.cursor),
	);
	server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
		resourceTemplates: content.templates,
	}));
	server.setRequestHandler(ReadResourceRequestSchema, ({ params: { uri } }) => {
		const contents = content.readResource(uri);
		if (contents === undefined) throw new McpError(-32002, "Resource not found", { uri });
		return { contents };
	});
	server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
		watched.add(params.uri);
		return {};
	});
	server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
		watched.delete(params.uri);
		return {};
	});
	server.setRequestHandler(CompleteRequestSchema, ({ params }) => content.complete(params));
	serveTasks(server);
	server.fallbackRequestHandler = async ({ method, params = {} }) => {
		const { _meta, ...own } = params;
		const answer = content.extension_methods[method];
		if (answer === undefined) throw new McpError(-32601, `Method not found: ${method}`);
		return answer(own);
	};
	return server;
}

/** Tasks of revision 2025-11-25: asked for with the call, their result fetched afterwards. */
const tasks = new Map();

function serveTasks(server) {
	const find = ({ params: { taskId } }) => {
		const task = tasks.get(taskId);
		if (task === undefined) throw new McpError(-32602, `Unknown task: ${taskId}`);
		return task;
	};
	server.setRequestHandler(GetTaskRequestSchema, (request) => find(request).task);
	server.setRequestHandler(GetTaskPayloadRequestSchema, (request) => find(request).result);
	server.setRequestHandler(CancelTaskRequestSchema, (request) => find(request).task);
}

function startTask(result, ttl) {
	const at = new Date().toISOString();
	const task = { taskId: randomUUID(), status: "completed", ttl, createdAt: at, lastUpdatedAt: at };
	tasks.set(task.taskId, { task, result });
	return { task };
}

/** Steps a tool until it has a result; its questions are requests to the client. */
async function callTool(server, state, { name, arguments: args = {}, task }, extra) {
	const tool = toolOf(name);
	if (tool === undefined) throw new McpError(-32602, `Unknown tool: ${name}`);
	const turn = turnOf(server, state, args, extra);
	for (;;) {
		const done = await tool.step(turn);
		if (done.ask === undefined) {
			return task === undefined ? done : startTask(done, task.ttl ?? 60_000);
		}
		turn.answers = await askAll(done.ask, extra);
		turn.state = done.state;
	}
}

function turnOf(server, state, args, extra) {
	const { sendNotification, signal } = extra;
	const progressToken = extra._meta?.progressToken;
	return {
		args,
		signal,
		answers: undefined,
		state: undefined,
		async log(level, data) {
			if (levels.indexOf(level) < levels.indexOf(state.level)) return;
			await sendNotification({ method: "notifications/message", params: { level, data } });
		},
		async progress(progress, total) {
			if (progressToken === undefined) return;
			const params = { progressToken, progress, total };
			await sendNotification({ method: "notifications/progress", params });
		},
		changed: (kind) => server.notification({ method: `notifications/${kind}/list_changed` }),
		async updated(uri) {
			if (!state.watched.has(uri)) return;
			await server.notification({ method: "notifications/resources/updated", params: { uri } });
		},
	};
}

/** Asks everything at once and waits for all answers. */
async function askAll(questions, extra) {
	const answers = Object.entries(questions).map(async ([key, { method, params }]) => {
		const is_url = params.mode === "url";
		const asked = is_url ? { ...params, elicitationId: randomUUID() } : params;
		return [key, await extra.sendRequest({ method, params: asked }, ResultSchema)];
	});
	return Object.fromEntries(await Promise.all(answers));
}
