import assert from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type TestContext, test } from "node:test";
import { repository_root } from "../lib/paths.ts";
import { tempTree } from "../lib/temp-tree.ts";
import { waitUntil } from "../lib/wait-until.ts";
import { fakeNpm } from "./fake-npm.ts";

/** The first Node on the PATH that cannot replace its own process, as old ones cannot. */
const old_node = (process.env["PATH"] ?? "")
	.split(delimiter)
	.map((folder) => join(folder, "node"))
	.filter((program) => existsSync(program))
	.find((program) => execFileSync(program, ["-p", "typeof process.execve"]).includes("undefined"));

const needs_old_node = {
	skip: old_node === undefined && "there is no Node older than 22.15 on the PATH",
};

/** A package with this repository's bin/ and the given files. */
function packageWith(t: TestContext, files: Record<string, string>): string {
	const root = tempTree(t, { "package.json": `{ "type": "module" }`, ...files });
	cpSync(join(repository_root, "bin"), join(root, "bin"), { recursive: true });
	return root;
}

/** A checkout whose program is `main`, with nothing to install. */
function checkoutWith(t: TestContext, main: string): string {
	const lock = JSON.stringify({ packages: {} });
	return packageWith(t, {
		"src/cli/main.ts": main,
		"package-lock.json": lock,
		"node_modules/.package-lock.json": lock,
	});
}

/** Starts bin/moorage with the given Node. */
function start(root: string, options: { node?: string; args?: string[] } = {}): ChildProcess {
	const program = join(root, "bin", "moorage");
	return spawn(options.node ?? process.execPath, [program, ...(options.args ?? [])], {
		env: { ...process.env, MOORAGE_NODE: process.execPath, XDG_CACHE_HOME: root },
		stdio: ["pipe", "pipe", "pipe"],
	});
}

/** Everything a process writes until its streams close, and how it ended. */
async function finish(child: ChildProcess, onText?: (text: string) => void) {
	const said = { out: "", err: "" };
	child.stdout?.setEncoding("utf8").on("data", (text: string) => {
		said.out += text;
		onText?.(said.out);
	});
	child.stderr?.setEncoding("utf8").on("data", (text: string) => {
		said.err += text;
	});
	await once(child, "close");
	return { ...said, code: child.exitCode, signal: child.signalCode };
}

const echo = `
	process.stdout.write(JSON.stringify({
		args: process.argv.slice(2),
		pid: process.pid,
		version: process.versions.node,
		parent: process.env.MOORAGE_PARENT_FD ?? "none",
	}));
	for await (const chunk of process.stdin) process.stderr.write(chunk);
	process.exitCode = 7;
`;

test("a Node that is new enough runs the source in its own process", async (t) => {
	const child = start(checkoutWith(t, echo), { args: ["up", "--json"] });
	child.stdin?.end("hello");
	const { out, err, code } = await finish(child);
	const seen = JSON.parse(out) as Record<string, unknown>;
	assert.deepEqual([seen["args"], seen["pid"], err], [["up", "--json"], child.pid, "hello"]);
	assert.equal(code, 7);
});

test(
	"an old Node hands over: arguments, streams and exit code pass through",
	needs_old_node,
	async (t) => {
		const child = start(checkoutWith(t, echo), { node: old_node ?? "", args: ["a b", "$x"] });
		child.stdin?.end("hello");
		const { out, err, code } = await finish(child);
		const seen = JSON.parse(out) as Record<string, unknown>;
		assert.deepEqual(seen["args"], ["a b", "$x"]);
		assert.equal(seen["version"], process.versions.node);
		assert.equal(seen["parent"], "none", "no grandchild inherits the pipe's number");
		assert.deepEqual([err, code], ["hello", 7]);
	},
);

for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
	test(
		`${signal} reaches the program behind an old Node, and its exit code comes back`,
		needs_old_node,
		async (t) => {
			const main = `
			process.on("${signal}", () => process.exit(5));
			process.stdout.write("ready");
			setInterval(() => {}, 1000);
		`;
			const child = start(checkoutWith(t, main), { node: old_node ?? "" });
			const { code } = await finish(child, () => child.kill(signal));
			assert.equal(code, 5);
		},
	);
}

