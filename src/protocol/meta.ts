/** Reserved keys of `_meta` (basic, 2026-07-28). */
export const meta_keys = {
	protocol_version: "io.modelcontextprotocol/protocolVersion",
	client_capabilities: "io.modelcontextprotocol/clientCapabilities",
	client_info: "io.modelcontextprotocol/clientInfo",
	log_level: "io.modelcontextprotocol/logLevel",
	server_info: "io.modelcontextprotocol/serverInfo",
	subscription_id: "io.modelcontextprotocol/subscriptionId",
	progress_token: "progressToken",
	traceparent: "traceparent",
	tracestate: "tracestate",
	baggage: "baggage",
} as const;

/** The keys a modern request carries for its own hop; a legacy server never sees them. */
export const modern_request_meta_keys: readonly string[] = [
	meta_keys.protocol_version,
	meta_keys.client_capabilities,
	meta_keys.client_info,
	meta_keys.log_level,
];

/** Our own key on lists: which servers are missing and why. */
export const absent_meta_key = "dev.moorage/absent";
