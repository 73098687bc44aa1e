import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { type TestContext, test } from "node:test";
import { client_running, declared_running } from "../../config/running.ts";
import type { Confinement } from "../../upstreams/driver.ts";
import { copyOwnPackage } from "./package-copy.ts";

async function setUp(context: TestContext) {
	const data = await mkdtemp(join(tmpdir(), "moorage-copies-"));
	context.after(() => rm(data, { recursive: true }));
	const root = join(data, "packages", "npm", "notes@1", "node_modules", "notes");
	const script = join(root, "dist", "index.js");
	await mkdir(dirname(script), { recursive: true });
	await writeFile(join(root, "package.json"), "{}");
	await writeFile(script, "run()");
	const volume = join(data, "volumes", "notes", "shared");
	await mkdir(volume, { recursive: true });
	const confinement: Confinement = {
		sandbox: client_running.sandbox,
		untrusted: false,
		resources: client_running.resources,
		volume,
		temp: join(data, "temp"),
		instance: "notes/shared/1",
		needs: [],
	};
	return { data, root, script, volume, confinement };
}

test("a server of a client's file gets a copy of its own package beside its volume", async (context) => {
	const { data, root, script, volume, confinement } = await setUp(context);
	const copy = await copyOwnPackage(confinement, ["--flag", script], data);
	assert.equal(copy?.path, root);
	assert.equal(dirname(copy.source), `${volume}.package`);
	assert.equal(await readFile(join(copy.source, "dist", "index.js"), "utf8"), "run()");
	await writeFile(join(copy.source, "memory.json"), "kept");
	const again = await copyOwnPackage(confinement, [script], data);
	assert.deepEqual(again, copy);
	assert.equal(await readFile(join(copy.source, "memory.json"), "utf8"), "kept");
});

test("instances that start at once share one copy", async (context) => {
	const { data, script, confinement } = await setUp(context);
	const copies = await Promise.all(
		[1, 2, 3].map((number) => {
			const instance = `notes/shared/${number}`;
			return copyOwnPackage({ ...confinement, instance }, [script], data);
		}),
	);
	assert.equal(new Set(copies.map((copy) => copy?.source)).size, 1);
	assert.equal(await readFile(join(copies[0]?.source ?? "", "package.json"), "utf8"), "{}");
});

test("declared servers, preparations and other programs get none", async (context) => {
	const { data, script, confinement } = await setUp(context);
	const { sandbox } = declared_running;
	assert.equal(await copyOwnPackage({ ...confinement, sandbox }, [script], data), undefined);
	const instance = "notes/prepare-0011/0";
	assert.equal(await copyOwnPackage({ ...confinement, instance }, [script], data), undefined);
	assert.equal(await copyOwnPackage(confinement, ["/usr/bin/env", "x"], data), undefined);
	assert.equal(await copyOwnPackage(confinement, [], data), undefined);
});

test("a package that is too large stays as it is", async (context) => {
	const { data, root, script, confinement } = await setUp(context);
	await writeFile(join(root, "model.bin"), Buffer.alloc(33 * 1024 * 1024));
	assert.equal(await copyOwnPackage(confinement, [script], data), undefined);
});
