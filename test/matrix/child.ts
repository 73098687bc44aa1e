import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** A program that says where it listens and ends when its standard input does. */
export interface Child {
	readonly process: ChildProcess;
	readonly exited: Promise<void>;
}

/** Starts a program; resolves with the first piece of its output that `find` sees a value in. */
export async function startChild<T>(
	args: readonly string[],
	environment: NodeJS.ProcessEnv,
	find: (printed: string) => T | undefined,
): Promise<{ child: Child; found: T }> {
	const started = spawn(process.execPath, args, {
		stdio: ["pipe", "pipe", "pipe"],
		env: environment,
	});
	const exited = once(started, "exit").then(() => undefined);
	const found = Promise.withResolvers<T>();
	let printed = "";
	let complaint = "";
	started.stdout.on("data", (chunk: Buffer) => {
		printed += chunk.toString();
		const value = find(printed);
		if (value !== undefined) found.resolve(value);
	});
	started.stderr.on("data", (chunk: Buffer) => {
		complaint = (complaint + chunk.toString()).slice(-4096);
	});
	void exited.then(() => found.reject(new Error(`it ended at once: ${printed}${complaint}`)));
	return { child: { process: started, exited }, found: await found.promise };
}

/** Ends a child by force and waits until it is gone. */
export async function killChild(child: Child): Promise<void> {
	child.process.kill("SIGKILL");
	await child.exited;
}
