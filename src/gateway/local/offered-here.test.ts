import assert from "node:assert/strict";
import { test } from "node:test";
import { offeredHere, withTasks } from "./offered-here.ts";

const tasks_extension = "io.modelcontextprotocol/tasks";

test("a modern client hears nothing of the tasks of a legacy revision", () => {
	const own = { tools: {}, tasks: { cancel: {} }, extensions: { "com.example/x": { a: 1 } } };
	const { tasks: _, ...others } = own;
	assert.deepEqual(offeredHere(own, "modern"), others);
	assert.deepEqual(offeredHere(own, "legacy"), own);
});

test("a legacy client hears nothing of the extension it cannot declare", () => {
	const own = { tools: {}, extensions: { [tasks_extension]: {}, "com.example/x": {} } };
	assert.deepEqual(offeredHere(own, "legacy"), { tools: {}, extensions: { "com.example/x": {} } });
	assert.deepEqual(offeredHere(own, "modern"), own);
});

test("what neither era has in its own way stays as it is", () => {
	const own = { tools: { listChanged: true }, experimental: { y: {} }, extensions: null };
	assert.equal(offeredHere(own, "legacy"), own);
	assert.equal(offeredHere(own, "modern"), own);
});

test("where calls wait for people, tasks are offered beside what the servers have", () => {
	const own = { tools: {}, extensions: { "com.example/x": { a: 1 } } };
	const extensions = { "com.example/x": { a: 1 }, [tasks_extension]: {} };
	assert.deepEqual(withTasks(own), { tools: {}, extensions });
	assert.deepEqual(withTasks({ extensions: null }), { extensions: { [tasks_extension]: {} } });
	const theirs = { extensions: { [tasks_extension]: { setting: 1 } } };
	assert.equal(withTasks(theirs), theirs);
});
