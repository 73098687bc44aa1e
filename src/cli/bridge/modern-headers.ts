import { encodeHeaderValue, header_names, nameSource } from "../../protocol/headers.ts";
import { meta_keys } from "../../protocol/meta.ts";
import type { Message } from "../../wire/message.ts";
import { memberSpan, readString } from "../../wire/object.ts";

/** The revision a message names in its envelope; undefined for a legacy message. */
export function envelopeRevision(message: Message): string | undefined {
	return readString(message.bytes, memberSpan(message.meta, meta_keys.protocol_version));
}

/**
 * The headers that mirror a modern request's body (SEP-2243). A client on standard streams does
 * not have them; over HTTP they are required.
 */
export function modernHeaders(message: Message, revision: string): Record<string, string> {
	const method = message.method ?? "";
	const headers: Record<string, string> = {
		[header_names.protocol_version]: encodeHeaderValue(revision),
		[header_names.method]: encodeHeaderValue(method),
	};
	const source = nameSource(method);
	const name =
		source === undefined
			? undefined
			: readString(message.bytes, memberSpan(message.params, source));
	if (name !== undefined) headers[header_names.name] = encodeHeaderValue(name);
	return headers;
}
