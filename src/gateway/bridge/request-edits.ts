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
	also: MetaChange = {},
): readonly Edit[] {
	if (from === to) return metaEdits(message, also);
	return to === "modern" ? addEnvelope(message, envelope, also) : removeEnvelope(message, also);
}

/** Changes of `_meta` beside the envelope's; values are raw JSON. */
export interface MetaChange {
	readonly set?: Readonly<Record<string, string>>;
	readonly remove?: readonly string[];
}

/** The edits that change `_meta` and nothing else; it is made where there is none. */
export function metaEdits(message: Message, { set = {}, remove = [] }: MetaChange): Edit[] {
	const { bytes, meta, params, envelope } = message;
	if (meta !== undefined) return objectEdits(bytes, meta, { set, remove });
	if (Object.keys(set).length === 0) return [];
	const text = rawObject(set);
	if (params !== undefined) return objectEdits(bytes, params, { set: { _meta: text } });
	return objectEdits(bytes, envelope, { set: { params: `{"_meta":${text}}` } });
}

/** Legacy to modern: the envelope every modern request carries (basic, 2026-07-28). */
function addEnvelope(message: Message, envelope: Envelope, also: MetaChange): Edit[] {
	const members: Record<string, string> = {
		...also.set,
		[meta_keys.protocol_version]: JSON.stringify(envelope.revision),
		[meta_keys.client_capabilities]: envelope.capabilities,
		[meta_keys.client_info]: envelope.info,
	};
	if (envelope.log_level !== undefined) {
		members[meta_keys.log_level] = JSON.stringify(envelope.log_level);
	}
	return metaEdits(message, { set: members, remove: also.remove ?? [] });
}

/** Members of params that only a modern server knows: the answers of earlier rounds. */
const round_members = ["inputResponses", "requestState"];

/** Modern to legacy: the envelope belongs to this hop and stays here. */
function removeEnvelope(message: Message, also: MetaChange): Edit[] {
	const { bytes, meta, params } = message;
	if (params === undefined) return [];
	const { set = {} } = also;
	const remove = [...modern_request_meta_keys, ...(also.remove ?? [])];
	const others = meta?.members.some(({ key }) => !remove.includes(key));
	if (meta === undefined || others !== true) {
		const added = Object.keys(set).length > 0;
		return added
			? objectEdits(bytes, params, { set: { _meta: rawObject(set) }, remove: round_members })
			: objectEdits(bytes, params, { remove: ["_meta", ...round_members] });
	}
	return [
		...objectEdits(bytes, params, { remove: round_members }),
		...objectEdits(bytes, meta, { set, remove }),
	];
}

function rawObject(members: Readonly<Record<string, string>>): string {
	const parts = Object.entries(members).map(([key, raw]) => `${JSON.stringify(key)}:${raw}`);
	return `{${parts.join(",")}}`;
}
