/**
 * An MCP client of one file and no packages, which can show its person a page.
 *
 *     MOORAGE_KEY=KEY node client.mjs TOOL JSON
 *
 * MOORAGE_URL is the gateway, http://127.0.0.1:8642 if not given.
 */
const address = new URL("/notes/mcp", process.env.MOORAGE_URL ?? "http://127.0.0.1:8642");
const revision = "2026-07-28";

/** One request of the 2026-07-28 revision; progress goes to standard error. */
async function ask(method, name, given) {
	const _meta = {
		progressToken: "progress",
		"io.modelcontextprotocol/protocolVersion": revision,
		"io.modelcontextprotocol/clientInfo": { name: "notes-client", version: "1.0.0" },
		"io.modelcontextprotocol/clientCapabilities": { elicitation: { url: {} } },
	};
	const response = await fetch(address, {
		method: "POST",
		headers: {
			authorization: `Bearer ${process.env.MOORAGE_KEY}`,
			"content-type": "application/json",
			accept: "application/json, text/event-stream",
			"mcp-protocol-version": revision,
			"mcp-method": method,
			"mcp-name": name,
		},
		body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params: { ...given, _meta } }),
	});
	const is_stream = response.headers.get("content-type")?.startsWith("text/event-stream");
	if (!is_stream) return JSON.parse(await response.text());
	let rest = "";
	for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
		const lines = (rest + chunk).split("\n");
		rest = lines.pop();
		for (const line of lines.filter((one) => /^data: ?\{/.test(one))) {
			const message = JSON.parse(line.slice(5));
			if (message.id === 1) return message;
			console.error(message.params?.message ?? message.method);
		}
	}
	throw new Error("The answer broke off.");
}

/** Shows the pages that are asked for; the person is taken to go there. */
function answersTo(questions) {
	const answers = Object.entries(questions).map(([key, { params }]) => {
		console.error(`${params.message}\nOpen ${params.url}`);
		return [key, { action: "accept" }];
	});
	return Object.fromEntries(answers);
}

const [tool, args = "{}"] = process.argv.slice(2);
const call = { name: tool, arguments: JSON.parse(args) };
let reply = await ask("tools/call", tool, call);
while (reply.result?.resultType === "input_required") {
	const { inputRequests = {}, requestState } = reply.result;
	const inputResponses = answersTo(inputRequests);
	reply = await ask("tools/call", tool, { ...call, inputResponses, requestState });
}
const { result, error } = reply;
if (error !== undefined) console.log(error.message);
else for (const one of result.content) console.log(one.text);
process.exitCode = error === undefined && result.isError !== true ? 0 : 1;
