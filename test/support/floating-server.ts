/**
 * The program of a server of the older protocol without any dependency; `broken` ends before its
 * handshake.
 */
export function floatingServer(version: string, tools: readonly string[], broken = false): string {
	const listed = tools.map((name) => ({ name, inputSchema: { type: "object" } }));
	return `#!/usr/bin/env node
		import { createInterface } from "node:readline";
		if (${broken}) process.exit(3);
		const answers = {
			initialize: () => ({
				protocolVersion: "2025-06-18",
				capabilities: { tools: {} },
				serverInfo: { name: "floating", version: "${version}" },
			}),
			"tools/list": () => ({ tools: ${JSON.stringify(listed)} }),
			"tools/call": () => ({ content: [{ type: "text", text: "${version}" }] }),
			ping: () => ({}),
		};
		createInterface({ input: process.stdin }).on("line", (line) => {
			const { id, method } = JSON.parse(line);
			if (id === undefined) return;
			const answer = answers[method];
			const rest =
				answer === undefined
					? { error: { code: -32601, message: "unknown" } }
					: { result: answer() };
			console.log(JSON.stringify({ jsonrpc: "2.0", id, ...rest }));
		});
	`;
}
