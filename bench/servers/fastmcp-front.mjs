/**
 * A FastMCP server whose one tool calls a server over standard streams: the nearest that the
 * package has to a proxy. `fastmcp-front.mjs NODE_MODULES PORT PROGRAM ARG ...`
 */
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, port, command, ...args] = process.argv.slice(2);
const require = createRequire(join(modules, "fastmcp", "package.json"));
const load = (name) => import(pathToFileURL(require.resolve(name)).href);
const { FastMCP } = await import(
	pathToFileURL(join(modules, "fastmcp", "dist", "FastMCP.js")).href
);
const { z } = await load("zod");
const { Client } = await load("@modelcontextprotocol/sdk/client/index.js");
const { StdioClientTransport } = await load("@modelcontextprotocol/sdk/client/stdio.js");

const client = new Client({ name: "bench", version: "1.0.0" });
await client.connect(new StdioClientTransport({ command, args }));
const server = new FastMCP({ name: "bench-echo", version: "1.0.0" });
server.addTool({
	name: "echo",
	description: "Says the text again. It changes nothing and may be called at any time.",
	parameters: z.object({ text: z.string() }),
	execute: (given) => client.callTool({ name: "echo", arguments: given }),
});
await server.start({
	transportType: "httpStream",
	httpStream: { host: "127.0.0.1", port: Number(port), endpoint: "/mcp" },
});
