import assert from "node:assert/strict";
import { test } from "node:test";
import type { FailureKind } from "./failure.ts";
import { explainNpm, explainUv, failureSentence } from "./failure.ts";

function npmJson(code: string, summary: string): string {
	return JSON.stringify({ error: { code, summary, detail: "more" } });
}

test("npm's own error report is read", () => {
	const table: [string, string, FailureKind][] = [
		["E404", "Not Found - GET http://registry/nosuch", "not_found"],
		["ETARGET", "No matching version found for a@99.", "no_version"],
		["ENOTFOUND", "request to http://registry/a failed, reason: getaddrinfo", "offline"],
		["ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:9", "offline"],
		["EINTEGRITY", "sha512-x integrity checksum failed", "integrity"],
		["ENOSPC", "no space left on device, write", "disk_full"],
		["E401", "Unable to authenticate", "refused"],
		["SELF_SIGNED_CERT_IN_CHAIN", "self-signed certificate", "certificate"],
		["EACCES", "permission denied, mkdir", "no_permission"],
		["EBADPLATFORM", "Unsupported platform for a@1: wanted darwin", "platform"],
		["EWEIRD", "something new", "other"],
	];
	for (const [code, summary, kind] of table) {
		assert.deepEqual(explainNpm(npmJson(code, summary), "npm error ignored"), {
			kind,
			line: summary,
		});
	}
});

test("without a report npm's lines have to do", () => {
	const stderr = [
		"npm warn Unknown user config",
		"npm error code ENOTFOUND",
		"npm error syscall getaddrinfo",
		"npm error network request to http://r/a failed, reason: getaddrinfo ENOTFOUND r",
		"npm error A complete log of this run can be found in: /home/me/log",
		"",
	].join("\n");
	assert.deepEqual(explainNpm("", stderr), {
		kind: "offline",
		line: "network request to http://r/a failed, reason: getaddrinfo ENOTFOUND r",
	});
	assert.deepEqual(explainNpm("{ half", "npm ERR! code E404\nnpm ERR! 404 Not Found"), {
		kind: "not_found",
		line: "404 Not Found",
	});
	assert.deepEqual(explainNpm("", ""), { kind: "other", line: "" });
	assert.deepEqual(explainNpm('{"error":{}}', "Segmentation fault"), {
		kind: "other",
		line: "Segmentation fault",
	});
	assert.equal(explainNpm("{}", "npm error code E403").line, "E403");
});

test("uv's chain of causes is read to its root", () => {
	const table: [string, FailureKind, string][] = [
		[
			"error: No solution found when resolving dependencies\n  cause: Because nosuch was not " +
				"found in the package registry and you require nosuch, we can conclude that your " +
				"requirements are unsatisfiable.",
			"not_found",
			"Because nosuch was not found in the package registry and you require nosuch, we can " +
				"conclude that your requirements are unsatisfiable.",
		],
		[
			"error: No solution found\n  cause: Because there is no version of a==99 and you require it",
			"no_version",
			"Because there is no version of a==99 and you require it",
		],
		[
			"error: Request failed after 3 retries\n  cause: Failed to fetch: http://u:p@r/simple/a/\n" +
				"  cause: client error (Connect)\n  cause: Connection refused (os error 111)",
			"offline",
			"Connection refused (os error 111)",
		],
		[
			"error: No solution found when resolving dependencies\n  cause: Because a was not found in " +
				"the cache and you require a, we can conclude that it is unsatisfiable.",
			"offline",
			"Because a was not found in the cache and you require a, we can conclude that it is " +
				"unsatisfiable.",
		],
		[
			"error: No interpreter found for Python 3.99 in managed installations\n\nhint: update",
			"no_python",
			"No interpreter found for Python 3.99 in managed installations",
		],
		[
			" + six==1\nNo executables are provided by package `six`; removing tool\n" +
				"error: Failed to install entrypoints for `six`",
			"no_program",
			"No executables are provided by package `six`; removing tool",
		],
		[
			"error: Failed to write\n  Caused by: No space left on device",
			"disk_full",
			"No space left on device",
		],
		["error: Hash mismatch for `a`", "integrity", "Hash mismatch for `a`"],
		[
			"error: No solution found\n  cause: Because all versions of a have no usable wheels and " +
				"you require a\n\nhint: Wheels are required for `a` because building is disabled",
			"no_wheel",
			"Because all versions of a have no usable wheels and you require a",
		],
		[
			"error: No solution found\n  cause: Because a==1 has no wheels with a matching platform " +
				"tag (e.g., `manylinux_2_36_x86_64`) and you require a==1",
			"platform",
			"Because a==1 has no wheels with a matching platform tag (e.g., " +
				"`manylinux_2_36_x86_64`) and you require a==1",
		],
		[
			"error: invalid peer certificate: UnknownIssuer",
			"certificate",
			"invalid peer certificate: UnknownIssuer",
		],
		["error: 403 Forbidden", "refused", "403 Forbidden"],
		["thread 'main' panicked", "other", "thread 'main' panicked"],
		["", "other", ""],
	];
	for (const [stderr, kind, line] of table) {
		assert.deepEqual(explainUv("", stderr), { kind, line }, stderr);
	}
});

test("every failure is a sentence with the installer's words and what to do", () => {
	const kinds: FailureKind[] = ["offline", "not_found", "disk_full", "integrity", "late", "other"];
	const sentences = kinds.map((kind) => failureSentence("a@1", { kind, line: "It broke." }));
	for (const sentence of sentences) {
		assert.match(sentence, /^Installing a@1 failed: It broke\. [A-Z].*\.$/u);
	}
	assert.equal(new Set(sentences).size, kinds.length);
	assert.match(failureSentence("a", { kind: "other", line: "" }), /^Installing a failed\. /u);
});

test("credentials, colours and endless lines do not get into a sentence", () => {
	const noisy = "\u001b[31merror\u001b[0m: GET https://me:secret@r/a\u0007 failed";
	assert.equal(explainNpm("", noisy).line, "error: GET https://r/a failed");
	assert.equal(explainNpm("", "x".repeat(5_000)).line.length, 301);
});
