import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** How long the quickstart takes to be ready, or why that was not measured. */
export type StartTime =
	| { readonly kind: "measured"; readonly ready_ms: number }
	| { readonly kind: "skipped"; readonly why: string };

const quickstart = fileURLToPath(new URL("../examples/quickstart", import.meta.url));
const moorage = fileURLToPath(new URL("../bin/moorage", import.meta.url));
const look_again_ms = 5;
const ready_ms_max = 20_000;

/** Starts the quickstart and waits for `/readyz`; its packages must be installed already. */
export async function measureStart(): Promise<StartTime> {
	const data = join(quickstart, ".moorage");
	if (!existsSync(join(data, "packages"))) {
		return { kind: "skipped", why: "its packages are not installed: run npm start once" };
	}
	const listen = `127.0.0.1:${await freePort()}`;
	const args = [moorage, "up", join(quickstart, "mcp.json"), "--data", data, "--listen", listen];
	const started = performance.now();
	const child = spawn(process.execPath, [...args, "--quiet"], { stdio: "ignore" });
	const exited = once(child, "exit");
	try {
		while (performance.now() - started < ready_ms_max) {
			if (child.exitCode !== null) {
				return { kind: "skipped", why: "it does not start: another gateway may run there" };
			}
			if (await isReady(listen)) {
				return { kind: "measured", ready_ms: performance.now() - started };
			}
		}
		// Never ready is a figure too: one that breaks the promise.
		return { kind: "measured", ready_ms: performance.now() - started };
	} finally {
		child.kill("SIGTERM");
		await exited;
	}
}

async function isReady(listen: string): Promise<boolean> {
	try {
		const response = await fetch(`http://${listen}/readyz`);
		await response.arrayBuffer();
		if (response.ok) return true;
	} catch {
		// It does not listen yet.
	}
	await new Promise((resolve) => {
		setTimeout(resolve, look_again_ms);
	});
	return false;
}

/** A port that was free a moment ago. */
async function freePort(): Promise<number> {
	const server = createServer().listen(0, "127.0.0.1");
	await once(server, "listening");
	const { port } = server.address() as AddressInfo;
	server.close();
	await once(server, "close");
	return port;
}
