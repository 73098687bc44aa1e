import type { Clock } from "../../lib/clock.ts";
import type { Spawner, SpawnRequest } from "../../upstreams/driver.ts";

/** More than any list of tools; a server that writes more than that has something else in mind. */
const output_bytes_max = 16 * 1024 ** 2;

const questions = [
	{
		jsonrpc: "2.0",
		id: 1,
		method: "initialize",
		params: {
			protocolVersion: "2025-11-25",
			capabilities: {},
			clientInfo: { name: "moorage", version: "1" },
		},
	},
	{ jsonrpc: "2.0", method: "notifications/initialized" },
	{ jsonrpc: "2.0", id: 2, method: "tools/list" },
] as const;

/**
 * Starts a server, shakes hands and asks for its tools. Resolves with their definitions as one
 * text, in one order; undefined when it does not answer as a server does.
 */
export async function askTools(
	spawner: Spawner,
	clock: Clock,
	request: SpawnRequest,
	deadline_ms: number,
): Promise<string | undefined> {
	const spawned = await spawner.spawn(request);
	if (!spawned.ok) {
		return undefined;
	}
	const child = spawned.value;
	const { promise, resolve } = Promise.withResolvers<string | undefined>();
	const timer = clock.after(deadline_ms, () => resolve(undefined));
	let text = "";
	child.stdout.setEncoding?.("utf8");
	child.stdout.on("data", (chunk: Buffer | string) => {
		text += chunk.toString();
		if (text.length > output_bytes_max) {
			resolve(undefined);
		}
		const lines = text.split("\n");
		text = lines.pop() ?? "";
		for (const line of lines) {
			const answer = parse(line);
			if (answer?.id === 1) {
				const [, initialized, list] = questions;
				child.stdin.write(`${JSON.stringify(initialized)}\n${JSON.stringify(list)}\n`);
			} else if (answer?.id === 2) {
				resolve(toolsOf(answer.result));
			}
		}
	});
	child.stderr.on("data", () => undefined);
	child.stdin.on("error", () => resolve(undefined));
	void child.exited.then(() => resolve(undefined));
	child.stdin.write(`${JSON.stringify(questions[0])}\n`);
	const tools = await promise;
	timer.cancel();
	await child.stop(1_000);
	return tools;
}

function parse(line: string): { id?: unknown; result?: unknown } | undefined {
	try {
		const value: unknown = JSON.parse(line);
		return typeof value === "object" && value !== null ? value : undefined;
	} catch {
		return undefined;
	}
}

function toolsOf(result: unknown): string | undefined {
	const tools = (result as { tools?: unknown } | undefined)?.tools;
	if (!Array.isArray(tools)) {
		return undefined;
	}
	return JSON.stringify(tools.map((tool) => JSON.stringify(tool)).sort());
}
