import assert from "node:assert/strict";
import { test } from "node:test";
import { ApiProblem } from "./api.ts";
import { placed } from "./fields.ts";

function problem(code: string, errors?: { field: string; message: string }[]): ApiProblem {
	return new ApiProblem({
		code,
		status: 400,
		detail: "No.",
		next: "Else.",
		...(errors && { errors }),
	});
}

test("a mistake stands at its field, and nothing is told twice", () => {
	const wrong = problem("invalid_request", [
		{ field: "user", message: "Not a name." },
		{ field: "roles.0", message: "Not a role." },
		{ field: "roles.2", message: "Nor this." },
	]);
	const { at, rest } = placed(wrong, ["user", "roles", "password"]);
	assert.deepEqual(at, { user: "Not a name.", roles: "Not a role. Nor this." });
	assert.equal(rest, undefined);
});

test("what is about no field of the form is told beside it", () => {
	const wrong = problem("invalid_request", [
		{ field: "user", message: "Not a name." },
		{ field: "users", message: "Another." },
	]);
	assert.deepEqual(placed(wrong, ["user"]).at, { user: "Not a name." });
	assert.equal(placed(wrong, ["user"]).rest, wrong);
	const other = problem("not_stored");
	assert.deepEqual(placed(other, ["user"]), { at: {}, rest: other });
	assert.deepEqual(placed(undefined, ["user"]), { at: {}, rest: undefined });
});

test("a refusal that names no member goes to the field that its code is about", () => {
	const { at, rest } = placed(problem("server_exists"), ["name"], { server_exists: "name" });
	assert.deepEqual(at, { name: "No. Else." });
	assert.equal(rest, undefined);
});
