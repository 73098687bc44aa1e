import assert from "node:assert/strict";
import { createHash, createPublicKey, randomBytes, verify } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { LoginPlan } from "../../src/config/plan-login.ts";
import { Passwords } from "../../src/identity/passwords.ts";
import { People } from "../../src/identity/people.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { GuardedFetch } from "../../src/lib/guarded-fetch.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { Guesses } from "../../src/login/guesses.ts";
import { LoginServer } from "../../src/login/login-server.ts";
import { PasswordLogin } from "../../src/login/password-login.ts";
import type { RecordOptions } from "../../src/login/records.ts";
import { box_key_bytes, SecretBox } from "../../src/secrets/box.ts";
import { FakeClock } from "./fake-clock.ts";
import { QuietLog } from "./quiet-log.ts";
import { openTestStore, type TestStore } from "./test-store.ts";

/** What everybody's password is. */
export const password = "correct horse battery";

const plan_default: LoginPlan = {
	accounts: true,
	registration: false,
	client_documents: [],
	scopes: ["billing"],
	dpop_nonces: "off",
	federated: [],
};

/** An authorization server on a port of its own, with people and clients. */
export interface LoginScene {
	readonly issuer: string;
	readonly resource: string;
	readonly login: LoginServer;
	readonly people: People;
	readonly store: TestStore;
	readonly log: QuietLog;
	readonly clock: FakeClock;
	readonly records: RecordOptions;
	/** Registers a client as whoever runs the gateway would. */
	client(metadata: Readonly<Record<string, unknown>>): Promise<void>;
	/** Serves another plan, as after a change of the configuration. */
	use(change: Partial<LoginPlan>): Promise<void>;
	/** Ends the server and its store, and starts both anew from the file at `options.path`. */
	restart(change?: Partial<LoginPlan>): Promise<void>;
	browser(): Browser;
	token(body: Readonly<Record<string, string>>, init?: RequestInit): Promise<TokenAnswer>;
	close(): Promise<void>;
}

/** What the token endpoint said. */
export interface TokenAnswer {
	readonly status: number;
	readonly headers: Headers;
	readonly body: Record<string, string | number | undefined>;
}

/** Starts one with the people `acme/ana` (role `admin`) and `globex/bob`. */
export async function startLogin(
	change: Partial<LoginPlan> = {},
	options: LoginSceneOptions = {},
): Promise<LoginScene> {
	const clock = new FakeClock(Date.now());
	const log = new QuietLog();
	let issuer = options.issuer ?? "";
	const start = (plan: LoginPlan) =>
		startServer(plan, options, { clock, log, issuer: () => issuer });
	let plan = { ...plan_default, ...change };
	let running: Awaited<ReturnType<typeof startServer>> | undefined;
	const server: Server = createServer((request, response) =>
		running?.login.serve(request, response),
	);
	await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
	const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	if (issuer === "") issuer = origin;
	running = await start(plan);
	await running.people.addUser({ tenant: "acme", user: "ana", roles: ["admin"], password });
	await running.people.addUser({ tenant: "globex", user: "bob", roles: [], password });
	const now = () => running ?? assert.fail("it is being started");
	return {
		issuer,
		resource: `${issuer}/mcp`,
		get login() {
			return now().login;
		},
		get people() {
			return now().people;
		},
		get store() {
			return now().store;
		},
		get records() {
			return now().records;
		},
		log,
		clock,
		async client(metadata) {
			const id = String(metadata["client_id"]);
			await now().login.clients.save(id, { metadata, source: "admin" }, { client: id });
		},
		async use(other) {
			plan = { ...plan, ...other };
			await now().login.use(plan);
		},
		async restart(other = {}) {
			assert.ok(options.path !== undefined, "what is in memory only is gone");
			await now().stop();
			plan = { ...plan, ...other };
			running = await start(plan);
		},
		browser: () => new Browser(origin),
		token: (body, init) => postForm(`${origin}/oauth/token`, body, init),
		async close() {
			server.closeAllConnections();
			server.close();
			await now().stop();
		},
	};
}

