import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { TaskIds } from "./task-ids.ts";

const ids = new TaskIds(Buffer.alloc(32, 1));
const server_name = fc.stringMatching(/^[a-z][a-z0-9-]{0,10}$/);

test("a task is found again by its id, whatever the server calls it", () => {
	fc.assert(
		fc.property(server_name, fc.string({ minLength: 0 }), (server, task_id) => {
			const exposed = ids.expose("ada", { server, task_id });
			assert.deepEqual(ids.open("ada", exposed), { server, task_id });
			assert.equal(ids.expose("ada", { server, task_id }), exposed);
		}),
	);
});

test("an id is unknown to everybody but its owner", () => {
	const exposed = ids.expose("ada", { server: "jobs", task_id: "1" });
	assert.equal(ids.open("bob", exposed), undefined);
	assert.equal(new TaskIds(Buffer.alloc(32, 2)).open("ada", exposed), undefined);
});

test("a changed or invented id is no id", () => {
	const exposed = ids.expose("ada", { server: "jobs", task_id: "1" });
	for (const other of ["", "1", "jobs__1", `${exposed}1`, exposed.replace("jobs", "mail")]) {
		assert.equal(ids.open("ada", other), undefined, other);
	}
});
