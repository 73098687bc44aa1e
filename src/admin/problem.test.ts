import assert from "node:assert/strict";
import { test } from "node:test";
import { type FaultCode, fault_rpc_codes } from "../protocol/fault.ts";
import { problem_schema } from "./contract.ts";
import {
	type AdminProblemCode,
	problem_facts,
	problemDetails,
	problemOf,
	problemOfFault,
	problemResponse,
} from "./problem.ts";

const codes = Object.keys(problem_facts) as AdminProblemCode[];

test("every fault code and every code of the API has a status, a title and a remedy", () => {
	for (const code of Object.keys(fault_rpc_codes)) assert.ok(codes.includes(code as never), code);
	for (const code of codes) {
		const { status, title, next } = problem_facts[code];
		assert.ok(status >= 400 && status < 600, code);
		assert.match(title, /^[A-Z].*[^.]$/);
		assert.match(next, /^[A-Z].*[.]$/);
	}
});

test("every problem is one of RFC 9457, with a type of its own", () => {
	const types = new Set<string>();
	for (const code of codes) {
		const details = problemDetails(problemOf(code, "What happened."));
		assert.deepEqual(problem_schema.parse(details), details);
		assert.equal(details.detail, "What happened.");
		assert.equal(details.code, code);
		types.add(details.type);
	}
	assert.equal(types.size, codes.length);
});

test("a fault keeps its words and its id; its remedy names the server", () => {
	const fault = {
		code: "server_failed" satisfies FaultCode,
		message: "It failed.",
		detail: "private",
		level: "warn",
		id: "abc",
		server: "time",
		retry_safe: true,
	} as const;
	const problem = problemOfFault(fault);
	assert.deepEqual([problem.message, problem.error_id], ["It failed.", "abc"]);
	assert.match(problem.next, /moorage logs time/);
	assert.ok(!JSON.stringify(problemDetails(problem)).includes("private"));
	const { server: _, ...nameless } = fault;
	assert.match(problemOfFault(nameless).next, /moorage logs NAME/);
});

test("a response is never cached and says its own type", async () => {
	const response = problemResponse(problemOf("not_found", "Nothing."), { allow: "GET" });
	assert.equal(response.status, 404);
	assert.equal(response.headers.get("content-type"), "application/problem+json");
	assert.equal(response.headers.get("cache-control"), "no-store");
	assert.equal(response.headers.get("allow"), "GET");
	assert.equal(((await response.json()) as { status: number }).status, 404);
});

test("members that are not there are left out", () => {
	const plain = problemDetails(problemOf("internal", "x"));
	assert.deepEqual(Object.keys(plain), ["type", "title", "status", "detail", "code", "next"]);
	const config = [{ file: "f", line: 1, column: 1, message: "m", next: "n" }];
	const full = problemDetails({
		...problemOf("rpc_error", "x"),
		error_id: "i",
		rpc_code: 5,
		config,
	});
	assert.deepEqual([full.error_id, full["rpc_code"], full.config], ["i", 5, config]);
});
