import type { IncomingHttpHeaders } from "node:http";
import { rpc_codes } from "../../protocol/codes.ts";
import { decodeHeaderValue, header_names, nameSource } from "../../protocol/headers.ts";
import { meta_keys } from "../../protocol/meta.ts";
import { modern_revisions } from "../../protocol/revisions.ts";
import type { Message } from "../../wire/message.ts";
import { memberSpan, readName, repeatedText } from "../../wire/object.ts";
import { type RpcErrorReply, rpcError } from "../call.ts";
import { isNamed } from "../checked-call.ts";
import { envelopeVersion, readHeader } from "./classify.ts";

/**
 * Everything a modern request has to say about itself, in the order the specification wants
 * it complained about: the envelope, the version, then the headers that mirror the body
 * (SEP-2243). Returns the first complaint.
 */
export function checkEnvelope(
	message: Message,
	headers: IncomingHttpHeaders,
): RpcErrorReply | undefined {
	return (
		envelopeProblem(message) ??
		versionMismatch(message, headers) ??
		methodMismatch(message, headers) ??
		unsupportedVersion(message) ??
		missingHeaders(message, headers) ??
		nameMismatch(message, headers)
	);
}

function envelopeProblem(message: Message): RpcErrorReply | undefined {
	if (envelopeVersion(message) === undefined) {
		return invalid(`params._meta["${meta_keys.protocol_version}"] must be a string`);
	}
	const capabilities = memberSpan(message.meta, meta_keys.client_capabilities);
	if (capabilities === undefined || message.bytes[capabilities.start] !== open_brace) {
		return invalid(`params._meta["${meta_keys.client_capabilities}"] must be an object`);
	}
	const info = memberSpan(message.meta, meta_keys.client_info);
	if (info === undefined) return undefined;
	if (isNamed(repeatedText(message.bytes, info))) return undefined;
	return invalid(`params._meta["${meta_keys.client_info}"] must have a name and a version`);
}

const open_brace = 0x7b;

function unsupportedVersion(message: Message): RpcErrorReply | undefined {
	const requested = envelopeVersion(message) as string;
	if (modern_revisions.includes(requested)) return undefined;
	return rpcError(
		rpc_codes.unsupported_protocol_version,
		`Protocol version ${requested} is not supported; use one of ${modern_revisions.join(", ")}`,
		{ supported: modern_revisions, requested },
	);
}

function versionMismatch(
	message: Message,
	headers: IncomingHttpHeaders,
): RpcErrorReply | undefined {
	const header = readHeader(headers, header_names.protocol_version);
	const body = envelopeVersion(message);
	if (header === undefined || header === body) return undefined;
	return mismatch(`the MCP-Protocol-Version header says ${header}, the body ${body}`);
}

function methodMismatch(message: Message, headers: IncomingHttpHeaders): RpcErrorReply | undefined {
	const header = readHeader(headers, header_names.method);
	if (header === undefined || header === message.method) return undefined;
	return mismatch(`the Mcp-Method header says ${header}, the body ${message.method}`);
}

function missingHeaders(message: Message, headers: IncomingHttpHeaders): RpcErrorReply | undefined {
	if (message.kind !== "request") return undefined;
	if (readHeader(headers, header_names.protocol_version) === undefined) {
		return mismatch("the MCP-Protocol-Version header is missing");
	}
	if (readHeader(headers, header_names.method) === undefined) {
		return mismatch("the Mcp-Method header is missing");
	}
	return undefined;
}

function nameMismatch(message: Message, headers: IncomingHttpHeaders): RpcErrorReply | undefined {
	if (message.kind !== "request") return undefined;
	const source = nameSource(message.method as string);
	if (source === undefined) return undefined;
	const body = readName(message.bytes, memberSpan(message.params, source));
	const header = readHeader(headers, header_names.name);
	if (header === undefined) {
		return body === undefined ? undefined : mismatch("the Mcp-Name header is missing");
	}
	const decoded = decodeHeaderValue(header);
	if (decoded === undefined) return mismatch("the Mcp-Name header holds invalid base64");
	if (body === undefined || decoded === body) return undefined;
	return mismatch(`the Mcp-Name header does not match params.${source}`);
}

function mismatch(text: string): RpcErrorReply {
	return rpcError(rpc_codes.header_mismatch, `Header mismatch: ${text}`);
}

function invalid(text: string): RpcErrorReply {
	return rpcError(rpc_codes.invalid_params, `Invalid params: ${text}`);
}
