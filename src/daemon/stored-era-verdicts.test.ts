import assert from "node:assert/strict";
import { test } from "node:test";
import { FakeClock, settle } from "../../test/support/fake-clock.ts";
import { QuietLog } from "../../test/support/quiet-log.ts";
import { storedEraVerdicts } from "./stored-era-verdicts.ts";

const clock = new FakeClock();
const log = new QuietLog();

function memory() {
	const values = new Map<string, string>();
	const set = async (key: string, value: string) => {
		await settle();
		values.set(key, value);
	};
	return { values, get: async (key: string) => values.get(key), set };
}

test("verdicts are there again after a restart, the newest state of many", async () => {
	const meta = memory();
	const verdicts = await storedEraVerdicts({ meta, clock, log });
	verdicts.set("a", "legacy");
	verdicts.set("b", "modern");
	verdicts.set("a", "modern");
	while (!(meta.values.get("era_verdicts") ?? "").includes('"b"')) await settle();
	const later = await storedEraVerdicts({ meta, clock, log });
	assert.equal(later.get("a"), "modern");
	assert.equal(later.get("b"), "modern");
});

test("a store that fails costs nothing but the knowledge", async () => {
	const broken = () => Promise.reject(new Error("disk full"));
	const verdicts = await storedEraVerdicts({ meta: { get: broken, set: broken }, clock, log });
	verdicts.set("a", "legacy");
	await settle();
	assert.equal(verdicts.get("a"), "legacy");
});
