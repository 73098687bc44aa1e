import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Context, Hono } from "hono";
import { pageOf } from "./paging.ts";

async function ask(items: readonly string[], query: string) {
	const app = new Hono();
	app.get("/", (context: Context) => {
		const page = pageOf(context, items, (item) => item);
		return context.json(page.ok ? page.value : { code: page.problem.code }, page.ok ? 200 : 400);
	});
	const response = await app.request(`/?${query}`);
	return (await response.json()) as { items: string[]; next?: string; code?: string };
}

test("without a limit a list is whole, and in its own order", async () => {
	assert.deepEqual(await ask(["b", "a"], ""), { items: ["b", "a"] });
});

test("page by page everything is told once, whatever its names are", async () => {
	await fc.assert(
		fc.asyncProperty(
			fc.uniqueArray(fc.string({ minLength: 1, maxLength: 6 }), { maxLength: 12 }),
			fc.integer({ min: 1, max: 5 }),
			async (items, limit) => {
				const told: string[] = [];
				let cursor: string | undefined;
				do {
					const query = new URLSearchParams({ limit: String(limit), ...(cursor && { cursor }) });
					const page = await ask(items, query.toString());
					assert.ok(page.items.length <= limit);
					told.push(...page.items);
					cursor = page.next;
				} while (cursor !== undefined);
				assert.deepEqual(told.toSorted(), items.toSorted());
			},
		),
		{ numRuns: 40 },
	);
});

test("what comes and goes between two pages moves nothing else", async () => {
	const first = await ask(["a", "b", "c", "d"], "limit=2");
	assert.deepEqual(first.items, ["a", "b"]);
	const second = await ask(["aa", "c", "d", "e"], `limit=2&cursor=${first.next}`);
	assert.deepEqual([second.items, second.next !== undefined], [["c", "d"], true]);
});

test("a limit that is none is refused", async () => {
	for (const limit of ["0", "1001", "x", "1.5", ""]) {
		assert.equal((await ask(["a"], `limit=${limit}`)).code, "invalid_request", limit);
	}
});
