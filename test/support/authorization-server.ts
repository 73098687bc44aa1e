import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** How an authorization server deviates from a good one. */
export interface Deviations {
	/** Changes its metadata document. */
	metadata?: Record<string, unknown>;
	/** Changes the resource metadata of the server it protects. */
	resource?: Record<string, unknown>;
	/** Changes the answer of the authorization page; undefined removes a parameter. */
	callback?: Record<string, string | undefined>;
	/** Changes the answer to a registration. */
	registration?: Record<string, unknown>;
	/** What the token endpoint answers instead. */
	token?: { readonly status: number; readonly body: Record<string, unknown> };
	/** What the token endpoint waits for with its answer, when all that it does is done. */
	answers?: Promise<void>;
	/** What the revocation endpoint answers instead; there is none unless the metadata names it. */
	revoke?: (response: ServerResponse, token: string) => void;
	/** Serves what is below /mcp to whoever has a token that is still good. */
	mcp?: (request: IncomingMessage, response: ServerResponse, body: string) => void;
}

/** A request that came, as the tests look at it. */
export interface Seen {
	readonly path: string;
	readonly parameters: Record<string, string>;
	readonly authorization: string | undefined;
}

/** An MCP server's metadata and an authorization server with PKCE, in this process. */
export interface TestAuthorizationServer {
	readonly issuer: string;
	readonly seen: Seen[];
	/** Refresh tokens that are still good; each is good once. */
	readonly refresh_tokens: Set<string>;
	/** Access tokens that are still good. */
	readonly access_tokens: Set<string>;
	/** What a person does: opens the page and is led back. */
	authorize(page: URL): Promise<URL>;
	requests(path: string): Seen[];
	close(): Promise<void>;
}

/** Starts one that deviates as told; the object may be changed while it runs. */
export async function startAuthorizationServer(
	deviations: Deviations = {},
): Promise<TestAuthorizationServer> {
	const seen: Seen[] = [];
	const refresh_tokens = new Set<string>();
	const access_tokens = new Set<string>();
	const codes = new Map<string, string>();
	let count = 0;
	let issuer = "";
	const json = (response: ServerResponse, status: number, body: object) => {
		response.writeHead(status, { "content-type": "application/json" });
		response.end(JSON.stringify(body));
	};
	const token = (response: ServerResponse, parameters: Record<string, string>) => {
		const { grant_type, code = "", code_verifier = "", refresh_token = "" } = parameters;
		const challenge = createHash("sha256").update(code_verifier).digest("base64url");
		const good =
			(grant_type === "authorization_code" && codes.get(code) === challenge) ||
			(grant_type === "refresh_token" && refresh_tokens.delete(refresh_token)) ||
			grant_type === "client_credentials";
		codes.delete(code);
		if (!good) return json(response, 400, { error: "invalid_grant" });
		count += 1;
		refresh_tokens.add(`refresh-${count}`);
		access_tokens.add(`access-${count}`);
		const answer = { access_token: `access-${count}`, token_type: "Bearer", expires_in: 3600 };
		const given = { ...answer, refresh_token: `refresh-${count}` };
		const send = () => json(response, 200, given);
		return deviations.answers === undefined ? send() : void deviations.answers.then(send);
	};
	const serve = (request: IncomingMessage, response: ServerResponse, body: string) => {
		const url = new URL(request.url ?? "/", issuer);
		const is_json = body.startsWith("{");
		const parameters = is_json
			? (JSON.parse(body) as Record<string, string>)
			: Object.fromEntries([...url.searchParams, ...new URLSearchParams(body)]);
		if (url.pathname.startsWith("/mcp")) {
			const token = request.headers.authorization?.replace("Bearer ", "") ?? "";
			seen.push({ path: url.pathname, parameters: {}, authorization: token });
			if (access_tokens.has(token)) return deviations.mcp?.(request, response, body);
			response.writeHead(401, { "www-authenticate": "Bearer" });
			return response.end();
		}
		seen.push({ path: url.pathname, parameters, authorization: request.headers.authorization });
		if (url.pathname === "/.well-known/oauth-protected-resource/mcp") {
			const resource = `${issuer}/mcp`;
			const document = { resource, authorization_servers: [issuer], ...deviations.resource };
			return json(response, 200, document);
		}
		if (url.pathname === "/.well-known/oauth-authorization-server") {
			return json(response, 200, {
				issuer,
				authorization_endpoint: `${issuer}/authorize`,
				token_endpoint: `${issuer}/token`,
				registration_endpoint: `${issuer}/register`,
				code_challenge_methods_supported: ["S256"],
				...deviations.metadata,
			});
		}
		if (url.pathname === "/register") {
			return json(response, 201, {
				client_id: "registered",
				client_secret: "s3cret",
				...deviations.registration,
			});
		}
		if (url.pathname === "/authorize") {
			const { redirect_uri = "", state = "", code_challenge = "" } = parameters;
			const back = new URL(redirect_uri);
			codes.set(`code-${codes.size}`, code_challenge);
			const answer = { code: `code-${codes.size - 1}`, state, ...deviations.callback };
			for (const [name, value] of Object.entries(answer)) {
				if (value !== undefined) back.searchParams.set(name, value);
			}
			response.writeHead(302, { location: back.href });
			return response.end();
		}
		if (url.pathname === "/token" && deviations.token !== undefined) {
			return json(response, deviations.token.status, deviations.token.body);
		}
		if (url.pathname === "/token") return token(response, parameters);
		if (url.pathname === "/revoke" && deviations.revoke !== undefined) {
			return deviations.revoke(response, parameters["token"] ?? "");
		}
		if (url.pathname === "/revoke") {
			access_tokens.delete(parameters["token"] ?? "");
			refresh_tokens.delete(parameters["token"] ?? "");
			return json(response, 200, {});
		}
		return json(response, 404, {});
	};
	const server = createServer((request, response) => {
		const chunks: Buffer[] = [];
		request.on("data", (chunk: Buffer) => chunks.push(chunk));
		request.on("end", () => serve(request, response, Buffer.concat(chunks).toString()));
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	return {
		issuer,
		seen,
		refresh_tokens,
		access_tokens,
		async authorize(page) {
			const answer = await fetch(page, { redirect: "manual" });
			return new URL(answer.headers.get("location") ?? "");
		},
		requests: (path) => seen.filter((one) => one.path === path),
		close: () =>
			new Promise((resolve) => {
				server.closeAllConnections();
				server.close(() => resolve());
			}),
	};
}
