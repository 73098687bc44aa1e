import assert from "node:assert/strict";
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { makeSpawner } from "../../../test/support/hosted-child.ts";
import { runHosted, sandboxed, sandboxObstacle } from "../../../test/support/sandboxed.ts";
import type { SandboxPlan } from "../../config/plan.ts";
import type { SpawnRequest } from "../../upstreams/driver.ts";

/** A text that nothing in a sandbox may ever see. */
const canary = "canary-51cd7e";

/** A server that is started twice: the second time all is as the first one left it. */
async function scene(context: TestContext) {
	const root = await realpath(await mkdtemp(join(tmpdir(), "moorage-swapped-")));
	context.after(() => rm(root, { recursive: true }));
	const secret = join(root, "elsewhere", "secret");
	await make(secret, canary);
	const project = join(root, "project");
	const config = join(project, ".vscode", "mcp.json");
	await make(config, canary);
	await mkdir(join(project, "work"));
	// A program is shown the folder it runs in: that one has nothing of the others in it.
	const cwd = join(root, "empty");
	await mkdir(cwd);
	const spawner = await makeSpawner({ hidden: [config] });
	context.after(() => spawner[Symbol.asyncDispose]());
	const own = join(spawner.data_dir, "volumes", "it");
	const run = async (
		script: string,
		sandbox: Partial<SandboxPlan>,
		request: Partial<SpawnRequest> = {},
	) => {
		const ended = await runHosted(spawner, {
			confinement: sandboxed(own, sandbox),
			cwd,
			...request,
			args: ["-e", `const fs = require("fs"); ${script}`, ...(request.args ?? [])],
		});
		return { ...ended, said: `${ended.stdout}${ended.stderr}${ended.notes.join("\n")}` };
	};
	return { root, secret, project, config, own, data_dir: spawner.data_dir, run };
}

async function make(path: string, text: string): Promise<void> {
	await mkdir(dirname(path), { recursive: true });
	await writeFile(path, text);
}

/** Puts a link in the place of something. */
function swap(path: string, target: string): string {
	const [from, to] = [JSON.stringify(path), JSON.stringify(target)];
	return `fs.renameSync(${from}, ${from} + ".old"); fs.symlinkSync(${to}, ${from});`;
}

function show(path: string): string {
	return `try { console.log(fs.readFileSync(${JSON.stringify(path)}, "utf8")) }
		catch (error) { console.log("no: " + error.code) }`;
}

describe("a server that swaps what it was given", { skip: await sandboxObstacle() }, () => {
	test("cannot put another folder in the place of the gateway's configuration", async (context) => {
		const { project, config, run } = await scene(context);
		const sandbox = { write: [project] };
		const folder = dirname(config);
		const first = await run(`${swap(folder, join(project, "work"))} console.log("moved")`, sandbox);
		assert.match(first.said, /EBUSY/u);
		const second = await run(show(config) + show(join(`${folder}.old`, "mcp.json")), sandbox);
		assert.doesNotMatch(second.said, new RegExp(canary, "u"));
	});

	test("is given nothing by a link in the place of its working folder", async (context) => {
		const { project, secret, run } = await scene(context);
		const sandbox = { write: [project] };
		const cwd = join(project, "work");
		const first = await run(`process.chdir("/"); ${swap(cwd, dirname(secret))}`, sandbox, { cwd });
		assert.equal(first.code, 0, first.said);
		const second = await run(show(secret), sandbox, { cwd });
		assert.doesNotMatch(second.said, new RegExp(canary, "u"));
	});

	test("is given nothing by a link in the place of a folder that it reads", async (context) => {
		const { project, secret, run } = await scene(context);
		const read = join(project, "deep", "templates");
		await make(join(read, "one"), "one");
		const sandbox = { write: [project], read: [read] };
		const first = await run(swap(dirname(read), dirname(secret)), sandbox);
		await make(join(dirname(secret), "templates", "more"), canary);
		const second = await run(show(join(dirname(secret), "templates", "more")), sandbox);
		assert.doesNotMatch(second.said, new RegExp(canary, "u"), first.said);
	});

	test("cannot put another program in the place of its own", async (context) => {
		const { project, secret, run } = await scene(context);
		const command = join(project, ".venv", "bin", "python");
		await mkdir(dirname(command), { recursive: true });
		await symlink(process.execPath, command);
		const sandbox = { write: [project] };
		for (const path of [command, dirname(command), join(project, ".venv")]) {
			const tried = await run(swap(path, dirname(secret)), sandbox, { command });
			assert.match(tried.stderr, /EROFS|EBUSY/u, path);
		}
		const script = `fs.writeFileSync(${JSON.stringify(join(project, "new"))}, "written");`;
		const still = await run(`${script} console.log("runs")`, sandbox, { command });
		assert.equal(still.stdout, "runs\n", still.said);
	});

	test("is not shown what a link leads to that it can replace", async (context) => {
		const { project, secret, run } = await scene(context);
		const command = join(project, "tool");
		const target = join(dirname(dirname(secret)), "private", "bin", "tool");
		await make(target, "#!/bin/sh\nexit 0\n");
		await chmod(target, 0o755);
		await symlink(target, command);
		const { notes } = await run("", { write: [project] }, { command });
		assert.match(notes.join("\n"), /project\/tool is not given to it/u);
	});

	test("is given nothing by a link in its volume that its arguments name", async (context) => {
		const { secret, own, run } = await scene(context);
		const named = join(own, "volume", "notes");
		await mkdir(named, { recursive: true });
		const sandbox = { bind_arguments: true };
		const first = await run(swap(named, dirname(secret)), sandbox, { args: [named] });
		assert.equal(first.code, 0, first.said);
		const second = await run(show(secret), sandbox, { args: [named] });
		assert.doesNotMatch(second.said, new RegExp(canary, "u"));
	});

	test("is given nothing by a link in the place of its package's copy", async (context) => {
		const { secret, own, data_dir, run } = await scene(context);
		const place = join(data_dir, "packages", "notes", "node_modules", "notes");
		await make(join(place, "package.json"), "{}");
		await make(join(place, "index.js"), "");
		const sandbox = { bind_arguments: true };
		const request = { args: [join(place, "index.js")] };
		const first = await run(
			`const folder = ${JSON.stringify(join(own, "volume", ".package"))};
			if (fs.existsSync(folder)) for (const name of fs.readdirSync(folder)) {
				fs.renameSync(folder + "/" + name, folder + "/old");
				fs.symlinkSync(${JSON.stringify(dirname(secret))}, folder + "/" + name);
			}
			fs.writeFileSync(${JSON.stringify(join(place, "kept"))}, "kept");`,
			sandbox,
			request,
		);
		assert.equal(first.code, 0, first.said);
		const second = await run(
			show(join(place, "secret")) + show(join(place, "kept")),
			sandbox,
			request,
		);
		assert.equal(second.stdout, "no: ENOENT\nkept\n");
	});
});
