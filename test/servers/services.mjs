// Services that people have accounts at, each as its documentation describes it: an MCP server and
// authorization servers with the peculiarities of the real ones, and as strict as they are. Paths
// of an authorization server begin with the host that it has in the world. Prints one line: the
// origins of all services as JSON. Lines that it is given are commands, each answered with a line:
// `break SERVICE CODE`: how the next token request ends;
// `expire SERVICE`: its access tokens are good no more.
import { createHash, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { createInterface } from "node:readline";

const tenant_id = "8d4c1a52-6b0f-4a3e-9c57-2f1e0b7d3a64";

/** What is common: a form in, JSON out, refresh tokens that stay. */
const usual = {
	secret: "post",
	page: () => undefined,
	parameters: (body) => Object.fromEntries(new URLSearchParams(body)),
	answer: (tokens) => ({ token_type: "Bearer", ...tokens }),
	refuses: (error) => ({ status: 400, body: { error } }),
	gives_refresh: () => true,
	rotates: false,
	checks_pkce: true,
};

/** An authorization server with metadata at which clients register. */
const published = { ...usual, secret: "registered" };

const services = {
	github: {
		"github.com": {
			...usual,
			authorize: "/login/oauth/authorize",
			token: "/login/oauth/access_token",
			gives_refresh: () => false,
			answer: (tokens) => ({
				...tokens,
				expires_in: undefined,
				token_type: "bearer",
				scope: "repo",
			}),
			// Without a wish it answers with a form.
			plain: true,
			refuses: (error) => {
				const codes = {
					invalid_grant: "bad_verification_code",
					invalid_client: "incorrect_client_credentials",
				};
				return { status: 200, body: { error: codes[error] ?? error } };
			},
		},
	},
	gitlab: {
		"": {
			...published,
			metadata: { scopes_supported: ["api", "read_api", "mcp", "openid"] },
			page: ({ scope }) => (scope === "mcp" ? undefined : "invalid_scope"),
			rotates: true,
		},
		"gitlab.com": {
			...usual,
			authorize: "/oauth/authorize",
			token: "/oauth/token",
			page: ({ scope }) => (scope === "read_user read_api" ? undefined : "invalid_scope"),
			rotates: true,
		},
	},
	slack: {
		"slack.com": [
			{
				...usual,
				authorize: "/oauth/v2_user/authorize",
				token: "/api/oauth.v2.user.access",
				page: ({ scope = "" }) => (scope.includes(" ") ? "invalid_scope" : undefined),
				answer: (tokens) => ({ ok: true, token_type: "user", ...tokens }),
				refuses: slackError,
				rotates: true,
			},
			{
				...usual,
				authorize: "/oauth/v2/authorize",
				token: "/api/oauth.v2.access",
				page: ({ scope, user_scope }) =>
					scope === undefined && user_scope !== undefined ? undefined : "invalid_scope",
				answer: (tokens) => ({
					ok: true,
					token_type: "bot",
					authed_user: { id: "U1", token_type: "user", ...tokens, expires_in: undefined },
				}),
				refuses: slackError,
				gives_refresh: () => false,
			},
		],
	},
	google: {
		"accounts.google.com": {
			...usual,
			authorize: "/o/oauth2/v2/auth",
			iss: (origin) => `${origin}/accounts.google.com`,
			page: ({ resource, scope }) =>
				resource !== undefined || !scope ? "invalid_request" : undefined,
			gives_refresh: ({ access_type, prompt }) => access_type === "offline" && prompt === "consent",
		},
		// Its token endpoint is at another host, and knows the same codes.
		"oauth2.googleapis.com": { same: "accounts.google.com", token: "/token" },
	},
	microsoft: {
		"login.microsoftonline.com": {
			...usual,
			authorize: "/organizations/oauth2/v2.0/authorize",
			token: "/organizations/oauth2/v2.0/token",
			iss: (origin) => `${origin}/login.microsoftonline.com/${tenant_id}/v2.0`,
			// AADSTS901002, and AADSTS900144.
			page: ({ resource, scope }) =>
				resource !== undefined || !scope ? "invalid_request" : undefined,
			parameters: (body) => {
				const parameters = Object.fromEntries(new URLSearchParams(body));
				return parameters.resource === undefined ? parameters : { grant_type: "refused" };
			},
			gives_refresh: ({ scope = "" }) => scope.split(" ").includes("offline_access"),
			answer: (tokens) => ({ token_type: "Bearer", id_token: "not.a.token", ...tokens }),
			rotates: true,
		},
	},
	notion: {
		"": published,
		"api.notion.com": {
			...usual,
			secret: "basic",
			authorize: "/v1/oauth/authorize",
			token: "/v1/oauth/token",
			page: ({ owner }) => (owner === "user" ? undefined : "invalid_request"),
			parameters: jsonParameters,
			answer: (tokens) => ({
				...tokens,
				expires_in: undefined,
				token_type: "bearer",
				workspace_id: "w",
			}),
			checks_pkce: false,
			rotates: true,
		},
	},
	linear: {
		"": published,
		"linear.app": {
			...usual,
			authorize: "/oauth/authorize",
			page: ({ scope }) => (scope === "read,write" ? undefined : "invalid_scope"),
			answer: (tokens) => ({ ...tokens, token_type: "Bearer", scope: ["read", "write"] }),
			rotates: true,
		},
		"api.linear.app": { same: "linear.app", token: "/oauth/token" },
	},
	atlassian: {
		// No metadata of the resource: that of the issuer stands at the root, under another name.
		"": { ...published, is_at_root: true, name: "cf.mcp.atlassian.com" },
		"auth.atlassian.com": {
			...usual,
			authorize: "/authorize",
			token: "/oauth/token",
			page: ({ audience, prompt }) =>
				audience === "api.atlassian.com" && prompt === "consent" ? undefined : "access_denied",
			parameters: jsonParameters,
			gives_refresh: ({ scope = "" }) => scope.split(" ").includes("offline_access"),
			checks_pkce: false,
			rotates: true,
		},
	},
	salesforce: {
		"login.salesforce.com": {
			...usual,
			authorize: "/services/oauth2/authorize",
			token: "/services/oauth2/token",
			gives_refresh: ({ scope = "" }) => scope.split(" ").includes("refresh_token"),
			answer: ({ expires_in: _, ...tokens }) => ({
				...tokens,
				token_type: "Bearer",
				instance_url: "https://example.my.salesforce.com",
				issued_at: "1796000000000",
			}),
		},
	},
	sentry: {
		"": published,
		"sentry.io": {
			...usual,
			authorize: "/oauth/authorize/",
			token: "/oauth/token/",
			page: ({ scope }) =>
				scope === "org:read project:read event:read" ? undefined : "invalid_scope",
			rotates: true,
		},
	},
	stripe: {
		"": {
			...published,
			metadata: { token_endpoint_auth_methods_supported: ["none"] },
			registers: ({ client_name, token_endpoint_auth_method }) =>
				client_name !== undefined && token_endpoint_auth_method === "none",
			rotates: true,
		},
	},
};

function slackError(error) {
	const codes = { invalid_grant: "invalid_code", invalid_client: "bad_client_secret" };
	return { status: 200, body: { ok: false, error: codes[error] ?? error } };
}

function jsonParameters(body, type) {
	return type.startsWith("application/json") ? JSON.parse(body) : { grant_type: "refused" };
}

/** One service: its MCP server at /mcp, and its authorization servers below their hosts. */
class Service {
	codes = new Map();
	clients = new Map([["us", "s3cret-of-us"]]);
	refresh = new Map();
	access = new Set();
	breaks = undefined;
	#hosts;

	constructor(hosts) {
		this.#hosts = hosts;
	}

	async serve(request, response) {
		const chunks = [];
		for await (const chunk of request) chunks.push(chunk);
		const body = Buffer.concat(chunks).toString();
		const url = new URL(request.url, this.origin);
		const query = Object.fromEntries(url.searchParams);
		const found = this.#find(url.pathname);
		if (url.pathname === "/mcp") return this.#mcp(request, body, response);
		if (found?.what === "authorize") return this.#authorize(found.as, query, response);
		if (found?.what === "token") return this.#token(found.as, request, body, response);
		const open = this.#hosts[""];
		if (open === undefined) return json(response, 404, {});
		return this.#published(open, url.pathname, request, { query, body, response });
	}

	#find(pathname) {
		for (const [host, all] of Object.entries(this.#hosts)) {
			if (host === "" || !pathname.startsWith(`/${host}/`)) continue;
			const rest = pathname.slice(host.length + 1);
			for (const named of [all].flat()) {
				const as = named.same === undefined ? named : this.#hosts[named.same];
				if (rest === named.authorize) return { what: "authorize", as };
				if (rest === named.token) return { what: "token", as };
			}
		}
		return undefined;
	}

	#published(as, pathname, request, { query, body, response }) {
		const issuer = as.name === undefined ? this.origin : `${this.origin}/${as.name}`;
		const resource = { resource: `${this.origin}/mcp`, authorization_servers: [issuer] };
		const metadata = {
			issuer,
			authorization_endpoint: `${this.origin}/authorize`,
			token_endpoint: `${this.origin}/token`,
			registration_endpoint: `${this.origin}/register`,
			code_challenge_methods_supported: ["plain", "S256"],
			token_endpoint_auth_methods_supported: ["client_secret_post", "none"],
			...as.metadata,
		};
		switch (pathname) {
			case "/.well-known/oauth-protected-resource/mcp":
				return as.is_at_root ? json(response, 404, {}) : json(response, 200, resource);
			case "/.well-known/oauth-authorization-server":
				return json(response, 200, metadata);
			case "/register": {
				const wanted = JSON.parse(body);
				if (as.registers?.(wanted) === false) {
					return json(response, 400, { error: "invalid_client_metadata" });
				}
				const { token_endpoint_auth_method } = wanted;
				const client_id = randomUUID();
				const has_secret = token_endpoint_auth_method !== "none";
				const client_secret = has_secret ? randomUUID() : undefined;
				this.clients.set(client_id, client_secret);
				return json(response, 201, { client_id, client_secret, token_endpoint_auth_method });
			}
			case "/authorize":
				return this.#authorize(as, query, response);
			case "/token":
				return this.#token(as, request, body, response);
			default:
				return json(response, 404, {});
		}
	}

	#authorize(as, query, response) {
		const back = new URL(query.redirect_uri);
		const wrong = as.page(query);
		back.searchParams.set("state", query.state);
		if (wrong !== undefined) back.searchParams.set("error", wrong);
		else {
			const code = randomUUID();
			this.codes.set(code, query);
			back.searchParams.set("code", code);
		}
		if (as.iss !== undefined) back.searchParams.set("iss", as.iss(this.origin));
		response.writeHead(302, { location: back.href }).end();
	}

	#token(as, request, body, response) {
		const parameters = as.parameters(body, request.headers["content-type"] ?? "");
		const outcome = this.#grant(as, parameters, request.headers.authorization);
		const wants_json = (request.headers.accept ?? "").includes("application/json");
		if (as.plain && !wants_json) {
			const form = new URLSearchParams(JSON.parse(JSON.stringify(outcome.body))).toString();
			response.writeHead(outcome.status, { "content-type": "application/x-www-form-urlencoded" });
			return response.end(form);
		}
		return json(response, outcome.status, outcome.body);
	}

	#grant(as, parameters, authorization) {
		const broken = this.breaks;
		this.breaks = undefined;
		if (broken !== undefined) return as.refuses(broken);
		if (!this.#isClient(as, parameters, authorization)) return as.refuses("invalid_client");
		const { grant_type, code, code_verifier = "", refresh_token } = parameters;
		let asked;
		if (grant_type === "authorization_code") {
			asked = this.codes.get(code);
			this.codes.delete(code);
			const challenge = createHash("sha256").update(code_verifier).digest("base64url");
			if (as.checks_pkce && asked?.code_challenge !== challenge) asked = undefined;
		} else if (grant_type === "refresh_token") {
			asked = this.refresh.get(refresh_token);
			if (as.rotates) this.refresh.delete(refresh_token);
		} else return as.refuses("unsupported_grant_type");
		if (asked === undefined) return as.refuses("invalid_grant");
		const access_token = randomUUID();
		this.access.add(access_token);
		const tokens = { access_token, expires_in: 3600 };
		const is_new = grant_type === "authorization_code" || as.rotates;
		if (is_new && as.gives_refresh(asked)) {
			tokens.refresh_token = randomUUID();
			this.refresh.set(tokens.refresh_token, asked);
		}
		return { status: 200, body: as.answer(tokens) };
	}

	#isClient(as, { client_id, client_secret }, authorization = "") {
		if (as.secret === "basic") {
			const pair = Buffer.from(authorization.replace("Basic ", ""), "base64").toString();
			return pair === "us:s3cret-of-us" && client_secret === undefined;
		}
		return this.clients.has(client_id) && this.clients.get(client_id) === client_secret;
	}

	#mcp(request, body, response) {
		const token = (request.headers.authorization ?? "").replace("Bearer ", "");
		if (!this.access.has(token)) {
			response.writeHead(401, { "www-authenticate": "Bearer" }).end();
			return;
		}
		const { id, method } = JSON.parse(body === "" ? "{}" : body);
		const result = {
			initialize: {
				protocolVersion: "2025-11-25",
				capabilities: { tools: {} },
				serverInfo: { name: "service", version: "1" },
			},
			"tools/list": { tools: [{ name: "look", inputSchema: { type: "object" } }] },
			"tools/call": { content: [{ type: "text", text: "seen" }] },
		}[method];
		if (id === undefined) response.writeHead(202).end();
		else if (result === undefined) json(response, 200, { jsonrpc: "2.0", id, error: unknown });
		else json(response, 200, { jsonrpc: "2.0", id, result });
	}
}

const unknown = { code: -32601, message: "There is no such method." };

function json(response, status, body) {
	response.writeHead(status, { "content-type": "application/json" });
	response.end(JSON.stringify(body));
}

const running = {};
for (const [name, hosts] of Object.entries(services)) {
	const service = new Service(hosts);
	const server = createServer((request, response) => {
		service.serve(request, response).catch(({ stack }) => response.writeHead(500).end(stack));
	});
	await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
	service.origin = `http://127.0.0.1:${server.address().port}`;
	running[name] = service;
}
const origins = Object.entries(running).map(([name, { origin }]) => [name, origin]);
process.stdout.write(`${JSON.stringify(Object.fromEntries(origins))}\n`);
for await (const line of createInterface({ input: process.stdin })) {
	const [command, name, code] = line.split(" ");
	const service = running[name];
	if (command === "break") service.breaks = code;
	if (command === "expire") service.access.clear();
	process.stdout.write("null\n");
}
process.exit(0);
