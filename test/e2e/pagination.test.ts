import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startGateway, stdioFixture, type TestGateway } from "../support/gateway.ts";
import { type Parsed, textOf } from "../support/raw-client.ts";
import { openWire, type WireClient } from "../support/wire-clients.ts";

/** Long lists: page by page from a server, all of them at its own address, merged at `/mcp`. */

const eras = ["legacy", "modern"] as const;
const tools_count = 2500;
const page_size = 100;

let gateway: TestGateway;

before(async () => {
	const paged = (...args: string[]) =>
		stdioFixture("paged", "--tools", String(tools_count), "--page", String(page_size), ...args);
	gateway = await startGateway({
		servers: {
			many: paged(),
			modern: paged("--era", "modern"),
			echo: stdioFixture("echo"),
			filtered: { ...paged(), tools: ["tool-1*"] },
		},
		endpoints: { few: { servers: ["many", "echo"], tools: ["many__tool-7", "echo__*"] } },
	});
});

after(() => gateway.stop());

/** All pages of a list, following cursors as a client does. */
async function pagesOf(client: WireClient, method = "tools/list"): Promise<Parsed[]> {
	const pages: Parsed[] = [];
	for (let cursor: string | undefined = ""; cursor !== undefined; ) {
		const params = pages.length === 0 ? "{}" : `{"cursor":${JSON.stringify(cursor)}}`;
		const page: Parsed = await client.ask({ method, params });
		assert.ok(page.result !== undefined, JSON.stringify(page));
		pages.push(page);
		cursor = page.result.nextCursor;
		assert.ok(pages.length < 1000);
	}
	return pages;
}

const namesIn = (pages: readonly Parsed[]) =>
	pages.flatMap(({ result }) => result.tools.map(({ name }) => name));

const expected = Array.from({ length: tools_count }, (_, at) => `tool-${at}`);

for (const era of eras) {
	test(`a ${era} client pages through a server's list with the server's own cursors`, async () => {
		for (const server of ["many", "modern"]) {
			const pages = await pagesOf(await openWire(era, gateway.address(server)));
			assert.equal(pages.length, tools_count / page_size);
			assert.deepEqual(namesIn(pages), expected);
			assert.equal(pages[0]?.result.nextCursor, '{"offset":100,"é":"\u2028"}');
		}
	});

	test(`a ${era} client finds every tool of every server once at the address of all`, async () => {
		const client = await openWire(era, gateway.address());
		const pages = await pagesOf(client);
		assert.ok(pages.length > 1, "a list this long comes in pages");
		const names = namesIn(pages);
		assert.equal(new Set(names).size, names.length);
		const wanted = [
			...expected.map((name) => `many__${name}`),
			...expected.map((name) => `modern__${name}`),
			"echo__echo",
			...expected.filter((name) => name.startsWith("tool-1")).map((name) => `filtered__${name}`),
		];
		assert.deepEqual(new Set(names), new Set(wanted));
		assert.deepEqual(namesIn(await pagesOf(client)), names);
		assert.equal(textOf(await client.call("modern__tool-2499")), "tool-2499");
	});

	test(`a ${era} client sees and calls what is offered, and nothing else`, async () => {
		const few = await openWire(era, gateway.address("few"));
		assert.deepEqual(namesIn(await pagesOf(few)), ["echo__echo", "many__tool-7"]);
		assert.equal(textOf(await few.call("many__tool-7")), "tool-7");
		assert.equal((await few.call("many__tool-8")).error.code, -32602);
		const filtered = await openWire(era, gateway.address("filtered"));
		const pages = await pagesOf(filtered);
		assert.deepEqual(
			namesIn(pages),
			expected.filter((name) => name.startsWith("tool-1")),
		);
		assert.equal((await filtered.call("tool-2")).error.code, -32602);
		assert.equal(textOf(await filtered.call("tool-1")), "tool-1");
	});
}

test("a cursor of one list is refused by the others at the address of all", async () => {
	for (const era of eras) {
		const client = await openWire(era, gateway.address());
		const { result } = await client.ask({ method: "tools/list" });
		const params = JSON.stringify({ cursor: result.nextCursor });
		assert.equal((await client.ask({ method: "tools/list", params })).error, undefined);
		for (const method of ["prompts/list", "resources/list", "resources/templates/list"]) {
			assert.equal((await client.ask({ method, params })).error.code, -32602, method);
		}
	}
});

test("resources and templates are merged, read and completed under their server's name", async () => {
	for (const era of eras) {
		const client = await openWire(era, gateway.address());
		const { result } = await client.ask({ method: "resources/list" });
		const uris = result.resources.map(({ uri }) => uri);
		assert.deepEqual(uris, [
			"moorage://filtered/paged://0",
			"moorage://many/paged://0",
			"moorage://modern/paged://0",
		]);
		const read = await client.ask({
			method: "resources/read",
			params: '{"uri":"moorage://modern/paged://0"}',
		});
		assert.equal(read.result.contents[0]?.uri, "moorage://modern/paged://0");
		assert.equal(read.result.contents[0]?.text, "content of paged://0");
		const completed = await client.ask({
			method: "completion/complete",
			params:
				'{"ref":{"type":"ref/resource","uri":"moorage://many/paged://{n}"},' +
				'"argument":{"name":"n","value":"1"}}',
		});
		assert.match(JSON.stringify(completed.result), /paged:\/\/\{n\}/);
	}
});
