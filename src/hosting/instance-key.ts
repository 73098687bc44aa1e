/** Which instance of which server: callers with equal keys share one running thing. */
export interface InstanceKey {
	readonly server: string;
	/** Who shares it within the server's scope; empty for everybody. */
	readonly scope_key: string;
	/** What the server is told the client can do: raw JSON, canonical. */
	readonly capabilities: string;
	/**
	 * Which of several instances with an equal key: a replica, or one above the replicas for
	 * callers who must not share. 0, or absent, where there is one.
	 */
	readonly place?: number | undefined;
}

/** Capabilities of an instance that nobody in particular asked for. */
export const no_capabilities = "{}";

/** The key of the instance that an eager server starts with. */
export function baseKey(server: string): InstanceKey {
	return { server, scope_key: "", capabilities: no_capabilities };
}

/** A text that is equal exactly for equal keys of one server. */
export function keyText(key: InstanceKey): string {
	// A number and raw JSON contain no NUL, so the first and the last one separate the parts.
	return `${key.place ?? 0}\0${key.scope_key}\0${key.capabilities}`;
}

/** The same key at another place. */
export function atPlace(key: InstanceKey, place: number): InstanceKey {
	const { server, scope_key, capabilities } = key;
	return place === 0 ? { server, scope_key, capabilities } : { ...key, place };
}

/** Whether this is the key an eager server starts with. */
export function isBaseKey(key: InstanceKey): boolean {
	const first = key.place === undefined || key.place === 0;
	return first && key.scope_key === "" && key.capabilities === no_capabilities;
}
