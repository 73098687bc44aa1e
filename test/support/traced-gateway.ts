import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { createInterface } from "node:readline";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { UpReport } from "./moorage-process.ts";
import { tempFolder } from "./temp-folder.ts";
import { spawnTraced } from "./traced-network.ts";

const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** `moorage up` with everything it starts under a tracer, ready. */
export interface TracedGateway {
	readonly report: UpReport & { readonly admin_token_path: string };
	readonly address: URL;
	/** What was traced so far. */
	trace(): Promise<string>;
	/** Ends the gateway; everything that was traced. */
	stop(): Promise<string>;
}

/** Starts one on a configuration, in a file of the given name; `calls` are the tracer's. */
export async function startTraced(
	t: TestContext,
	name: string,
	config: object,
	calls?: string,
): Promise<TracedGateway> {
	const folder = await tempFolder(t, { [basename(name)]: JSON.stringify(config) });
	const trace_path = join(folder, "trace");
	const words = ["up", join(folder, name), "--data", join(folder, "data"), "--json"];
	const command = [process.execPath, program, ...words, "--listen", "127.0.0.1:0"];
	const tracer = spawnTraced(trace_path, command, calls);
	const closed = once(tracer, "close");
	const lines: string[] = [];
	const report = await new Promise<TracedGateway["report"]>((resolve, reject) => {
		createInterface({ input: tracer.stdout }).on("line", (line) => {
			lines.push(line);
			if (line === "}") resolve(JSON.parse(lines.join("\n")) as TracedGateway["report"]);
		});
		tracer.once("close", () => reject(new Error("it ended before it was ready")));
	});
	t.after(() => tracer.kill("SIGKILL"));
	const trace = () => readFile(trace_path, "utf8");
	return {
		report,
		address: new URL("/mcp", report.url),
		trace,
		async stop(): Promise<string> {
			process.kill(report.pid, "SIGTERM");
			await closed;
			return trace();
		},
	};
}
