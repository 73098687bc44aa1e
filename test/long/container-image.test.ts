import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { chmod, chown, cp, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { buildProgram } from "../../tools/lib/build.ts";
import { packPackage } from "../../tools/lib/pack.ts";
import { type DockerEngine, startDockerEngine } from "../support/docker-engine.ts";
import { eventually } from "../support/processes.ts";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const started = await startDockerEngine();
const skip = "skip" in started ? started.skip : false;
const memory_bytes = 512 * 1024 * 1024;

describe("the container image", { skip }, () => {
	const engine = started as DockerEngine;
	let folder: string;
	let id: string;

	before(async () => {
		folder = await mkdtemp(join(tmpdir(), "moorage-image-"));
		await buildProgram(root);
		const context = join(folder, "context");
		await cp(join(root, "deploy", "container"), context, { recursive: true });
		await rename(await packPackage(root, folder), join(context, "moorage.tgz"));
		await buildImage(engine, context, join(folder, "context.tar"));
		id = await runImage(engine, folder);
	});

	after(async () => {
		if (id !== undefined) await engine.ask("DELETE", `/containers/${id}?force=true&v=true`);
		if (!("skip" in started)) await started.stop();
		if (folder !== undefined) await rm(folder, { recursive: true, force: true });
	});

	test("becomes ready and healthy as an ordinary user, with a read-only root and 512 MB", async () => {
		const health = await eventually(
			() => answerOf(engine, id, "/readyz"),
			({ status }) => status === 200,
		);
		assert.equal(health.status, 200);
		const state = JSON.parse((await engine.ask("GET", `/containers/${id}/json`)).text) as {
			readonly Config: { readonly User: string; readonly Healthcheck: object };
			readonly HostConfig: { readonly Memory: number; readonly ReadonlyRootfs: boolean };
		};
		assert.equal(state.Config.User, "10001:10001");
		assert.ok(state.Config.Healthcheck !== undefined);
		assert.deepEqual(
			[state.HostConfig.Memory, state.HostConfig.ReadonlyRootfs],
			[memory_bytes, true],
		);
	});

	test("hosts a server that answers a call", async () => {
		const params = { name: "echo", arguments: { text: "from inside" } };
		const call = { jsonrpc: "2.0", id: 1, method: "tools/call", params };
		const { status, text } = await answerOf(engine, id, "/echo/mcp", call);
		assert.equal(status, 200);
		assert.match(text, /from inside/);
	});

	test("stops within its time when it is asked to, with exit code 0", async () => {
		await engine.ask("POST", `/containers/${id}/stop?t=20`);
		const { State } = JSON.parse((await engine.ask("GET", `/containers/${id}/json`)).text) as {
			readonly State: { readonly ExitCode: number; readonly OOMKilled: boolean };
		};
		assert.deepEqual([State.ExitCode, State.OOMKilled], [0, false]);
	});
});

/** Has the engine build the folder's Dockerfile upon an image that holds nothing but Node. */
async function buildImage(engine: DockerEngine, context: string, archive: string): Promise<void> {
	await run("tar", ["--create", "--file", archive, "--directory", context, "."]);
	const args = encodeURIComponent(JSON.stringify({ NODE_IMAGE: engine.image }));
	const socketPath = engine.environment.DOCKER_HOST.replace("unix://", "");
	const path = `/build?t=moorage-test%2Fmoorage%3A1&buildargs=${args}&networkmode=none`;
	const headers = { "content-type": "application/x-tar" };
	const sent = request({ socketPath, method: "POST", path, headers, agent: false });
	const said = new Promise<string>((resolve, reject) => {
		sent.once("error", reject);
		sent.once("response", (response) => {
			let text = "";
			response.on("data", (chunk: Buffer) => {
				text += chunk.toString();
			});
			response.once("end", () => resolve(text));
		});
	});
	await pipeline(createReadStream(archive), sent);
	const text = await said;
	assert.match(text, /Successfully built/, text);
}

/** Starts it as the documentation says; its id. */
async function runImage(engine: DockerEngine, folder: string): Promise<string> {
	const data = join(folder, "data");
	await mkdir(data);
	await chown(data, 10_001, 10_001);
	const config = join(folder, "moorage.yaml");
	const servers = { echo: { command: ["node", "/servers/echo.mjs"] } };
	await writeFile(config, JSON.stringify({ version: 1, listen: "127.0.0.1:8642", servers }));
	// The folders above are for root alone by default.
	await chmod(folder, 0o755);
	const created = await engine.ask(
		"POST",
		"/containers/create",
		JSON.stringify({
			Image: "moorage-test/moorage:1",
			HostConfig: {
				NetworkMode: "none",
				ReadonlyRootfs: true,
				Tmpfs: { "/tmp": "mode=1777" },
				CapDrop: ["ALL"],
				SecurityOpt: ["no-new-privileges"],
				Memory: memory_bytes,
				MemorySwap: memory_bytes,
				PidsLimit: 256,
				Binds: [`${data}:/data`, `${config}:/etc/moorage/moorage.yaml:ro`],
			},
		}),
	);
	assert.equal(created.status, 201, created.text);
	const { Id } = JSON.parse(created.text) as { readonly Id: string };
	const begun = await engine.ask("POST", `/containers/${Id}/start`);
	assert.equal(begun.status, 204, begun.text);
	return Id;
}

/** What the gateway answers to a client inside its container: there is no network to it. */
async function answerOf(
	engine: DockerEngine,
	id: string,
	path: string,
	body?: object,
): Promise<{ status: number; text: string }> {
	const options =
		body === undefined
			? "{}"
			: `{method:"POST",headers:{"content-type":"application/json",accept:"application/json, text/event-stream"},body:${JSON.stringify(JSON.stringify(body))}}`;
	const script =
		`fetch("http://127.0.0.1:8642${path}",${options}).then(async (r) => ` +
		"console.log(JSON.stringify({ status: r.status, text: await r.text() })), " +
		'() => console.log(\'{"status":0,"text":""}\'))';
	const made = await engine.ask(
		"POST",
		`/containers/${id}/exec`,
		JSON.stringify({
			AttachStdout: true,
			AttachStderr: true,
			Tty: true,
			Cmd: ["node", "-e", script],
		}),
	);
	if (made.status !== 201) {
		const logs = await engine.ask("GET", `/containers/${id}/logs?stdout=1&stderr=1`);
		assert.fail(`${made.text} ${logs.text}`);
	}
	const { Id } = JSON.parse(made.text) as { readonly Id: string };
	const ran = await engine.ask("POST", `/exec/${Id}/start`, '{"Detach":false,"Tty":true}');
	const line =
		ran.text.split("\n").find((text) => text.startsWith("{")) ?? '{"status":0,"text":""}';
	return JSON.parse(line) as { status: number; text: string };
}
