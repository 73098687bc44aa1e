/** Which instance of which server: callers with equal keys share one running thing. */
export interface InstanceKey {
	readonly server: string;
	/** Who shares it within the server's scope; empty for everybody. */
	readonly scope_key: string;
	/** What the server is told the client can do: raw JSON, canonical. */
	readonly capabilities: string;
}

/** Capabilities of an instance that nobody in particular asked for. */
export const no_capabilities = "{}";

/** The key of the instance that an eager server starts with. */
export function baseKey(server: string): InstanceKey {
	return { server, scope_key: "", capabilities: no_capabilities };
}

/** A text that is equal exactly for equal keys of one server. */
export function keyText(key: InstanceKey): string {
	// Raw JSON never contains a NUL, so the last one always separates the two parts.
	return `${key.scope_key}\0${key.capabilities}`;
}

/** Whether this is the key an eager server starts with. */
export function isBaseKey(key: InstanceKey): boolean {
	return key.scope_key === "" && key.capabilities === no_capabilities;
}
