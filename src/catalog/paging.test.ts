import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { page_bytes_max, page_items_max, pageOf } from "./paging.ts";
import type { CatalogItem } from "./server-catalog.ts";

function item(name: string, bytes = 10): CatalogItem {
	return { name, bytes: Buffer.alloc(bytes) };
}

function sorted(names: Iterable<string>, bytes = 10): CatalogItem[] {
	return [...new Set(names)].sort((a, b) => (a < b ? -1 : 1)).map((name) => item(name, bytes));
}

function numbered(count: number, bytes = 10): CatalogItem[] {
	return sorted(
		Array.from({ length: count }, (_, index) => `t${String(index).padStart(6, "0")}`),
		bytes,
	);
}

/** All pages; `meanwhile` may swap the list between two of them. */
function readAll(
	list: readonly CatalogItem[],
	meanwhile: (page: number) => readonly CatalogItem[] = () => list,
): { pages: (readonly CatalogItem[])[]; names: string[] } {
	const pages: (readonly CatalogItem[])[] = [];
	let cursor: string | undefined;
	let current = list;
	do {
		const page = pageOf("tools", current, cursor);
		assert.ok(page.ok);
		pages.push(page.value.items);
		cursor = page.value.next_cursor;
		current = meanwhile(pages.length);
	} while (cursor !== undefined);
	return { pages, names: pages.flat().map(({ name }) => name) };
}

test("a short list is one page without a cursor", () => {
	assert.deepEqual(pageOf("tools", [], undefined), {
		ok: true,
		value: { items: [], next_cursor: undefined },
	});
	const list = numbered(page_items_max);
	assert.deepEqual(readAll(list).pages, [list]);
});

test("a page has at most so many items and bytes, and always at least one", () => {
	const many = readAll(numbered(2 * page_items_max + 1));
	assert.deepEqual(
		many.pages.map(({ length }) => length),
		[page_items_max, page_items_max, 1],
	);
	const heavy = readAll(numbered(10, page_bytes_max / 4));
	assert.deepEqual(
		heavy.pages.map(({ length }) => length),
		[4, 4, 2],
	);
	const huge = readAll(numbered(3, 2 * page_bytes_max));
	assert.deepEqual(
		huge.pages.map(({ length }) => length),
		[1, 1, 1],
	);
});

const some_names = fc.uniqueArray(fc.string({ unit: "binary", maxLength: 12 }), { maxLength: 40 });

test("the pages of a list are the list, whatever its names are", () => {
	fc.assert(
		fc.property(some_names, (names) => {
			const list = sorted(names, page_bytes_max / 3);
			assert.deepEqual(
				readAll(list).names,
				list.map(({ name }) => name),
			);
		}),
	);
});

test("a list that changes in between loses and repeats nothing that stays", () => {
	fc.assert(
		fc.property(some_names, fc.array(some_names, { maxLength: 4 }), (stay, others) => {
			const versions = others.map((names) => sorted([...stay, ...names], page_bytes_max / 2));
			const last = sorted(stay, page_bytes_max / 2);
			const { names } = readAll(versions[0] ?? last, (page) => versions[page] ?? last);
			assert.equal(new Set(names).size, names.length, "nothing twice");
			for (const name of stay) assert.ok(names.includes(name), "nothing lost");
		}),
	);
});

test("a cursor goes into a JSON text as it is", () => {
	fc.assert(
		fc.property(fc.string({ unit: "binary" }), (name) => {
			const list = sorted([name, `${name}\u{10ffff}z`], page_bytes_max);
			const page = pageOf("tools", list, undefined);
			assert.ok(page.ok);
			assert.match(page.value.next_cursor ?? "", /^[A-Za-z0-9_-]+$/);
		}),
	);
});

test("a cursor of one kind of list is none of another", () => {
	const list = numbered(page_items_max + 1);
	const kinds = ["tools", "prompts", "resources", "templates"] as const;
	for (const kind of kinds) {
		const page = pageOf(kind, list, undefined);
		assert.ok(page.ok);
		for (const other of kinds) {
			const next = pageOf(other, list, page.value.next_cursor);
			assert.equal(next.ok, other === kind, `${kind} given to ${other}`);
		}
	}
});

test("a cursor that nobody gave out is refused, and never throws", () => {
	const list = numbered(3);
	for (const cursor of ["", "1", "500", "null", "bW9vcmFnZQ", "%%%", "a".repeat(100_000)]) {
		assert.deepEqual(pageOf("tools", list, cursor), { ok: false, problem: "bad_cursor" });
	}
	fc.assert(
		fc.property(fc.string(), (cursor) => {
			assert.equal(pageOf("tools", list, cursor).ok, false);
		}),
	);
});