/** How a scene differs from the usual one. */
interface LoginSceneOptions {
	readonly fetch?: GuardedFetch;
	readonly issuer?: string;
	/** File of the database, for a scene that is restarted; in memory otherwise. */
	readonly path?: string;
}

/** What a scene has of one run of the server. */
async function startServer(
	plan: LoginPlan,
	{ fetch, path }: LoginSceneOptions,
	{ clock, log, issuer }: { clock: FakeClock; log: QuietLog; issuer: () => string },
) {
	const store = await openTestStore(systemClock, path);
	const { repositories } = store;
	const { people: repository, meta } = repositories;
	const people = new People({
		repository,
		passwords: new Passwords(systemRandom),
		clock,
		random: systemRandom,
		noteKeyUse: () => undefined,
	});
	await people.restore();
	const box = new SecretBox(Buffer.alloc(box_key_bytes, 7), systemRandom);
	const records: RecordOptions = { repository: repositories.login, box, clock };
	const login = new LoginServer({
		...records,
		random: systemRandom,
		log,
		meta,
		people,
		passwords: new PasswordLogin(people, new Guesses(clock)),
		baseUrl: issuer,
		isResource: (url) => url.startsWith(`${issuer()}/`) && url.endsWith("/mcp"),
		addressOf: (request) => String(request.headers["x-forwarded-for"] ?? "192.0.2.1"),
		...(fetch === undefined ? {} : { fetch }),
	});
	await login.use(plan);
	const stop = async () => {
		login.stop();
		await store.database.close();
	};
	return { store, people, login, records, stop };
}

/** Posts a form and reads the JSON that comes back. */
export async function postForm(
	address: string,
	body: Readonly<Record<string, string>>,
	init: RequestInit = {},
): Promise<TokenAnswer> {
	const response = await fetch(address, {
		...init,
		method: "POST",
		body: new URLSearchParams(body),
	});
	const text = await response.text();
	return {
		status: response.status,
		headers: response.headers,
		body: text === "" ? {} : (JSON.parse(text) as TokenAnswer["body"]),
	};
}

/** An answer as a browser sees it. */
export interface Visit {
	readonly status: number;
	readonly url: URL;
	readonly headers: Headers;
	readonly text: string;
	/** Where it leads to. */
	readonly location: URL | undefined;
}

/** A browser without scripts: cookies by path, forms, redirects one at a time. */
export class Browser {
	readonly #origin: string;
	readonly #cookies = new Map<string, { readonly value: string; readonly path: string }>();

	constructor(origin: string) {
		this.#origin = origin;
	}

