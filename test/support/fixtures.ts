import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Path of a fixture server in test/servers/, by its name without the ending. */
export function fixturePath(name: string): string {
	return fileURLToPath(new URL(`../servers/${name}.mjs`, import.meta.url));
}

/** A fixture server that listens on a loopback port of its own. */
export interface HttpFixture {
	readonly url: string;
	readonly process: ChildProcess;
	stop(): Promise<void>;
}

/** Starts a fixture over HTTP and waits for its address. */
export async function startHttpFixture(name: string, args: string[] = []): Promise<HttpFixture> {
	const child = spawn(process.execPath, [fixturePath(name), ...args], {
		stdio: ["pipe", "pipe", "inherit"],
	});
	const exited = once(child, "exit");
	const first = await Promise.race([once(child.stdout, "data"), exited.then(() => undefined)]);
	if (first === undefined) throw new Error(`The fixture ${name} ended before it listened.`);
	const { url } = JSON.parse(String(first[0])) as { url: string };
	const stop = async () => {
		child.kill("SIGKILL");
		await exited;
	};
	return { url, process: child, stop };
}
