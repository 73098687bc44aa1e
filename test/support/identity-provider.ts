import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fixturePath } from "./fixtures.ts";
import { Browser } from "./login-scene.ts";
import { proofOf, type SigningKey } from "./token-issuer.ts";

/** An identity provider in a process of its own. */
export interface IdentityProvider {
	readonly issuer: string;
	/** A token that a program gets for itself. */
	token(request: TokenRequest): Promise<string>;
	/** Registers a client (RFC 7591). */
	register(metadata: Readonly<Record<string, unknown>>): Promise<RegisteredClient>;
	/** Posts a form to its token endpoint as a client. */
	exchange(
		client: RegisteredClient,
		form: Readonly<Record<string, string>>,
	): Promise<Record<string, unknown>>;
	/** What a person does whom a page sent here: gives a name, agrees, and is sent on. */
	logIn(page: URL, user: string): Promise<URL>;
	/** Signs whatever claims with its key: an assertion (ID-JAG) unless another type is named. */
	sign(claims: Readonly<Record<string, unknown>>, typ?: string): Promise<string>;
	/** How many access tokens were revoked there. */
	revoked(): Promise<number>;
	/** Throws its key away and makes another. */
	rotate(): Promise<void>;
	stop(): Promise<void>;
}

/** A client that has registered itself. */
export interface RegisteredClient {
	readonly client_id: string;
	readonly client_secret: string;
}

/** What a program asks for. */
export interface TokenRequest {
	readonly resource: string;
	readonly scope?: string;
	readonly client?: string;
	/** The key that the token is to be bound to. */
	readonly key?: SigningKey;
}

/** Starts one; its clients are `machine`, `robot`, `moorage`, and `bound`, which proves its key. */
export async function startIdentityProvider(): Promise<IdentityProvider> {
	const child = spawn(process.execPath, [fixturePath("identity-provider")], {
		stdio: ["pipe", "pipe", "inherit"],
	});
	const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
	const line = async () => {
		const { value } = await lines.next();
		if (typeof value !== "string") throw new Error("the identity provider has ended");
		return value;
	};
	const command = (text: string) => {
		child.stdin.write(`${text}\n`);
		return line();
	};
	const issuer = await line();
	const exited = new Promise<void>((resolve) => child.once("exit", () => resolve()));
	const post = async (
		client: RegisteredClient,
		form: Readonly<Record<string, string>>,
		headers: Readonly<Record<string, string>> = {},
	) => {
		const { client_id, client_secret } = client;
		const credentials = Buffer.from(`${client_id}:${client_secret}`).toString("base64");
		const response = await fetch(`${issuer}/token`, {
			method: "POST",
			headers: { authorization: `Basic ${credentials}`, ...headers },
			body: new URLSearchParams(form),
		});
		return (await response.json()) as Record<string, unknown>;
	};
	return {
		issuer,
		async token({ resource, scope = "", client = "machine", key }) {
			const proof =
				key && (await proofOf(key, { method: "POST", url: `${issuer}/token`, token: "" }));
			const answer = await post(
				{ client_id: client, client_secret: "s3cret" },
				{ grant_type: "client_credentials", resource, scope },
				proof === undefined ? {} : { dpop: proof },
			);
			if (typeof answer["access_token"] !== "string") throw new Error(JSON.stringify(answer));
			return answer["access_token"];
		},
		async register(metadata) {
			const response = await fetch(`${issuer}/reg`, {
				method: "POST",
				headers: { "content-type": "application/json" },
				body: JSON.stringify(metadata),
			});
			const text = await response.text();
			assert.equal(response.status, 201, text);
			return JSON.parse(text) as RegisteredClient;
		},
		exchange: post,
		async logIn(page, user) {
			const browser = new Browser(issuer);
			let visit = await browser.follow(page);
			for (const form of [{ prompt: "login", login: user, password: "x" }, { prompt: "consent" }]) {
				const body = new URLSearchParams(form);
				visit = await browser.follow(visit.url, { method: "POST", body });
			}
			assert.ok(visit.location !== undefined, visit.text);
			return visit.location;
		},
		sign: (claims, typ = "oauth-id-jag+jwt") => command(`sign ${JSON.stringify({ typ, claims })}`),
		revoked: async () => Number(await command("revoked")),
		async rotate() {
			await command("rotate");
		},
		async stop() {
			child.stdin.end();
			await exited;
		},
	};
}
