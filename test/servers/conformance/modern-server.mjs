import { randomBytes, randomUUID } from "node:crypto";
import {
	CLIENT_CAPABILITIES_META_KEY,
	createRequestStateCodec,
	inputRequired,
	LOG_LEVEL_META_KEY,
	MissingRequiredClientCapabilityError,
	ProtocolError,
	ResourceNotFoundError,
	Server,
} from "@modelcontextprotocol/server";
import {
	completion,
	listPrompts,
	prompts,
	readResource,
	resources,
	templates,
} from "./content.mjs";
import { listTools, tools } from "./tools.mjs";

const info = { name: "conformance-modern", version: "1.0.0" };
const capabilities = {
	tools: { listChanged: true },
	prompts: { listChanged: true },
	resources: { subscribe: true, listChanged: true },
	completions: {},
	logging: {},
};

/** State goes through the client, so it is sealed: whoever changes it is found out. */
const states = createRequestStateCodec({ key: randomBytes(32) });

/** What the client may keep of a list, and for whom. */
const cacheHints = {
	"tools/list": { ttlMs: 60_000, cacheScope: "public" },
	"prompts/list": { ttlMs: 60_000, cacheScope: "public" },
	"resources/list": { ttlMs: 60_000, cacheScope: "public" },
	"resources/templates/list": { ttlMs: 60_000, cacheScope: "public" },
	"resources/read": { ttlMs: 1_000, cacheScope: "private" },
};

/**
 * What the scenarios demand, in the modern era, with the low-level server of SDK 2.x.
 * `changed(kind, server)` tells those who listen that a list changed.
 */
export function modernServer(changed) {
	const server = new Server(info, {
		capabilities,
		cacheHints,
		requestState: { verify: states.verify },
	});
	server.setRequestHandler("tools/list", () => ({ tools: listTools() }));
	server.setRequestHandler("tools/call", ({ params }, context) => {
		const tool = tools[params.name];
		if (tool === undefined) throw new ProtocolError(-32602, `Unknown tool: ${params.name}`);
		const turn = turnOf(params.arguments ?? {}, context, (kind) => changed(kind, server));
		return step(tool, turn);
	});
	server.setRequestHandler("prompts/list", () => ({ prompts: listPrompts() }));
	server.setRequestHandler("prompts/get", ({ params }, { mcpReq }) => {
		const prompt = prompts[params.name];
		if (prompt === undefined) {
			throw new ProtocolError(-32602, `Unknown prompt: ${params.name}`);
		}
		const answers = mcpReq.inputResponses;
		const missing = Object.keys(prompt.question ?? {}).some((key) => !answers?.[key]);
		if (missing) return inputRequired({ inputRequests: prompt.question });
		const messages = prompt.messages(params.arguments ?? {}, answers);
		return { description: prompt.description, messages };
	});
	server.setRequestHandler("resources/list", () => ({ resources }));
	server.setRequestHandler("resources/templates/list", () => ({ resourceTemplates: templates }));
	server.setRequestHandler("resources/read", ({ params: { uri } }) => {
		const contents = readResource(uri);
		if (contents === undefined) throw new ResourceNotFoundError(uri);
		return { contents };
	});
	server.setRequestHandler("completion/complete", () => completion);
	return server;
}

/** One step of a tool; its questions go out with the result and come back with the next call. */
async function step(tool, turn) {
	const done = await tool.step(turn);
	if (done.ask === undefined) return done;
	if (done.state === undefined) return inputRequired({ inputRequests: done.ask });
	const requestState = await states.mint({ ...done.state, nonce: randomUUID() });
	return inputRequired({ inputRequests: done.ask, requestState });
}

function turnOf(args, { mcpReq }, changed) {
	const progressToken = mcpReq._meta?.progressToken;
	return {
		args,
		answers: mcpReq.inputResponses,
		state: mcpReq.requestState(),
		capabilities: mcpReq.envelope?.[CLIENT_CAPABILITIES_META_KEY] ?? {},
		async log(data) {
			if (mcpReq.envelope?.[LOG_LEVEL_META_KEY] === undefined) return;
			const params = { level: "info", data };
			await mcpReq.notify({ method: "notifications/message", params });
		},
		async progress(progress) {
			if (progressToken === undefined) return;
			const params = { progressToken, progress, total: 100 };
			await mcpReq.notify({ method: "notifications/progress", params });
		},
		changed,
		fail(code, message, data) {
			if (code === -32021) throw new MissingRequiredClientCapabilityError(data, message);
			throw new ProtocolError(code, message, data);
		},
	};
}
