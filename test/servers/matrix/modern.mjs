/**
 * The modern server of the matrix: over stdio or, with `--http`, HTTP. `--port` asks for a port.
 */
import { createServer } from "node:http";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler } from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { listenAt } from "./listen-at.mjs";
import { modernServer } from "./modern-server.mjs";

if (process.argv.includes("--http")) {
	const pushes = {
		changed: (kind) => handler.notify[`${kind}Changed`](),
		updated: (uri) => handler.notify.resourceUpdated(uri),
	};
	const handler = createMcpHandler(() => modernServer(pushes), { legacy: "reject" });
	listenAt(createServer(toNodeHandler(handler)));
} else {
	const pushes = {
		changed: (kind, server) =>
			server.notification({ method: `notifications/${kind}/list_changed` }),
		updated: (uri, server) =>
			server.notification({ method: "notifications/resources/updated", params: { uri } }),
	};
	serveStdio(() => modernServer(pushes), { legacy: "reject" });
	process.stdin.on("end", () => process.exit(0));
}
