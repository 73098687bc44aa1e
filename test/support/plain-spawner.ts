import { spawn } from "node:child_process";
import { systemClock } from "../../src/lib/clock.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { fail, type Result, succeed } from "../../src/lib/result.ts";
import { type Fault, makeFault } from "../../src/protocol/fault.ts";
import type { ChildHandle, Spawner, SpawnRequest } from "../../src/upstreams/driver.ts";

/**
 * Starts programs without any containment, for tests of everything above the processes.
 * `running` are the handles of what has not ended.
 */
export class PlainSpawner implements Spawner {
	readonly running = new Set<ChildHandle>();

	async spawn(request: SpawnRequest): Promise<Result<ChildHandle, Fault>> {
		const { command, args, env, cwd } = request;
		const child = spawn(command, [...args], {
			cwd,
			env: { PATH: process.env["PATH"], ...env },
			stdio: ["pipe", "pipe", "pipe"],
		});
		const started = await new Promise<Error | undefined>((resolve) => {
			child.once("spawn", () => resolve(undefined));
			child.once("error", resolve);
		});
		if (started !== undefined) return fail(missing(request));
		const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
			child.once("exit", (code, signal) => resolve({ code, signal }));
		});
		const { stdin, stdout, stderr } = child;
		stdin.on("error", () => {});
		let stopping: Promise<void> | undefined;
		const kill = () => void child.kill("SIGKILL");
		const stop = (grace_ms: number) => {
			stopping ??= end(child, exited, grace_ms);
			return stopping;
		};
		const handle = { pid: child.pid as number, stdin, stdout, stderr, exited, stop, kill };
		this.running.add(handle);
		void exited.then(() => this.running.delete(handle));
		return succeed(handle);
	}
}

async function end(
	child: ReturnType<typeof spawn>,
	exited: Promise<unknown>,
	grace_ms: number,
): Promise<void> {
	child.stdin?.end();
	const term = systemClock.after(grace_ms, () => child.kill("SIGTERM"));
	const kill = systemClock.after(2 * grace_ms, () => child.kill("SIGKILL"));
	await exited;
	term.cancel();
	kill.cancel();
}

function missing({ server, command }: SpawnRequest): Fault {
	return makeFault(systemRandom, {
		code: "command_missing",
		message: `The program "${command}" of server "${server}" cannot be started.`,
		level: "warn",
		server,
		retry_safe: true,
	});
}
