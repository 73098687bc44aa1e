import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { stdioFixture } from "../support/gateway.ts";
import { cli_path } from "../support/run-cli.ts";

const on_windows = process.platform === "win32" ? "Windows hands over no sockets" : false;

/** Descriptor of a listening server. */
function descriptorOf(server: Server): number {
	return (server as unknown as { _handle: { fd: number } })._handle.fd;
}

/** Starts `moorage up` as systemd does: with a socket that listens already. */
async function handOver(context: TestContext, host: string) {
	const folder = await mkdtemp(join(tmpdir(), "moorage-socket-"));
	context.after(() => rm(folder, { recursive: true, force: true }));
	const config = join(folder, "mcp.json");
	await writeFile(config, JSON.stringify({ mcpServers: { echo: stdioFixture("echo") } }));
	const socket = createServer();
	socket.listen(0, host);
	await once(socket, "listening");
	const { port } = socket.address() as AddressInfo;
	const script = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@"';
	const words = [process.execPath, cli_path, "up", config, "--json"];
	const child = spawn("/bin/sh", ["-c", script, "sh", ...words], {
		cwd: folder,
		stdio: ["ignore", "pipe", "pipe", descriptorOf(socket)],
	});
	// The child has a copy of its own; whoever connects is its client from now on.
	socket.close();
	let stderr = "";
	child.stderr?.on("data", (chunk: Buffer) => {
		stderr += chunk.toString();
	});
	const exited = once(child, "close") as Promise<[number | null]>;
	context.after(async () => {
		child.kill("SIGTERM");
		await exited;
	});
	return { child, port, exited, said: () => stderr };
}

test("a gateway takes the socket it is handed", { skip: on_windows }, async (context) => {
	const { child, port, exited } = await handOver(context, "127.0.0.1");
	// The socket listens before the gateway does: this request waits for it.
	const health = await fetch(`http://127.0.0.1:${port}/healthz`);
	assert.equal(health.status, 200);
	child.kill("SIGTERM");
	const [code] = await exited;
	assert.equal(code, 0);
});

test("a socket that others can reach is refused without identity", {
	skip: on_windows,
}, async (t) => {
	const { exited, said } = await handOver(t, "0.0.0.0");
	const [code] = await exited;
	assert.equal(code, 3);
	assert.match(said(), /identity/);
});

const unit = (name: string) =>
	fileURLToPath(new URL(`../../deploy/systemd/${name}`, import.meta.url));
const has_systemd = spawnSync("systemd-analyze", ["--version"]).status === 0;
const no_systemd = has_systemd ? false : "systemd-analyze is not installed";

test("the units for systemd are accepted by systemd", { skip: no_systemd }, async (context) => {
	const folder = await mkdtemp(join(tmpdir(), "moorage-units-"));
	context.after(() => rm(folder, { recursive: true, force: true }));
	for (const name of ["moorage.service", "moorage.socket"]) {
		// The program of the unit is installed elsewhere; any that is there will do.
		const text = await readFile(unit(name), "utf8");
		await writeFile(join(folder, name), text.replaceAll("/usr/local/bin/node", process.execPath));
	}
	const paths = [join(folder, "moorage.service"), join(folder, "moorage.socket")];
	const { status, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", ...paths], {
		encoding: "utf8",
	});
	const complaints = stderr.split("\n").filter((line) => line.includes("moorage."));
	assert.deepEqual(complaints, [], stderr);
	assert.equal(status, 0, stderr);
});

const caddyfile = fileURLToPath(new URL("../../deploy/caddy/moorage.caddyfile", import.meta.url));
const has_caddy = spawnSync("caddy", ["version"]).status === 0;
const no_caddy = has_caddy ? false : "caddy is not installed";

test("the example for Caddy is accepted by Caddy", { skip: no_caddy }, () => {
	const words = ["validate", "--adapter", "caddyfile", "--config", caddyfile];
	const { status, stderr } = spawnSync("caddy", words, { encoding: "utf8" });
	assert.equal(status, 0, stderr);
});
