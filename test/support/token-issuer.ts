import { hash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
	type CryptoKey,
	calculateJwkThumbprint,
	exportJWK,
	generateKeyPair,
	type JWK,
	SignJWT,
} from "jose";

/** A key pair whose public half can be published. */
export interface SigningKey {
	readonly kid: string;
	readonly alg: string;
	readonly private_key: CryptoKey;
	readonly jwk: JWK;
}

/** How a token deviates from a good one; undefined removes a claim or header member. */
export interface TokenChanges {
	readonly claims?: Record<string, unknown>;
	readonly header?: Record<string, unknown>;
	readonly key?: SigningKey;
}

/** An issuer of access tokens on this machine, whose tokens can be made wrong on purpose. */
export interface TokenIssuer {
	readonly issuer: string;
	/** Keys it publishes; the first one signs. */
	readonly keys: SigningKey[];
	/** Opaque tokens it knows. */
	readonly opaque: Map<string, Record<string, unknown>>;
	/** Paths that were asked for, in order. */
	readonly asked: string[];
	/** Credentials that came with introspection requests. */
	readonly credentials: string[];
	/** Answers that replace its own, by path: a status and a body. */
	readonly broken: Map<string, { readonly status: number; readonly body: string }>;
	/** What its answers wait for, once set. */
	held: Promise<void> | undefined;
	/** An access token for an audience, good for an hour unless changed. */
	token(audience: string | string[], changes?: TokenChanges): Promise<string>;
	close(): Promise<void>;
}

/** A new key pair. */
export async function signingKey(kid: string, alg = "ES256"): Promise<SigningKey> {
	const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
	const jwk = { ...(await exportJWK(publicKey)), kid, alg, use: "sig" };
	return { kid, alg, private_key: privateKey, jwk };
}

/** Starts an issuer. `now_ms` is the time that its tokens are made at. */
export async function startTokenIssuer(now_ms = () => Date.now()): Promise<TokenIssuer> {
	const keys = [await signingKey("first")];
	const asked: string[] = [];
	const opaque = new Map<string, Record<string, unknown>>();
	const credentials: string[] = [];
	const broken: TokenIssuer["broken"] = new Map();
	let issuer = "";
	const serve = (request: IncomingMessage, response: ServerResponse, body: string) => {
		const path = request.url ?? "/";
		const json = (status: number, value: unknown) => {
			response.writeHead(status, { "content-type": "application/json" });
			response.end(JSON.stringify(value));
		};
		const instead = broken.get(path);
		if (instead !== undefined) {
			response.writeHead(instead.status, { "content-type": "application/json" });
			response.end(instead.body);
		} else if (path === "/.well-known/oauth-authorization-server") {
			json(200, { issuer, jwks_uri: `${issuer}/jwks`, introspection_endpoint: `${issuer}/ask` });
		} else if (path === "/jwks") {
			json(200, { keys: keys.map(({ jwk }) => jwk) });
		} else if (path === "/ask") {
			credentials.push(request.headers.authorization ?? "");
			const claims = opaque.get(new URLSearchParams(body).get("token") ?? "");
			json(200, claims === undefined ? { active: false } : { active: true, ...claims });
		} else {
			json(404, {});
		}
	};
	const server = createServer((request, response) => {
		asked.push(request.url ?? "/");
		const chunks: Buffer[] = [];
		request.on("data", (chunk: Buffer) => chunks.push(chunk));
		request.on("end", () => {
			const body = Buffer.concat(chunks).toString();
			void Promise.resolve(made.held).then(() => serve(request, response, body));
		});
	});
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	const made: TokenIssuer = {
		issuer,
		held: undefined,
		keys,
		opaque,
		asked,
		credentials,
		broken,
		token(audience, { claims = {}, header = {}, key = keys[0] } = {}) {
			if (key === undefined) throw new Error("the issuer has no key");
			const now_s = Math.floor(now_ms() / 1000);
			const payload = without({
				iss: issuer,
				aud: audience,
				sub: "alice",
				client_id: "a-client",
				iat: now_s,
				exp: now_s + 3600,
				jti: crypto.randomUUID(),
				...claims,
			});
			const { alg, kid } = key;
			const head = { alg, ...without({ kid, typ: "at+jwt", ...header }) };
			return new SignJWT(payload).setProtectedHeader(head).sign(key.private_key);
		},
		close: () =>
			new Promise((resolve) => {
				server.closeAllConnections();
				server.close(() => resolve());
			}),
	};
	return made;
}

/** A proof of possession of a key (RFC 9449 section 4.2), good unless changed. */
export async function proofOf(
	key: SigningKey,
	request: { readonly method: string; readonly url: string; readonly token: string },
	{ claims = {}, header = {} }: TokenChanges = {},
	now_ms = Date.now(),
): Promise<string> {
	const payload = without({
		jti: crypto.randomUUID(),
		htm: request.method,
		htu: request.url,
		iat: Math.floor(now_ms / 1000),
		ath: hash("sha256", request.token, "base64url"),
		...claims,
	});
	const { kid: _, use: __, alg: ___, ...jwk } = key.jwk;
	const head = { alg: key.alg, ...without({ typ: "dpop+jwt", jwk, ...header }) };
	return new SignJWT(payload).setProtectedHeader(head).sign(key.private_key);
}

/** What a token that is bound to a key says (RFC 9449 section 6.1). */
export async function boundTo(key: SigningKey): Promise<{ jkt: string }> {
	return { jkt: await calculateJwkThumbprint(key.jwk) };
}

function without(members: Record<string, unknown>): Record<string, unknown> {
	return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
