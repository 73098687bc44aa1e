import assert from "node:assert/strict";
import { test } from "node:test";
import { engineAdvice } from "./engine-problem.ts";

test("a refusal comes with what to do about it, where that is known", () => {
	const adviceOn = (message: string, status = 500) =>
		engineAdvice({ kind: "refused", status, message });
	assert.match(
		adviceOn("container-init binary not found on the host: stat /usr/libexec/podman/catatonit"),
		/^ Install .*catatonit/,
	);
	for (const said of [
		"Unknown runtime specified runsc",
		"unknown or invalid runtime name: runsc",
	]) {
		assert.match(adviceOn(said, 400), /^ Install that runtime .* leave `runtime` out\.$/);
	}
	assert.match(adviceOn("No such image: a", 404), /^ Run moorage restart /);
	assert.equal(adviceOn("the disk is full"), "");
	assert.equal(engineAdvice({ kind: "broken", detail: "ECONNRESET" }), "");
});
