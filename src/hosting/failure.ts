import { counted } from "../lib/counted.ts";
import type { Random } from "../lib/random.ts";
import { type Fault, type FaultCode, makeFault } from "../protocol/fault.ts";
import type { Redactor } from "../secrets/redactor.ts";
import type { GoneReason } from "../upstreams/driver.ts";

/** Why a server could not be used, kept until it can be used again. */
export interface Failure {
	readonly code: FaultCode;
	/** A whole sentence for people. Never contains what the server printed. */
	readonly reason: string;
	/** What the server itself said of it, perhaps: for the log and operators only. */
	readonly detail: string | undefined;
	/** True when trying again soon cannot help: something must be installed or changed. */
	readonly final: boolean;
	/** Of a program that ended by itself. */
	readonly exit_code?: number | undefined;
}

/** Codes that say more to a caller than `server_failed` does. */
const telling_codes: ReadonlySet<FaultCode> = new Set<FaultCode>([
	"command_missing",
	"install_failed",
	"isolation_missing",
	"package_changed",
	"secret_unavailable",
	"server_unreachable",
	"server_rejected",
	"authorization_required",
	"authorization_failed",
	"not_supported",
]);

/** Codes after which a quick second try is pointless. */
const final_codes: ReadonlySet<FaultCode> = new Set<FaultCode>([
	"command_missing",
	"install_failed",
	"isolation_missing",
	"package_changed",
	"not_supported",
	"secret_unavailable",
]);

/** Somebody has switched the server off; `why` is a sentence. */
export function serverOff(random: Random, server: string, why: string): Fault {
	const parts = { code: "switched_off", message: why, level: "info", server } as const;
	return makeFault(random, { ...parts, retry_safe: true });
}

/** A start or an install that ended in a fault. */
export function failureOfFault(fault: Fault): Failure {
	return {
		code: telling_codes.has(fault.code) ? fault.code : "server_failed",
		reason: asSentence(fault.message),
		detail: fault.detail,
		final: final_codes.has(fault.code),
		exit_code: fault.exit_code,
	};
}

/** A running instance that went away by itself. */
export function failureOfGone(server: string, gone: GoneReason): Failure {
	return {
		code: "server_failed",
		reason: asSentence(`The server "${server}" ${gone.message}`),
		detail: undefined,
		final: false,
		exit_code: gone.exit_code ?? undefined,
	};
}

/** Something that took longer than it may. */
export function failureOfTime(server: string, what: string, code: FaultCode): Failure {
	return {
		code,
		reason: `The server "${server}" ${what}.`,
		detail: undefined,
		final: final_codes.has(code),
	};
}

/** The same failure without secrets: it is kept, shown and sent to callers. */
export function safeFailure(redactor: Redactor, failure: Failure): Failure {
	const { reason, detail } = failure;
	return {
		...failure,
		reason: redactor.text(reason),
		detail: detail === undefined ? undefined : redactor.text(detail),
	};
}

/** The answer to a caller of a server that is not usable now. */
export function unavailable(
	random: Random,
	server: string,
	failure: Failure,
	retry_in_ms: number | undefined,
): Fault {
	const next =
		retry_in_ms === undefined || retry_in_ms <= 0
			? "It is being tried again"
			: `It is tried again in about ${Math.ceil(retry_in_ms / 1000)} s`;
	return makeFault(random, {
		code: failure.code,
		message: `${failure.reason} ${next}; \`moorage logs ${server}\` shows more.`,
		detail: failure.detail,
		// The change of state was logged when it happened; each refused caller is only noise.
		level: "debug",
		server,
		retry_safe: true,
	});
}

/** Nobody in particular asks for a server that is used with accounts of people. */
export function onlyForPeople(random: Random, server: string): Fault {
	return makeFault(random, {
		code: "authorization_required",
		message:
			`The server "${server}" is used with accounts of people: each connects their own, on the ` +
			"gateway's page /oauth/connect.",
		level: "debug",
		server,
		retry_safe: true,
	});
}

/**
 * It did not become ready within the time the caller may wait. `before` is what the last try came
 * to: whoever waits for a server that fails at every start should not think that it is only slow.
 */
export function stillStarting(
	random: Random,
	server: string,
	wait_ms: number,
	before?: Failure,
): Fault {
	const last = before === undefined ? "" : `The last try failed: ${before.reason} `;
	return makeFault(random, {
		code: "server_starting",
		message:
			`The server "${server}" is still starting after ${wait_ms} ms. ${last}Try again in a few ` +
			`seconds; \`moorage logs ${server}\` shows what it is doing.`,
		level: "info",
		server,
		retry_safe: true,
	});
}

