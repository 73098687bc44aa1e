import assert from "node:assert/strict";
import { test } from "node:test";
import { nearestName } from "./nearest.ts";

const known = ["command", "args", "env", "url", "headers", "allowed_hosts", "servers"];

test("a mistyped name finds the one it means", () => {
	for (const [typed, meant] of [
		["comand", "command"],
		["cmomand", "command"],
		["Command", "command"],
		["arg", "args"],
		["enviro", undefined],
		["header", "headers"],
		["allowedHosts", "allowed_hosts"],
		["allowed-host", "allowed_hosts"],
		["server", "servers"],
	] as const) {
		assert.equal(nearestName(typed, known), meant, typed);
	}
});

test("a name that is like none finds none", () => {
	for (const typed of ["zebra", "x", "", "identity", "a".repeat(10_000)]) {
		assert.equal(nearestName(typed, known), undefined, typed.slice(0, 20));
	}
});
