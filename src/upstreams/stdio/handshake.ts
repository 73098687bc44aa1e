import { fail, type Result, succeed } from "../../lib/result.ts";
import { rpc_codes } from "../../protocol/codes.ts";
import type { Fault } from "../../protocol/fault.ts";
import { latest_modern_revision } from "../../protocol/revisions.ts";
import { composeNotification } from "../../wire/compose.ts";
import type { Message } from "../../wire/message.ts";
import type { DriverContext, Hello } from "../driver.ts";
import {
	composeDiscover,
	composeInitialize,
	envelopeOf,
	type HandshakeError,
	isModernError,
	namesLegacy,
	readDiscovered,
	readHandshakeError,
	readInitialized,
} from "../handshake.ts";
import { withEnvelope } from "../outgoing.ts";
import type { StdioConnection } from "./connection.ts";

/**
 * Finds out how to speak to a program that has just been started. The legacy handshake goes
 * first, because nearly every program that runs on a user's machine speaks it and some exit
 * on anything else; one that only speaks the modern revisions says so in its error.
 */
export async function shakeHands(
	connection: StdioConnection,
	context: DriverContext,
	wait_ms = context.start_ms,
): Promise<Result<Hello, Fault>> {
	const started_ms = context.clock.monotonic();
	const ask = (message: Message) => {
		const left_ms = wait_ms - (context.clock.monotonic() - started_ms);
		return exchange(connection, context, message, Math.max(1, left_ms));
	};
	const initialized = await ask(composeInitialize(context));
	if (!initialized.ok) return initialized;
	const refusal = readHandshakeError(initialized.value);
	if (refusal === undefined) {
		const hello = conclude(connection, readInitialized(initialized.value));
		if (hello.ok)
			connection.notify(composeNotification("notifications/initialized", undefined), []);
		return hello;
	}
	if (!isModernOnly(refusal)) return fail(refused(connection, refusal));
	const discovered = await ask(composeDiscover());
	if (!discovered.ok) return discovered;
	const error = readHandshakeError(discovered.value);
	if (error !== undefined) return fail(refused(connection, error));
	const said = readDiscovered(discovered.value);
	return conclude(
		connection,
		said ?? "answered server/discover without a modern revision, and refused initialize",
	);
}

/** What a program's answer to the modern handshake comes to. */
export type Discovered =
	| { readonly kind: "modern"; readonly hello: Hello }
	/** It speaks modern revisions only, but none that is known here. */
	| { readonly kind: "refused"; readonly fault: Fault }
	/** Nothing that a modern server does. `answered` is false when it ended or was silent. */
	| { readonly kind: "legacy"; readonly answered: boolean };

/**
 * Tries the modern handshake alone (versioning, 2026-07-28). Anything but its result or an
 * error that only modern servers give says that the server is a legacy one.
 */
export async function discover(
	connection: StdioConnection,
	context: DriverContext,
	wait_ms: number,
): Promise<Discovered> {
	const outcome = await exchange(connection, context, composeDiscover(), wait_ms);
	// An answer that is no valid message is one of a server that does not know the request.
	if (!outcome.ok) {
		return { kind: "legacy", answered: outcome.problem.code === "server_protocol" };
	}
	const error = readHandshakeError(outcome.value);
	if (error === undefined) {
		const hello = readDiscovered(outcome.value);
		if (hello === undefined) return { kind: "legacy", answered: true };
		if (typeof hello !== "string") return { kind: "modern", hello };
		return { kind: "refused", fault: connection.faults.protocol(hello) };
	}
	if (!isModernError(error.code) || namesLegacy(error)) return { kind: "legacy", answered: true };
	return { kind: "refused", fault: refused(connection, error) };
}

/** True when the answer to `initialize` says that only the modern revisions are spoken. */
function isModernOnly(error: HandshakeError): boolean {
	return (
		isModernError(error.code) ||
		error.code === rpc_codes.method_not_found ||
		(error.supported?.includes(latest_modern_revision) ?? false)
	);
}

async function exchange(
	connection: StdioConnection,
	context: DriverContext,
	message: Message,
	call_ms: number,
): Promise<Result<Message, Fault>> {
	const { signal, start_ms } = context;
	const plain = { message, edits: [], name: undefined, signal, call_ms };
	const modern = message.method === "server/discover";
	const request = modern ? withEnvelope(plain, envelopeOf(context)) : plain;
	const outcome = await connection.request(request);
	if (outcome.ok) return outcome;
	const { code } = outcome.problem;
	if (code === "call_timeout") {
		const reason = `did not answer ${message.method} within ${start_ms / 1000} s`;
		return fail(connection.faults.notStarted(reason));
	}
	if (code === "server_exited") {
		const { message: how = "exited", exit_code } = connection.ended ?? {};
		const reason = `${how} before it was ready`;
		return fail(connection.faults.notStarted(reason, { exit_code: exit_code ?? undefined }));
	}
	return outcome;
}

function conclude(connection: StdioConnection, hello: Hello | string): Result<Hello, Fault> {
	return typeof hello === "string" ? fail(connection.faults.protocol(hello)) : succeed(hello);
}

function refused(connection: StdioConnection, error: HandshakeError): Fault {
	if (error.supported !== undefined) {
		return connection.faults.noCommonRevision(error.supported.join(", ").slice(0, 200) || "none");
	}
	const what = `refused the handshake with error ${error.code}`;
	return connection.faults.protocol(what, undefined, error.message);
}
