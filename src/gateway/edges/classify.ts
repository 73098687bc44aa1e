import type { IncomingHttpHeaders } from "node:http";
import { rpc_codes } from "../../protocol/codes.ts";
import { header_names, trimOptionalWhitespace } from "../../protocol/headers.ts";
import { meta_keys } from "../../protocol/meta.ts";
import { type Era, eraOf } from "../../protocol/revisions.ts";
import type { Message } from "../../wire/message.ts";
import { memberSpan, readName } from "../../wire/object.ts";
import { type RpcErrorReply, rpcError } from "../call.ts";

/** Which edge a message belongs to, or why it belongs to none. */
export type Classified =
	| { readonly kind: Era }
	| { readonly kind: "rejected"; readonly reply: RpcErrorReply };

/**
 * Decides the era of one posted message by its body first: the envelope in `_meta` makes a
 * request modern, `initialize` without one is the legacy handshake, and a modern version
 * header without an envelope is a broken modern request (versioning, 2026-07-28).
 */
export function classify(message: Message, headers: IncomingHttpHeaders): Classified {
	if (message.kind === "result" || message.kind === "error") return { kind: "legacy" };
	const header_version = readHeader(headers, header_names.protocol_version);
	const header_is_modern = header_version !== undefined && eraOf(header_version) === "modern";
	const has_envelope = memberSpan(message.meta, meta_keys.protocol_version) !== undefined;
	const claimed = envelopeVersion(message);
	if (message.method === "initialize" && !(claimed !== undefined && eraOf(claimed) === "modern")) {
		if (!header_is_modern) return { kind: "legacy" };
		const text = `initialize is a legacy request, but the header names ${header_version}`;
		return rejected(rpcError(rpc_codes.header_mismatch, text));
	}
	if (has_envelope) return { kind: "modern" };
	if (!header_is_modern) return { kind: "legacy" };
	// Clients may post notifications without an envelope; there is nothing to check in them.
	if (message.kind === "notification") return { kind: "modern" };
	const text =
		`The MCP-Protocol-Version header names ${header_version}, but params._meta lacks ` +
		`"${meta_keys.protocol_version}" and its companions`;
	return rejected(rpcError(rpc_codes.invalid_params, text));
}

/** The revision named in a message's envelope. */
export function envelopeVersion(message: Message): string | undefined {
	return readName(message.bytes, memberSpan(message.meta, meta_keys.protocol_version));
}

/** One header's value without surrounding blanks; undefined when it is absent. */
export function readHeader(headers: IncomingHttpHeaders, name: string): string | undefined {
	const value = headers[name];
	if (value === undefined) return undefined;
	return trimOptionalWhitespace(Array.isArray(value) ? value.join(", ") : value);
}

function rejected(reply: RpcErrorReply): Classified {
	return { kind: "rejected", reply };
}
