import { rpc_codes } from "../protocol/codes.ts";
import { meta_keys } from "../protocol/meta.ts";
import {
	eraOf,
	latest_legacy_revision,
	latest_modern_revision,
	legacy_revisions,
	modern_revisions,
} from "../protocol/revisions.ts";
import { composeRequest } from "../wire/compose.ts";
import type { Message } from "../wire/message.ts";
import {
	indexObject,
	memberSpan,
	rawText,
	readJson,
	readJsonText,
	readString,
} from "../wire/object.ts";
import type { DriverContext, Hello } from "./driver.ts";
import type { Envelope } from "./outgoing.ts";

/**
 * The two handshakes, as messages: what is sent, and what the answer says. In which order they
 * are tried depends on the transport.
 */

/** The legacy handshake (lifecycle, 2025-11-25). */
export function composeInitialize(context: DriverContext): Message {
	const params =
		`{"protocolVersion":"${latest_legacy_revision}",` +
		`"capabilities":${context.client_capabilities},"clientInfo":${context.client_info}}`;
	return composeRequest("0", "initialize", params);
}

/** What a modern server is told with every request when the request does not say it. */
export function envelopeOf(context: DriverContext, revision = latest_modern_revision): Envelope {
	const { client_capabilities: capabilities, client_info: info } = context;
	return { revision, capabilities, info };
}

/** The modern handshake (server/discover, 2026-07-28); the envelope is added when it is sent. */
export function composeDiscover(): Message {
	return composeRequest("0", "server/discover", undefined);
}

/** Asks a legacy server for a sign of life. */
export function composePing(): Message {
	return composeRequest("0", "ping", undefined);
}

/** What an answer to `initialize` says; a text says what is wrong with it. */
export function readInitialized(reply: Message): Hello | string {
	const { bytes, result } = reply;
	const revision = readString(bytes, memberSpan(result, "protocolVersion"));
	if (revision === undefined) return "answered initialize without a protocol version";
	// Any legacy revision can be spoken: what a revision lacks is a matter of capabilities.
	if (eraOf(revision) !== "legacy" || !/^\d{4}-\d{2}-\d{2}$/.test(revision)) {
		return `answered initialize with the unknown revision ${JSON.stringify(revision.slice(0, 40))}`;
	}
	return {
		era: "legacy",
		revision,
		capabilities: rawObject(reply, "capabilities"),
		server_info: named(rawObject(reply, "serverInfo")),
		instructions: readString(bytes, memberSpan(result, "instructions")),
	};
}

/**
 * What an answer to `server/discover` says: the newest modern revision both sides speak.
 * Undefined when no modern server answers like that: some legacy servers give an empty result
 * to whatever they do not know, and others name the revisions they speak.
 */
export function readDiscovered(reply: Message): Hello | string | undefined {
	const { bytes, result, meta } = reply;
	const offered = stringsAt(readJson(bytes, memberSpan(result, "supportedVersions")));
	if (offered === undefined) return undefined;
	const revision = modern_revisions.find((candidate) => offered.includes(candidate));
	if (revision === undefined) {
		const speaks_legacy = offered.some((candidate) => legacy_revisions.includes(candidate));
		return speaks_legacy ? undefined : "answered server/discover without a revision known here";
	}
	const info = memberSpan(meta, meta_keys.server_info);
	return {
		era: "modern",
		revision,
		capabilities: rawObject(reply, "capabilities"),
		server_info: named(info === undefined ? "{}" : rawText(bytes, info)),
		instructions: readString(bytes, memberSpan(result, "instructions")),
	};
}

/** A handshake's error, as far as it tells the era of the server. */
export interface HandshakeError {
	readonly code: number;
	/** The revisions it names, if it names any. */
	readonly supported: readonly string[] | undefined;
	/** For the log. */
	readonly message: string;
}

/** Reads the error of a reply; undefined when it is a result. */
export function readHandshakeError(reply: Message): HandshakeError | undefined {
	const { bytes, error } = reply;
	if (error === undefined) return undefined;
	const code = readJson(bytes, memberSpan(error, "code"));
	const data = memberSpan(error, "data");
	const members = data === undefined ? undefined : indexObject(bytes, data);
	const message = readString(bytes, memberSpan(error, "message")) ?? "";
	return {
		code: typeof code === "number" ? code : 0,
		supported: stringsAt(readJson(bytes, memberSpan(members, "supported"))),
		message: message.slice(0, 500),
	};
}

/** True for the errors that only a modern server gives (basic, error codes). */
export function isModernError(code: number): boolean {
	return (
		code === rpc_codes.header_mismatch ||
		code === rpc_codes.missing_client_capability ||
		code === rpc_codes.unsupported_protocol_version
	);
}

/** The newest modern revision that an error for an unknown revision offers instead. */
export function offeredInstead(error: HandshakeError): string | undefined {
	if (error.code !== rpc_codes.unsupported_protocol_version) return undefined;
	return modern_revisions.find((candidate) => error.supported?.includes(candidate));
}

/** True when the error leaves hope that the server speaks a legacy revision. */
export function namesLegacy(error: HandshakeError): boolean {
	return error.supported?.some((revision) => legacy_revisions.includes(revision)) ?? false;
}

function rawObject(reply: Message, key: string): string {
	const span = memberSpan(reply.result, key);
	if (span === undefined || indexObject(reply.bytes, span) === undefined) return "{}";
	return rawText(reply.bytes, span);
}

/**
 * What a server calls itself, byte for byte; one that leaves out its name or version gets
 * something in its place, because clients refuse an introduction without them.
 */
function named(server_info: string): string {
	const info = (readJsonText(server_info) ?? {}) as Record<string, unknown>;
	const { name, version } = info;
	if (typeof name === "string" && typeof version === "string") return server_info;
	return JSON.stringify({
		...(typeof info === "object" ? info : {}),
		name: typeof name === "string" ? name : "unnamed",
		version: typeof version === "string" ? version : "unknown",
	});
}

function stringsAt(value: unknown): string[] | undefined {
	if (!Array.isArray(value)) return undefined;
	return value.filter((item) => typeof item === "string").slice(0, 100);
}
