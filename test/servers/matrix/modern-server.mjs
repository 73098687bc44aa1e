import { randomUUID } from "node:crypto";
import {
	CLIENT_CAPABILITIES_META_KEY,
	inputRequired,
	LOG_LEVEL_META_KEY,
	ProtocolError,
	ResourceNotFoundError,
	Server,
} from "@modelcontextprotocol/server";
import { z } from "zod";
import * as content from "./content.mjs";
import { listTools, toolOf } from "./tools.mjs";

const tasks_extension = "io.modelcontextprotocol/tasks";
const levels = ["debug", "info", "notice", "warning", "error", "critical", "alert", "emergency"];

const capabilities = {
	tools: { listChanged: true },
	prompts: {},
	resources: { subscribe: true, listChanged: true },
	completions: {},
	logging: {},
	extensions: { ...content.extensions, [tasks_extension]: {} },
};

const anything = z.looseObject({});

/**
 * Every feature of the modern era, with the low-level server of SDK 2.x.
 * `pushes` is `{ changed(kind, server), updated(uri, server) }`.
 */
export function modernServer(pushes) {
	const server = new Server({ name: "matrix-modern", version: "1.0.0" }, { capabilities });
	server.setRequestHandler("tools/list", () => ({ tools: listTools() }));
	server.setRequestHandler("tools/call", ({ params }, context) =>
		callTool(params, context, pushes, server),
	);
	server.setRequestHandler("prompts/list", () => ({ prompts: content.prompts }));
	server.setRequestHandler("prompts/get", ({ params }) =>
		content.getPrompt(params.arguments ?? {}),
	);
	server.setRequestHandler("resources/list", ({ params }) => content.resourcePage(params?.cursor));
	server.setRequestHandler("resources/templates/list", () => ({
		resourceTemplates: content.templates,
	}));
	server.setRequestHandler("resources/read", ({ params: { uri } }) => {
		const contents = content.readResource(uri);
		if (contents === undefined) throw new ResourceNotFoundError(uri);
		return { contents };
	});
	server.setRequestHandler("completion/complete", ({ params }) => content.complete(params));
	for (const [method, answer] of Object.entries(content.extension_methods)) {
		server.setRequestHandler(method, { params: anything }, ({ _meta, ...own }) => answer(own));
	}
	serveTasks(server);
	return server;
}

/** The Tasks extension (SEP-2663), which no SDK offers the server side of. */
const tasks = new Map();

function serveTasks(server) {
	const handle = (method, answer) =>
		server.setRequestHandler(method, { params: anything }, (params, context) => {
			if (!hasTasks(context)) throw new ProtocolError(-32021, "The client has to support tasks.");
			const task = tasks.get(params.taskId);
			if (task === undefined) throw new ProtocolError(-32602, `Unknown task: ${params.taskId}`);
			return answer(task);
		});
	handle("tasks/get", ({ summary, result }) => ({ ...summary, result }));
	handle("tasks/update", () => ({}));
	handle("tasks/cancel", () => ({}));
}

const hasTasks = ({ mcpReq }) =>
	mcpReq.envelope?.[CLIENT_CAPABILITIES_META_KEY]?.extensions?.[tasks_extension] !== undefined;

function startTask(result) {
	const at = new Date().toISOString();
	const summary = {
		taskId: randomUUID(),
		status: "completed",
		createdAt: at,
		lastUpdatedAt: at,
		ttlMs: 60_000,
		pollIntervalMs: 100,
	};
	tasks.set(summary.taskId, { summary, result });
	return { resultType: "task", ...summary };
}

/** One step of a tool: its questions go out as its result and come back with the next call. */
async function callTool({ name, arguments: args = {} }, context, pushes, server) {
	const tool = toolOf(name);
	if (tool === undefined) throw new ProtocolError(-32602, `Unknown tool: ${name}`);
	const done = await tool.step(turnOf(args, context, pushes, server));
	if (done.ask === undefined) {
		return name === "job" && hasTasks(context) ? startTask(done) : done;
	}
	const inputRequests = done.ask;
	if (done.state === undefined) return inputRequired({ inputRequests });
	return inputRequired({ inputRequests, requestState: JSON.stringify(done.state) });
}

function turnOf(args, { mcpReq }, pushes, server) {
	const progressToken = mcpReq._meta?.progressToken;
	const wanted = mcpReq.envelope?.[LOG_LEVEL_META_KEY];
	const state = mcpReq.requestState();
	return {
		args,
		answers: mcpReq.inputResponses,
		state: state === undefined ? undefined : JSON.parse(state),
		signal: mcpReq.signal,
		async log(level, data) {
			if (wanted === undefined || levels.indexOf(level) < levels.indexOf(wanted)) return;
			await mcpReq.notify({ method: "notifications/message", params: { level, data } });
		},
		async progress(progress, total) {
			if (progressToken === undefined) return;
			const params = { progressToken, progress, total };
			await mcpReq.notify({ method: "notifications/progress", params });
		},
		changed: (kind) => pushes.changed(kind, server),
		updated: (uri) => pushes.updated(uri, server),
	};
}