test(
	"a program that a signal ends, ends its old Node with the same signal",
	needs_old_node,
	async (t) => {
		const child = start(checkoutWith(t, `process.kill(process.pid, "SIGKILL");`), {
			node: old_node ?? "",
		});
		const { code, signal } = await finish(child);
		assert.deepEqual([code, signal], [null, "SIGKILL"]);
	},
);

test(
	"an old Node that is killed takes its program with it, in an orderly way",
	needs_old_node,
	async (t) => {
		const main = `
		process.on("SIGTERM", () => {
			process.stdout.write(" and stops");
			process.exitCode = 0;
			clearInterval(keep);
		});
		process.stdout.write("runs");
		const keep = setInterval(() => {}, 1000);
	`;
		const child = start(checkoutWith(t, main), { node: old_node ?? "" });
		// The streams close only when the program itself, which holds them too, is gone.
		const { out, signal } = await finish(child, (text) => {
			if (text === "runs") child.kill("SIGKILL");
		});
		assert.deepEqual([out, signal], ["runs and stops", "SIGKILL"]);
	},
);

test("a Node that can replace itself does so", async (t) => {
	const root = checkoutWith(t, "");
	const module = JSON.stringify(join(root, "bin", "launcher", "hand-over.mjs"));
	const script = `
		const { handOver } = await import(${module});
		handOver(process.execPath, ["-p", "process.pid + process.env.GREETING"], {
			...process.env, GREETING: " hello", NOTHING: undefined,
		});
	`;
	const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
		stdio: ["ignore", "pipe", "pipe"],
	});
	const { out, err } = await finish(child);
	assert.deepEqual([out, err], [`${child.pid} hello\n`, ""]);
});

test("a published package runs its bundle, and says so when that is missing", async (t) => {
	const child = start(packageWith(t, { "dist/main.js": echo }));
	child.stdin?.end();
	const { out, code } = await finish(child);
	assert.match(out, /^\{"args":\[\]/);
	assert.equal(code, 7);
	const broken = await finish(start(packageWith(t, {})));
	assert.match(broken.err, /^moorage: .*dist\/main\.js is missing; install moorage again\n$/);
	assert.equal(broken.code, 1);
});

test("what cannot be provided is told in one line, with status 1", needs_old_node, async (t) => {
	const root = checkoutWith(t, echo);
	const child = spawn(old_node ?? "", [join(root, "bin", "moorage")], {
		env: { PATH: root, MOORAGE_NODE: "/nowhere/node" },
		stdio: ["ignore", "pipe", "pipe"],
	});
	const { out, err, code } = await finish(child);
	assert.equal(out, "");
	assert.match(err, /^moorage: MOORAGE_NODE is \/nowhere\/node, which does not run as Node\..*\n$/);
	assert.equal(code, 1);
});

test("a signal during an installation ends npm and leaves no half-made folder", async (t) => {
	const lock = JSON.stringify({ packages: {} });
	const root = packageWith(t, { "src/cli/main.ts": "", "package-lock.json": lock });
	// Tells its folder by making a file there, and then never ends.
	const npm = fakeNpm(t, `fs.writeFileSync("begun", ""); setInterval(() => {}, 1000);`);
	const child = spawn(process.execPath, [join(root, "bin", "moorage")], {
		env: { PATH: npm.folder },
		stdio: ["ignore", "pipe", "pipe"],
	});
	const tools = join(root, ".tools");
	const begun = () => readdirSync(tools).some((name) => existsSync(join(tools, name, "begun")));
	const ended = finish(child);
	await waitUntil(() => existsSync(tools) && begun());
	child.kill("SIGTERM");
	assert.equal((await ended).signal, "SIGTERM");
	assert.deepEqual(readdirSync(tools), []);
});
