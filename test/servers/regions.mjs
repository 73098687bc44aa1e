/**
 * A tool whose argument has to stand in a header too. Over HTTP in the modern era a call whose
 * header does not agree is refused, as the specification asks. `rename` changes the name of
 * the header without a word to anybody, as a server that was updated does.
 */
import { serve, text, toolServer } from "./wire/serve.mjs";

let header = "Region";

const tools = [
	{
		name: "region",
		get json() {
			const properties = { region: { type: "string", "x-mcp-header": header } };
			return JSON.stringify({ name: "region", inputSchema: { type: "object", properties } });
		},
		call: ({ arguments: { region } }) => text(`${region} by ${header}`),
	},
	{
		name: "rename",
		call: ({ arguments: { to } }) => {
			header = to;
			return text(header);
		},
	},
	{ name: "calls", call: () => text(String(calls)) },
];
let calls = 0;

const behaviour = toolServer("regions", tools);
const { handle } = behaviour;
behaviour.handle = (call) => {
	if (call.message.params?.name === "region") calls += 1;
	if (call.message.method !== "tools/list") return handle(call);
	// The list is written anew, because a tool may have changed.
	return `{"tools":[${tools.map((tool) => tool.json ?? describe(tool.name)).join(",")}]}`;
};
behaviour.intercept = (message, request, response) => {
	const region = message.params?.arguments?.region;
	if (message.params?.name !== "region" || region === undefined) return false;
	const sent = decode(request.headers[`mcp-param-${header.toLowerCase()}`]);
	if (sent === region) return false;
	const error = { code: -32020, message: `Header mismatch: ${sent} is not ${region}` };
	response.writeHead(400, { "content-type": "application/json" });
	response.end(JSON.stringify({ jsonrpc: "2.0", id: message.id, error }));
	return true;
};
serve(behaviour);

function describe(name) {
	return JSON.stringify({ name, inputSchema: { type: "object" } });
}

function decode(value) {
	const found = /^=\?base64\?(.*)\?=$/.exec(value ?? "");
	return found === null ? value : Buffer.from(found[1], "base64").toString("utf8");
}