	get cookie_names(): string[] {
		return [...this.#cookies.keys()];
	}

	async visit(target: string | URL, init: RequestInit = {}): Promise<Visit> {
		const url = new URL(target, this.#origin);
		const cookies = [...this.#cookies]
			.filter(([, { path }]) => url.pathname.startsWith(path))
			.map(([name, { value }]) => `${name}=${value}`);
		const headers = new Headers(init.headers);
		if (!headers.has("accept")) headers.set("accept", "text/html");
		if (cookies.length > 0) headers.set("cookie", cookies.join("; "));
		const response = await fetch(url, { ...init, headers, redirect: "manual" });
		for (const line of response.headers.getSetCookie()) this.#keep(line);
		const location = response.headers.get("location");
		return {
			status: response.status,
			url,
			headers: response.headers,
			text: await response.text(),
			location: location === null ? undefined : new URL(location, url),
		};
	}

	/** Follows redirects within the server; ends with a page, or with one that leads away. */
	async follow(target: string | URL, init: RequestInit = {}): Promise<Visit> {
		let visit = await this.visit(target, init);
		for (let hops = 0; hops < 10; hops += 1) {
			if (visit.location === undefined || visit.location.origin !== this.#origin) return visit;
			visit = await this.visit(visit.location);
		}
		throw new Error("redirects without end");
	}

	/** Sends a form of a page, with its hidden fields and the given ones. */
	submit(
		page: Visit,
		action: string,
		fields: Readonly<Record<string, string>> = {},
	): Promise<Visit> {
		assert.ok(page.text.includes(`/${action}"`), `a form that leads to ${action}: ${page.text}`);
		const token = /name="token" value="([^"]*)"/.exec(page.text)?.[1] ?? "";
		return this.follow(`${page.url.pathname}/${action}`, {
			method: "POST",
			body: new URLSearchParams({ token, ...fields }),
		});
	}

	#keep(line: string): void {
		const [pair = "", ...attributes] = line.split("; ");
		const equals = pair.indexOf("=");
		const name = pair.slice(0, equals);
		const path = attributes.find((one) => one.toLowerCase().startsWith("path="))?.slice(5) ?? "/";
		const over = attributes.some((one) => /^expires=Thu, 01 Jan 1970/i.test(one));
		if (over) this.#cookies.delete(name);
		else this.#cookies.set(name, { value: pair.slice(equals + 1), path });
	}
}

/** A pair of PKCE values. */
export function pkce(): { readonly verifier: string; readonly challenge: string } {
	const verifier = randomBytes(32).toString("base64url");
	return { verifier, challenge: createHash("sha256").update(verifier).digest("base64url") };
}

/** The parts of a token that the scene's own key has signed. */
export function opened(
	scene: Pick<LoginScene, "login">,
	token: unknown,
): { readonly header: Record<string, unknown>; readonly claims: Record<string, unknown> } {
	const [head = "", body = "", signature = ""] = String(token).split(".");
	const [key] = scene.login.jwks().keys;
	assert.ok(key !== undefined);
	const input = Buffer.from(`${head}.${body}`);
	const public_key = createPublicKey({ key, format: "jwk" });
	assert.ok(verify("sha256", input, public_key, Buffer.from(signature, "base64url")));
	const read = (part: string) =>
		JSON.parse(Buffer.from(part, "base64url").toString()) as Record<string, unknown>;
	return { header: read(head), claims: read(body) };
}

/** Where the clients of tests are answered; nobody listens there. */
export const callback = "https://client.example/callback";

/** The address of an authorization request. */
export function authorization(
	scene: Pick<LoginScene, "issuer" | "resource">,
	challenge: string,
	change: Readonly<Record<string, string | undefined>> = {},
): string {
	const parameters: Record<string, string | undefined> = {
		response_type: "code",
		client_id: "app",
		redirect_uri: callback,
		state: "st-1",
		code_challenge: challenge,
		code_challenge_method: "S256",
		resource: scene.resource,
		...change,
	};
	const given = Object.entries(parameters).flatMap(([name, value]): [string, string][] =>
		value === undefined ? [] : [[name, value]],
	);
	return `${scene.issuer}/oauth/authorize?${new URLSearchParams(given).toString()}`;
}

/** Logs in and consents; gives the address that the client is called back at. */
export async function logInAndConsent(
	browser: Browser,
	address: string,
	name = "ana",
): Promise<URL> {
	const page = await browser.follow(address);
	const consent = await browser.submit(page, "login", { name, password });
	const done = await browser.submit(consent, "consent");
	assert.ok(done.location !== undefined, done.text);
	return done.location;
}

/** An access token of somebody who logs in and consents, as the client `app` gets it. */
export async function accessToken(
	scene: Pick<LoginScene, "issuer" | "resource">,
	name = "ana",
): Promise<string> {
	const { verifier, challenge } = pkce();
	const target = authorization(scene, challenge);
	const answer = await logInAndConsent(new Browser(scene.issuer), target, name);
	const { body } = await postForm(`${scene.issuer}/oauth/token`, {
		grant_type: "authorization_code",
		client_id: "app",
		code: answer.searchParams.get("code") ?? "",
		redirect_uri: callback,
		code_verifier: verifier,
	});
	return String(body["access_token"]);
}
