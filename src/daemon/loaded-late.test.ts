import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Prints what a Node has loaded once it has loaded the gateway, modules of packages included. */
const program = `
	const { registerHooks } = await import("node:module");
	const loaded = [];
	registerHooks({
		load(url, context, next) {
			loaded.push(url);
			return next(url, context);
		},
	});
	await import(${JSON.stringify(new URL("./daemon.ts", import.meta.url).href)});
	console.log([...loaded, ...process.moduleLoadList].join("\\n"));
`;

test("a gateway does not load what it may never use", async () => {
	const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program], {
		maxBuffer: 4 * 1024 ** 2,
	});
	const loaded = stdout.split("\n");
	assert.ok(loaded.includes("NativeModule http"), "Node tells what it has loaded of its own");
	assert.ok(loaded.some((url) => url.endsWith("/daemon/daemon.ts")));
	const late = [
		/^NativeModule (http2|internal\/deps\/undici\/undici)$/,
		/\/node_modules\/(undici|nodemailer|hono|@hono|oidc-provider|koa)\//,
		/\/src\/(admin\/api|daemon\/admin-app|upstreams\/http\/open|lib\/http-client)\.ts$/,
	];
	for (const pattern of late) {
		assert.deepEqual(
			loaded.filter((name) => pattern.test(name)),
			[],
		);
	}
});
