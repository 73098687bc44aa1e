import assert from "node:assert/strict";
import { test } from "node:test";
import { SeededRandom } from "../../test/support/seeded-random.ts";
import { type FaultCode, makeFault } from "../protocol/fault.ts";
import { redacted, SecretRedactor } from "../secrets/redactor.ts";
import {
	cancelledWaiting,
	failureOfFault,
	failureOfGone,
	gatewayStopping,
	queueFull,
	safeFailure,
	stillStarting,
	tooManyInstances,
	trialFailed,
	unavailable,
	unknownServer,
} from "./failure.ts";
import { failureSentence } from "./packages/failure.ts";
import { programSentence } from "./process/find-program.ts";

const random = new SeededRandom(1);

function fault(code: FaultCode, message = "It broke") {
	return makeFault(random, { code, message, detail: "inside", level: "warn", retry_safe: true });
}

test("a failure is kept without the secrets in its reason and detail", () => {
	const redactor = new SecretRedactor();
	redactor.add("known-s3cret");
	const failure = failureOfFault(fault("server_failed", "known-s3cret is wrong"));
	const safe = safeFailure(redactor, { ...failure, detail: "by known-s3cret" });
	assert.equal(safe.reason, `${redacted} is wrong.`);
	assert.equal(safe.detail, `by ${redacted}`);
});

test("codes that tell a caller something are kept, the others become server_failed", () => {
	const codes: [FaultCode, FaultCode, boolean][] = [
		["command_missing", "command_missing", true],
		["install_failed", "install_failed", true],
		["not_supported", "not_supported", true],
		["server_unreachable", "server_unreachable", false],
		["server_rejected", "server_rejected", false],
		["server_exited", "server_failed", false],
		["server_starting", "server_failed", false],
		["server_protocol", "server_failed", false],
		["internal", "server_failed", false],
	];
	for (const [code, shown, final] of codes) {
		const failure = failureOfFault(fault(code));
		assert.deepEqual([failure.code, failure.final], [shown, final], code);
		assert.equal(failure.reason, "It broke.");
		assert.equal(failure.detail, "inside");
	}
});

test("a reason is one whole sentence, whoever wrote it", () => {
	const gone = (message: string) => {
		return failureOfGone("time", { message, exit_code: 1, signal: null }).reason;
	};
	assert.equal(gone("exited with code 1"), 'The server "time" exited with code 1.');
	assert.equal(gone("was killed by SIGKILL. "), 'The server "time" was killed by SIGKILL.');
	assert.equal(failureOfFault(fault("server_exited", "Gone!")).reason, "Gone!");
});

test("a refused caller learns the reason, the time of the next try and where to look", () => {
	const failure = failureOfFault(fault("server_exited"));
	assert.equal(
		unavailable(random, "time", failure, 1_200).message,
		"It broke. It is tried again in about 2 s; `moorage logs time` shows more.",
	);
	for (const retry_in_ms of [undefined, 0, -5]) {
		assert.equal(
			unavailable(random, "time", failure, retry_in_ms).message,
			"It broke. It is being tried again; `moorage logs time` shows more.",
		);
	}
});

test("every refusal names its server, can be repeated safely and has an id of its own", () => {
	const faults = [
		unavailable(random, "time", failureOfFault(fault("server_exited")), 1),
		stillStarting(random, "time", 5_000),
		queueFull(random, "time", 64),
		tooManyInstances(random, "time", 64),
		cancelledWaiting(random, "time"),
		unknownServer(random, "time"),
		gatewayStopping(random, "time"),
	];
	for (const { server, retry_safe, message } of faults) {
		assert.equal(server, "time");
		assert.equal(retry_safe, true);
		assert.match(message, /^[A-Z].*\.$/s);
	}
	assert.equal(new Set(faults.map(({ id }) => id)).size, faults.length);
	assert.equal(new Set(faults.map(({ code }) => code)).size, faults.length);
});

test("a version that is given up promises no further try", () => {
	const said = (reason: string) => trialFailed(random, "a", reason).message;
	const failure = { kind: "offline", line: "ENOTFOUND" } as const;
	assert.match(
		failureSentence("x@1", failure),
		/proxy settings; Moorage tries again by itself\.$/u,
	);
	assert.match(said(failureSentence("x@1", failure)), /failed: ENOTFOUND\..* proxy settings\.$/u);
	const missing = programSentence({ kind: "missing", command: "uvx" });
	assert.match(missing, /; the server starts by itself afterwards\.$/u);
	assert.match(said(missing), /Install it, or give its full path\.$/u);
	const no_installer = "uvx is not installed; install uv. The server starts by itself afterwards.";
	assert.equal(said(no_installer), "uvx is not installed; install uv.");
	assert.equal(said("It exited with code 1."), "It exited with code 1.");
	const aborted = failureSentence("x@1", { kind: "aborted", line: "" });
	assert.match(aborted, /wanted again\.$/u);
	assert.equal(said(aborted), "Installing x@1 failed.");
});
