/** JSON-RPC and MCP error codes, by the names the specification uses. */
export const rpc_codes = {
	parse_error: -32700,
	invalid_request: -32600,
	method_not_found: -32601,
	invalid_params: -32602,
	internal_error: -32603,
	/** Legacy only; the modern revision answers `invalid_params` (SEP-2164). */
	resource_not_found: -32002,
	/** Legacy only: the client must visit a URL first. */
	url_elicitation_required: -32042,
	header_mismatch: -32020,
	missing_client_capability: -32021,
	unsupported_protocol_version: -32022,
} as const;

/** The HTTP status that goes with a modern error (transports, 2026-07-28). */
export function modernHttpStatus(code: number): number {
	switch (code) {
		case rpc_codes.parse_error:
		case rpc_codes.invalid_request:
		case rpc_codes.header_mismatch:
		case rpc_codes.missing_client_capability:
		case rpc_codes.unsupported_protocol_version:
			return 400;
		case rpc_codes.method_not_found:
			return 404;
		default:
			return 200;
	}
}