/** A caller that is turned away is told to come back no sooner than this. */
const retry_after_ms = 1_000;

/** As many calls wait for one instance as may. */
export function queueFull(random: Random, server: string, waiting_max: number): Fault {
	return makeFault(random, {
		code: "queue_full",
		message:
			`The server "${server}" has ${counted(waiting_max, "call")} waiting for it, which is as many as may. ` +
			"Try again when some of them have been answered. `queue` of the server sets how many " +
			"may wait, `concurrency` and `replicas` how many are worked on.",
		level: "warn",
		server,
		retry_safe: true,
		retry_after_ms,
	});
}

/** Its turn did not come within the time it may wait. */
export function waitedTooLong(random: Random, server: string, waited_ms: number): Fault {
	return makeFault(random, {
		code: "queue_full",
		message:
			`The call waited ${waited_ms} ms for its turn at the server "${server}", behind other ` +
			"calls. Try again when there are fewer of them.",
		level: "warn",
		server,
		retry_safe: true,
		retry_after_ms,
	});
}

/** As many instances exist as one server may have, and all of them are in use. */
export function tooManyInstances(random: Random, server: string, instances_max: number): Fault {
	return makeFault(random, {
		code: "overloaded",
		message:
			`The server "${server}" already runs ${counted(instances_max, "separate instance")}, which is as ` +
			"many as may, and all are in use. Close clients that are no longer needed, then try again.",
		level: "warn",
		server,
		retry_safe: true,
		retry_after_ms,
	});
}

/** The caller no longer wants the answer. */
export function cancelledWaiting(random: Random, server: string): Fault {
	return makeFault(random, {
		code: "call_cancelled",
		message: `The call was cancelled while it waited for the server "${server}".`,
		level: "debug",
		server,
		retry_safe: true,
	});
}

/** What is said of a server that is started again after some time, at the end of a sentence. */
const promise =
	/[;.] (?:(?:Moorage tries again|the server starts) by itself(?: afterwards)?|It is tried again when the server is wanted again)\./giu;

/** A new version did not become ready; what ran before runs on. */
export function trialFailed(random: Random, server: string, reason: string): Fault {
	return makeFault(random, {
		code: "server_failed",
		// Nobody starts a version again that was given up.
		message: withoutPromise(reason),
		level: "warn",
		server,
		retry_safe: true,
	});
}

/** The same of something that nobody tries again. */
export function withoutPromise(reason: string): string {
	return reason.replace(promise, ".");
}

/** A new version was given up before it could take over. */
export function trialGivenUp(random: Random, server: string, why: string): Fault {
	return makeFault(random, {
		code: "server_failed",
		message: `The new version of "${server}" was given up: ${why}.`,
		level: "info",
		server,
		retry_safe: true,
	});
}

/** A call that waited for a version that another has replaced; whoever waits asks anew. */
export function replaced(random: Random, server: string): Fault {
	return makeFault(random, {
		code: "server_starting",
		message: `A new version of "${server}" has taken over. Try again.`,
		level: "debug",
		server,
		retry_safe: true,
	});
}

/** No such server, or no longer. */
export function unknownServer(random: Random, server: string): Fault {
	return makeFault(random, {
		code: "server_unknown",
		message: `There is no server "${server}". \`moorage ls\` shows the servers there are.`,
		level: "info",
		server,
		retry_safe: true,
	});
}

/** The gateway is on its way down. */
export function gatewayStopping(random: Random, server: string): Fault {
	return makeFault(random, {
		code: "gateway_stopping",
		message: "The gateway is shutting down. Try again when it is back.",
		level: "info",
		server,
		retry_safe: true,
	});
}

function asSentence(text: string): string {
	const trimmed = text.trim();
	return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

/** What a server is to blame for that could not be had: not its callers, nor how many they are. */
const against_codes: ReadonlySet<FaultCode> = new Set([
	"server_starting",
	"server_failed",
	"server_exited",
	"server_unreachable",
	"server_protocol",
	"server_rejected",
	"command_missing",
	"isolation_missing",
	"install_failed",
	"package_changed",
	"secret_unavailable",
]);

/** Whether it is held against a new version of a server that a caller could not have it. */
export function speaksAgainst({ code }: Fault): boolean {
	return against_codes.has(code);
}
