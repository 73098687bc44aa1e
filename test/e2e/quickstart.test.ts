import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { sdk_clients } from "../support/clients.ts";
import { type MoorageProcess, startMoorage } from "../support/moorage-process.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The quickstart's servers come from the registries: without them there is nothing to test. */
let moorage: MoorageProcess | undefined;
let folder: string;
let data: string;
let unavailable: string | undefined;

before(async () => {
	folder = await mkdtemp(join(tmpdir(), "moorage-quickstart-"));
	const quickstart = join(folder, "examples", "quickstart");
	await cp(join(root, "examples", "quickstart"), quickstart, {
		recursive: true,
		filter: (path) => !path.includes(".moorage"),
	});
	data = join(quickstart, ".moorage");
	moorage = await startMoorage(join(quickstart, "mcp.json"), data);
	const failed = moorage.report.servers.filter(({ state }) => state !== "ready");
	const installs = moorage.errors.filter((line) => line.includes("install_failed"));
	if (installs.length > 0 && process.env["CI"] !== "true") {
		unavailable = `packages cannot be installed here: ${failed.map(({ name }) => name).join(", ")}`;
	}
});

after(async () => {
	await moorage?.stop();
	await rm(folder, { recursive: true, force: true });
});

function running(): MoorageProcess {
	assert.ok(moorage !== undefined);
	return moorage;
}

test("every server of the quickstart is ready, or its launcher is missing", (t) => {
	if (unavailable !== undefined) return t.skip(unavailable);
	const servers = new Map(running().report.servers.map((server) => [server.name, server]));
	for (const name of ["everything", "filesystem", "memory"]) {
		assert.equal(servers.get(name)?.state, "ready", name);
		assert.ok((servers.get(name)?.tools ?? 0) > 5, name);
	}
	const time = servers.get("time") as { state: string; code?: string; tools: number } | undefined;
	if (time?.code === "command_missing") return t.skip("uvx is not installed: `time` is not tested");
	assert.equal(time?.state, "ready");
	assert.equal(time?.tools, 2);
});

for (const [name, connect] of Object.entries(sdk_clients)) {
	test(`${name} lists and calls the quickstart's tools`, async (t) => {
		if (unavailable !== undefined) return t.skip(unavailable);
		const client = await connect(running().address());
		const { tools } = await client.listTools();
		const names = tools.map((tool) => tool.name);
		for (const wanted of ["everything__echo", "filesystem__list_directory", "memory__read_graph"]) {
			assert.ok(names.includes(wanted), wanted);
		}
		const echoed = await client.callTool({
			name: "everything__echo",
			arguments: { message: "ahoy" },
		});
		assert.match(JSON.stringify(echoed.content), /ahoy/);
		const graph = await client.callTool({ name: "memory__read_graph", arguments: {} });
		assert.notEqual(graph.isError, true);
		await client.close();
	});
}

test("the Inspector's command line lists and calls tools", async (t) => {
	const script = process.env["MOORAGE_TEST_INSPECTOR"];
	if (script === undefined) return t.skip("the Inspector is not installed (npm test installs it)");
	if (unavailable !== undefined) return t.skip(unavailable);
	const inspect = async (...args: string[]) => {
		const address = running().address("everything").href;
		const all = [script, "--cli", address, "--transport", "http", "--format", "json", ...args];
		const child = spawn(process.execPath, all, { stdio: ["ignore", "pipe", "pipe"] });
		const out: Buffer[] = [];
		child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
		child.stderr.resume();
		const [code] = (await once(child, "close")) as [number];
		return { code, text: Buffer.concat(out).toString("utf8") };
	};
	const listed = await inspect("--method", "tools/list");
	assert.equal(listed.code, 0);
	assert.match(listed.text, /"echo"/);
	const called = await inspect(
		"--method",
		"tools/call",
		"--tool-name",
		"echo",
		"--tool-arg",
		"message=inspected",
	);
	assert.equal(called.code, 0);
	assert.match(called.text, /inspected/);
});

/** The lines of the README's shell blocks, with continued lines joined. */
async function readmeCommands(): Promise<string[]> {
	const readme = await readFile(join(root, "README.md"), "utf8");
	const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] as string);
	return blocks.flatMap((block) =>
		block
			.replaceAll("\\\n", "")
			.split("\n")
			.filter((line) => line.trim() !== ""),
	);
}

test("every command of the README works as it is typed", async (t) => {
	if (unavailable !== undefined) return t.skip(unavailable);
	const { url } = running().report;
	// The two commands at the top are this very test and the run it is part of.
	const commands = (await readmeCommands()).filter((line) => !/^npm (start|test)$/.test(line));
	assert.ok(commands.length >= 7, "the README has commands");
	for (const typed of commands) {
		// Only the port and the folder differ from the README's: tests share this machine.
		const command = typed
			.replaceAll("http://127.0.0.1:8642", url)
			.replaceAll("bin/moorage", join(root, "bin", "moorage"));
		const child = spawn("sh", ["-c", command], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
		const out: Buffer[] = [];
		child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
		child.stderr.on("data", (chunk: Buffer) => out.push(chunk));
		const [code] = (await once(child, "close")) as [number];
		const text = Buffer.concat(out).toString("utf8");
		assert.equal(code, 0, `${typed}\n${text}`);
		if (typed.includes("call")) assert.match(text, /hello/, typed);
	}
});
