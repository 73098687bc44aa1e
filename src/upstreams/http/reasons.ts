/** Network and HTTP failures in words. Nothing of a request or a response gets into them. */

const network_reasons: Readonly<Record<string, string>> = {
	ECONNREFUSED: "connection refused",
	ECONNRESET: "connection reset",
	EHOSTUNREACH: "no route to the host",
	ENETUNREACH: "no network",
	ENOTFOUND: "its host name is not known",
	EAI_AGAIN: "its host name could not be looked up",
	ETIMEDOUT: "connecting took too long",
	UND_ERR_CONNECT_TIMEOUT: "connecting took too long",
	UND_ERR_SOCKET: "it closed the connection",
	UND_ERR_INVALID_ARG: "a configured header or the address is not valid",
	DEPTH_ZERO_SELF_SIGNED_CERT: "its certificate is self-signed",
	SELF_SIGNED_CERT_IN_CHAIN: "its certificate is not trusted",
	UNABLE_TO_VERIFY_LEAF_SIGNATURE: "its certificate is not trusted",
	CERT_HAS_EXPIRED: "its certificate has expired",
	ERR_TLS_CERT_ALTNAME_INVALID: "its certificate is for another host",
	EPROTO: "it does not speak TLS as expected",
};

/** True when what came was not HTTP. */
export function isNotHttp(error: Error): boolean {
	return error.name === "HTTPParserError";
}

/** Why a connection failed. */
export function networkReason(error: Error): string {
	if (isNotHttp(error)) return "it does not speak HTTP";
	const { code } = error as NodeJS.ErrnoException;
	if (code === undefined) return "connection failed";
	return network_reasons[code] ?? code;
}

/** What to do about a refusal, as a sentence. `location` is where a redirect points. */
export function statusAdvice(status: number, location: string | undefined): string {
	if (status === 401) return "It wants to know who is calling: set `oauth` or `headers` for it.";
	if (status === 403) return "Whoever the configured headers say is calling may not do this.";
	if (status === 404 || status === 405) return "Check its address: MCP is not served there.";
	if (status === 429) return "It gets too many requests: try again later.";
	if (status >= 300 && status < 400) return redirectAdvice(location);
	if (status >= 500) return "It has a problem of its own: try again later.";
	return "It does not accept requests as MCP writes them.";
}

function redirectAdvice(location: string | undefined): string {
	const target =
		location !== undefined && URL.canParse(location) ? new URL(location).origin : "elsewhere";
	return `It redirects to ${target}: if that is where it lives now, change its address.`;
}
