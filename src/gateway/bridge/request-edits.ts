import { meta_keys, modern_request_meta_keys } from "../../protocol/meta.ts";
import type { Era } from "../../protocol/revisions.ts";
import type { Edit, Message } from "../../wire/message.ts";
import { objectEdits } from "../../wire/splice.ts";

/** Who a legacy client is, for a server that wants to hear it with every request. */
export interface Envelope {
	/** The revision spoken to the server. */
	readonly revision: string;
	/** Raw JSON objects. */
	readonly capabilities: string;
	readonly info: string;
	readonly log_level: string | undefined;
}

/**
 * The changes that carry a request from the client's era into the server's. Requests of the
 * same era pass as they are.
 */
export function requestEdits(
	message: Message,
	from: Era,
	to: Era,
	envelope: Envelope,
): readonly Edit[] {
	if (from === to) return [];
	return to === "modern" ? addEnvelope(message, envelope) : removeEnvelope(message);
}

/** Legacy to modern: the envelope every modern request carries (basic, 2026-07-28). */
function addEnvelope(message: Message, envelope: Envelope): Edit[] {
	const members: Record<string, string> = {
		[meta_keys.protocol_version]: JSON.stringify(envelope.revision),
		[meta_keys.client_capabilities]: envelope.capabilities,
		[meta_keys.client_info]: envelope.info,
	};
	if (envelope.log_level !== undefined) {
		members[meta_keys.log_level] = JSON.stringify(envelope.log_level);
	}
	if (message.meta !== undefined) {
		return objectEdits(message.bytes, message.meta, { set: members });
	}
	const meta = rawObject(members);
	if (message.params !== undefined) {
		return objectEdits(message.bytes, message.params, { set: { _meta: meta } });
	}
	return objectEdits(message.bytes, message.envelope, { set: { params: `{"_meta":${meta}}` } });
}

/** Members of params that only a modern server knows: the answers of earlier rounds. */
const round_members = ["inputResponses", "requestState"];

/** Modern to legacy: the envelope belongs to this hop and stays here. */
function removeEnvelope(message: Message): Edit[] {
	const { bytes, meta, params } = message;
	if (params === undefined) return [];
	const others = meta?.members.some(({ key }) => !modern_request_meta_keys.includes(key));
	if (meta === undefined || others !== true) {
		return objectEdits(bytes, params, { remove: ["_meta", ...round_members] });
	}
	return [
		...objectEdits(bytes, params, { remove: round_members }),
		...objectEdits(bytes, meta, { remove: modern_request_meta_keys }),
	];
}

function rawObject(members: Readonly<Record<string, string>>): string {
	const parts = Object.entries(members).map(([key, raw]) => `${JSON.stringify(key)}:${raw}`);
	return `{${parts.join(",")}}`;
}
