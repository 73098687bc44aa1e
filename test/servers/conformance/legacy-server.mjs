import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import {
	CallToolRequestSchema,
	CompleteRequestSchema,
	GetPromptRequestSchema,
	ListPromptsRequestSchema,
	ListResourcesRequestSchema,
	ListResourceTemplatesRequestSchema,
	ListToolsRequestSchema,
	McpError,
	ReadResourceRequestSchema,
	ResultSchema,
	SubscribeRequestSchema,
	UnsubscribeRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import {
	completion,
	listPrompts,
	prompts,
	readResource,
	resources,
	templates,
} from "./content.mjs";
import { name_key } from "./named-questions.mjs";
import { listTools, tools } from "./tools.mjs";

const info = { name: "conformance-legacy", version: "1.0.0" };
const capabilities = {
	tools: { listChanged: true },
	prompts: { listChanged: true },
	resources: { subscribe: true, listChanged: true },
	completions: {},
	logging: {},
};

/** What the scenarios demand, in the legacy era, with the low-level server of SDK 1.x. */
export function legacyServer() {
	const server = new Server(info, { capabilities });
	server.setRequestHandler(ListToolsRequestSchema, () => ({ tools: listTools() }));
	server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) =>
		runTool(server, params, extra),
	);
	server.setRequestHandler(ListPromptsRequestSchema, () => ({ prompts: listPrompts() }));
	server.setRequestHandler(GetPromptRequestSchema, ({ params }, extra) => getPrompt(params, extra));
	server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources }));
	server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
		resourceTemplates: templates,
	}));
	server.setRequestHandler(ReadResourceRequestSchema, ({ params: { uri } }) => {
		const contents = readResource(uri);
		if (contents === undefined) throw new McpError(-32002, "Resource not found", { uri });
		return { contents };
	});
	server.setRequestHandler(SubscribeRequestSchema, () => ({}));
	server.setRequestHandler(UnsubscribeRequestSchema, () => ({}));
	server.setRequestHandler(CompleteRequestSchema, () => completion);
	return server;
}

/** Steps a tool until it has a result; its questions are requests to the client. */
async function runTool(server, { name, arguments: args = {} }, extra) {
	const tool = tools[name];
	if (tool === undefined) throw new McpError(-32602, `Unknown tool: ${name}`);
	const turn = turnOf(server, args, extra);
	for (;;) {
		const done = await tool.step(turn);
		if (done.ask === undefined) return done;
		turn.answers = await askAll(done.ask, extra);
		turn.state = done.state;
	}
}

function turnOf(server, args, extra) {
	const { sendNotification } = extra;
	const progressToken = extra._meta?.progressToken;
	return {
		args,
		answers: undefined,
		state: undefined,
		capabilities: server.getClientCapabilities() ?? {},
		log: (data) =>
			sendNotification({ method: "notifications/message", params: { level: "info", data } }),
		async progress(progress) {
			if (progressToken === undefined) return;
			const params = { progressToken, progress, total: 100 };
			await sendNotification({ method: "notifications/progress", params });
		},
		changed: (kind) => server.notification({ method: `notifications/${kind}/list_changed` }, {}),
		fail(code, message, data) {
			throw new McpError(code, message, data);
		},
	};
}

/** Asks everything at once, each question under its name, and waits for all answers. */
async function askAll(questions, extra) {
	const answers = Object.entries(questions).map(async ([name, { method, params }]) => {
		const named = { ...params, _meta: { [name_key]: name } };
		return [name, await extra.sendRequest({ method, params: named }, ResultSchema)];
	});
	return Object.fromEntries(await Promise.all(answers));
}

async function getPrompt({ name, arguments: values = {} }, extra) {
	const prompt = prompts[name];
	if (prompt === undefined) throw new McpError(-32602, `Unknown prompt: ${name}`);
	const answers = await askAll(prompt.question ?? {}, extra);
	return { description: prompt.description, messages: prompt.messages(values, answers) };
}
