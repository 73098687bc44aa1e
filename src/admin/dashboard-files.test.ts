import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { tempFolder } from "../../test/support/temp-folder.ts";
import { createFileServer } from "./dashboard-files.ts";

async function startScene(context: TestContext) {
	const folder = join(await tempFolder(context), "dashboard");
	const serve = createFileServer(folder);
	const server = createServer((request, response) => serve(request, response));
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	context.after(() => {
		server.closeAllConnections();
		server.close();
	});
	const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const build = async () => {
		await mkdir(folder);
		await writeFile(join(folder, "index.html"), "<p>page</p>");
		await writeFile(join(folder, "app-1.js"), "1;");
		await writeFile(join(folder, "app-1.js.br"), "squeezed");
		await writeFile(join(folder, "stamp.txt"), "private");
	};
	return { url, build };
}

test("a checkout without a build says how to make one, and finds it once it is made", async (t) => {
	const { url, build } = await startScene(t);
	const missing = await fetch(url);
	assert.equal(missing.status, 503);
	assert.match(await missing.text(), /npm run build/);
	await build();
	assert.equal(await (await fetch(url)).text(), "<p>page</p>");
});

test("the page allows nothing inline and nothing from elsewhere, and is not kept", async (t) => {
	const { url, build } = await startScene(t);
	await build();
	const page = await fetch(url);
	const policy = page.headers.get("content-security-policy") ?? "";
	assert.ok(policy.startsWith("default-src 'none'; script-src 'self'; style-src 'self';"));
	assert.ok(!policy.includes("unsafe"));
	assert.equal(page.headers.get("x-frame-options"), "DENY");
	assert.equal(page.headers.get("cache-control"), "no-cache");
	const etag = page.headers.get("etag") ?? "";
	const again = await fetch(url, { headers: { "if-none-match": etag } });
	assert.equal(again.status, 304);
});

test("files are kept for good, and nothing but them is served", async (t) => {
	const { url, build } = await startScene(t);
	await build();
	const script = await fetch(`${url}/assets/app-1.js`, { headers: { "accept-encoding": "gzip" } });
	assert.equal(await script.text(), "1;");
	assert.match(script.headers.get("cache-control") ?? "", /immutable/);
	for (const path of ["/assets/stamp.txt", "/assets/app-1.js.br", "/assets/../index.html", "/x"]) {
		assert.equal((await fetch(url + path)).status, 404, path);
	}
	assert.equal((await fetch(url, { method: "POST" })).status, 405);
});
