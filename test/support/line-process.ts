import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A program of test/servers that writes lines of JSON, the first with the port it listens on. */
export interface LineProcess {
	readonly port: number;
	/** Every line so far. */
	readonly lines: readonly Record<string, unknown>[];
	/** Resolves with the first line, old or new, that the function wants. */
	find<Line = Record<string, unknown>>(wanted: (line: Line) => boolean): Promise<Line>;
	stop(): Promise<void>;
}

/** Starts one; resolves once it listens. */
export async function startLineProcess(name: string, ...args: string[]): Promise<LineProcess> {
	const path = fileURLToPath(new URL(`../servers/${name}.mjs`, import.meta.url));
	const child = spawn(process.execPath, [path, ...args], { stdio: ["ignore", "pipe", "inherit"] });
	const exited = once(child, "exit");
	const lines: Record<string, unknown>[] = [];
	let onLine: () => void = () => undefined;
	createInterface({ input: child.stdout }).on("line", (line) => {
		lines.push(JSON.parse(line) as Record<string, unknown>);
		onLine();
	});
	const waiting = new Set<() => void>();
	onLine = () => {
		for (const look of waiting) look();
	};
	const find = <Line>(wanted: (line: Line) => boolean) =>
		new Promise<Line>((resolve, reject) => {
			const look = () => {
				const found = (lines as Line[]).find(wanted);
				if (found === undefined) return;
				waiting.delete(look);
				resolve(found);
			};
			waiting.add(look);
			void exited.then(() => reject(new Error(`${name} ended: ${JSON.stringify(lines)}`)));
			look();
		});
	const { port } = await find<{ kind: string; port: number }>(({ kind }) => kind === "listening");
	return {
		port,
		lines,
		find,
		async stop() {
			child.kill();
			await exited;
		},
	};
}
