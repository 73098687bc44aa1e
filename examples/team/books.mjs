// A small MCP server over its standard streams: the books of a ship, of which nothing is kept.
import { createInterface } from "node:readline";

const pay_schema = {
	type: "object",
	properties: { to: { type: "string" }, amount: { type: "number", minimum: 0 } },
	required: ["to", "amount"],
};
const tools = [
	{ name: "balance", description: "What is left.", inputSchema: { type: "object" } },
	{ name: "count", description: "Counts everything, slowly.", inputSchema: { type: "object" } },
	{ name: "pay", description: "Pays a bill.", inputSchema: pay_schema },
	{ name: "close_year", description: "Ends the year for good.", inputSchema: { type: "object" } },
];

let balance = 1000;
/** Counts that run, by the id of their request. */
const counting = new Map();

function send(message) {
	process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`);
}

const textOf = (text) => ({ content: [{ type: "text", text }] });

/** Goes on until somebody cancels it, and says how far it is. */
function count(id, token) {
	let progress = 0;
	const tell = () => {
		progress += 1;
		const params = { progressToken: token, progress, message: `page ${progress}` };
		if (token !== undefined) send({ method: "notifications/progress", params });
	};
	counting.set(id, setInterval(tell, 200));
	tell();
}

function cancel(id) {
	clearInterval(counting.get(id));
	if (counting.delete(id)) process.stderr.write("A count was cancelled.\n");
}

const calls = {
	balance: () => textOf(`${balance} left`),
	pay({ to, amount }) {
		balance -= amount;
		process.stderr.write(`Paid ${amount} to ${to}.\n`);
		return textOf(`paid ${amount} to ${to}, ${balance} left`);
	},
	close_year: () => textOf(`closed with ${balance}`),
};

const methods = {
	initialize: ({ protocolVersion }) => ({
		protocolVersion,
		capabilities: { tools: {} },
		serverInfo: { name: "books", version: "1.0.0" },
	}),
	ping: () => ({}),
	"tools/list": () => ({ tools }),
	"tools/call": ({ name, arguments: args }) => calls[name]?.(args ?? {}),
};

createInterface({ input: process.stdin }).on("line", (line) => {
	const { id, method, params = {} } = JSON.parse(line);
	if (method === "notifications/cancelled") return cancel(params.requestId);
	if (id === undefined) return;
	if (method === "tools/call" && params.name === "count") {
		return count(id, params._meta?.progressToken);
	}
	const result = methods[method]?.(params);
	const error = { code: -32601, message: `There is no ${method}.` };
	send(result === undefined ? { id, error } : { id, result });
});
