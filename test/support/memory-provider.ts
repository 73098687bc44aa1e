/** What a client remembers while it gets a token, and what it gets. */
export interface Remembered {
	client?: unknown;
	tokens?: { readonly access_token: string; readonly scope?: string };
	verifier?: string;
	discovery?: unknown;
}

/**
 * What a client of either SDK is given to log in with, kept in memory: a public client that
 * registers itself, for a person whose browser is sent to a page.
 */
export function memoryProvider(
	redirect_url: string,
	onPage: (page: URL) => void,
	grant_types: readonly string[] = ["authorization_code", "refresh_token"],
) {
	const kept: Remembered = {};
	const provider = {
		redirectUrl: redirect_url,
		clientMetadata: {
			client_name: "Login test",
			redirect_uris: [redirect_url],
			grant_types: [...grant_types],
			response_types: ["code"],
			token_endpoint_auth_method: "none",
			application_type: redirect_url.startsWith("https:") ? "web" : "native",
		},
		clientInformation: () => kept.client,
		saveClientInformation(client: unknown) {
			kept.client = client;
		},
		tokens: () => kept.tokens,
		saveTokens(tokens: NonNullable<Remembered["tokens"]>) {
			kept.tokens = tokens;
		},
		redirectToAuthorization: (page: URL) => onPage(page),
		saveCodeVerifier(verifier: string) {
			kept.verifier = verifier;
		},
		codeVerifier: () => kept.verifier ?? "",
		saveDiscoveryState(discovery: unknown) {
			kept.discovery = discovery;
		},
		discoveryState: () => kept.discovery,
	};
	return { provider, kept };
}
