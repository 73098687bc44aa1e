/**
 * What the modern scenarios of the conformance suite demand, over stdio or, with `--http`,
 * HTTP. It speaks the modern era only.
 */
import { createServer } from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { listenFree } from "../sdk/listen-free.mjs";
import { modernServer } from "./modern-server.mjs";

if (process.argv.includes("--http")) {
	const handler = createMcpHandler(
		() => modernServer((kind) => handler.notify[`${kind}Changed`]()),
		{ legacy: "reject" },
	);
	listenFree(createServer(toNodeHandler(handler)));
} else {
	const changed = (kind, server) =>
		server.notification({ method: `notifications/${kind}/list_changed` });
	serveStdio(() => modernServer(changed), { legacy: "reject" });
	process.stdin.on("end", () => process.exit(0));
}
