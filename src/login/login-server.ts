import type { IncomingMessage, ServerResponse } from "node:http";
import type { Provider } from "oidc-provider";
import type { LoginPlan } from "../config/plan-login.ts";
import type { People } from "../identity/people.ts";
import type { Timer } from "../lib/clock.ts";
import { type GuardedFetch, guardedFetch } from "../lib/guarded-fetch.ts";
import type { Random } from "../lib/random.ts";
import type { MetaRepository } from "../store/meta-repository.ts";
import type { Log } from "../telemetry/log.ts";
import type { StoredClient } from "./adapter.ts";
import { BegunLogins } from "./begun-logins.ts";
import { ClientDocuments } from "./client-documents.ts";
import { Federated, federated_callback } from "./federated.ts";
import { Assertions } from "./id-jag.ts";
import type { IdentityTokens } from "./identity-tokens.ts";
import { Interactions } from "./interactions.ts";
import { MachineClients } from "./machine-clients.ts";
import { messagePage, page_headers, sendPage } from "./pages.ts";
import type { PasswordLogin } from "./password-login.ts";
import { base_scope, createProvider, login_paths } from "./provider.ts";
import { type RecordOptions, Records } from "./records.ts";
import { clearedSession, sessionIn } from "./session-cookies.ts";
import { isSignIn, sign_in_callback } from "./sign-in.ts";
import { type SigningKey, SigningKeys } from "./signing-keys.ts";
import { style, style_path } from "./style.ts";

/** What the embedded authorization server is built on. */
export interface LoginServerOptions extends RecordOptions {
	readonly random: Random;
	readonly log: Log;
	readonly meta: MetaRepository;
	readonly people: People;
	readonly passwords: PasswordLogin;
	/** Who this gateway is to the outside, without a slash at the end: the issuer. */
	readonly baseUrl: () => string;
	/** Whether an address of this gateway is one that tokens can be for. */
	readonly isResource: (url: string) => boolean;
	/** Where a request comes from. */
	readonly addressOf: (request: IncomingMessage) => string;
	/** Keeps what people sign in with at a provider; without it nothing is kept. */
	readonly identities?: Pick<IdentityTokens, "keep"> | undefined;
	/** Fetches what clients name; guarded by default. */
	readonly fetch?: GuardedFetch;
}

/** A provider, and what it was made from. */
interface Running {
	readonly provider: Provider;
	readonly interactions: Interactions;
}

const keys_refresh_ms = 60 * 60_000;
const nonce_key_bytes = 32;

/**
 * The embedded authorization server as the front door sees it: one function that answers requests.
 * The library behind it is loaded when the first request comes, not before.
 */
export class LoginServer {
	readonly #options: LoginServerOptions;
	readonly #keys: SigningKeys;
	readonly #begun: BegunLogins;
	readonly #fetch: GuardedFetch;
	/** Outlives plans and keys: a nonce that was just given out is not refused for a reload. */
	readonly #nonce_key: Buffer;
	readonly clients: Records<StoredClient>;
	readonly machines: MachineClients;
	#plan: LoginPlan | undefined;
	/** Where requests that are being answered come from. */
	readonly #addresses = new WeakMap<IncomingMessage, string>();
	#running: Promise<Running> | undefined;
	#issuer = "";
	#refreshing: Timer | undefined;
	#stopped = false;

	constructor(options: LoginServerOptions) {
		this.#options = options;
		this.#keys = new SigningKeys(options);
		this.#begun = new BegunLogins(options);
		this.#fetch = options.fetch ?? guardedFetch({ clock: options.clock, redirects: "none" });
		this.#nonce_key = options.random.bytes(nonce_key_bytes);
		this.clients = new Records(options, "Client");
		this.machines = new MachineClients(options);
	}

	/** Serves a plan from the next request on; undefined switches it off. */
	async use(plan: LoginPlan | undefined): Promise<void> {
		const was_off = this.#plan === undefined;
		this.#plan = plan;
		this.#running = undefined;
		if (plan === undefined) this.#refreshing?.cancel();
		if (plan === undefined || !was_off) return;
		await this.#keys.refresh();
		this.#refreshLater();
	}

	/** Ends the work that is done from time to time, for good. */
	stop(): void {
		this.#stopped = true;
		this.#refreshing?.cancel();
	}

	get is_on(): boolean {
		return this.#plan !== undefined;
	}

	/** What stands in `iss`. */
	get issuer(): string {
		return this.#options.baseUrl();
	}

	/** The public keys of access tokens, as they are now. */
	jwks(): { readonly keys: readonly SigningKey[] } {
		return this.#keys.publicKeys();
	}

	/**
	 * Ends a person's login here in the browser that a request is from.
	 * @param account `tenant/user`; somebody else's login is left alone
	 * @returns the `Set-Cookie` lines that take its cookies away
	 */
	async endLogin(cookies: string | undefined, account: string): Promise<string[]> {
		const plan = this.#plan;
		const id = plan && sessionIn(cookies, this.issuer);
		if (plan === undefined || id === undefined) return [];
		const { provider } = await this.#provider(plan);
		const session = await provider.Session.find(id);
		if (session?.accountId !== account) return [];
		await session.destroy();
		return clearedSession(this.issuer);
	}

	/** Answers a request below `/oauth/` or for one of the two documents. */
	serve(request: IncomingMessage, response: ServerResponse): void {
		this.#serve(request, response).catch((error: unknown) => {
			this.#options.log.error({ err: error }, "the authorization server failed");
			if (response.headersSent) response.destroy();
			else sendPage(response, failed, 500);
		});
	}

	async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
		if (request.url === style_path) return sendStyle(request, response);
		const returned = request.url?.startsWith(`${federated_callback}?`) === true;
		const location = returned ? await this.#begunAt(request.url ?? "") : undefined;
		if (location !== undefined) return leadOn(location, response);
		const plan = this.#plan;
		if (plan === undefined) return sendPage(response, off, 404);
		if (returned) return sendPage(response, unknown_login, 400);
		const { provider, interactions } = await this.#provider(plan);
		// What a proxy says of it is taken away by the next line.
		this.#addresses.set(request, this.#options.addressOf(request));
		forceAddress(request, provider.issuer);
		if (await interactions.serve(provider, request, response)) return undefined;
		completeRequest(request);
		for (const [name, value] of Object.entries(page_headers)) response.setHeader(name, value);
		await provider.callback()(request, response);
		return undefined;
	}

	/**
	 * Where a browser goes on that a provider has sent back: providers know one address, and each
	 * login has a page of its own, whose cookie proves that it began in this browser.
	 */
	async #begunAt(target: string): Promise<string | undefined> {
		const query = target.slice(target.indexOf("?"));
		const begun = await this.#begun.find(new URLSearchParams(query).get("state") ?? "");
		if (begun === undefined) return undefined;
		if (isSignIn(begun.interaction)) return `${sign_in_callback}${query}`;
		return `${login_paths.interaction}/${begun.interaction}/callback${query}`;
	}

	/** One provider for one plan, one set of keys and one address. */
	#provider(plan: LoginPlan): Promise<Running> {
		const issuer = this.issuer;
		if (this.#issuer !== issuer) this.#running = undefined;
		this.#issuer = issuer;
		this.#running ??= this.#create(plan, issuer).catch((error: unknown) => {
			this.#running = undefined;
			throw error;
		});
		return this.#running;
	}

	async #create(plan: LoginPlan, issuer: string): Promise<Running> {
		const { people, passwords, clock, log, isResource } = this.#options;
		const addressOf = (request: IncomingMessage) =>
			this.#addresses.get(request) ?? this.#options.addressOf(request);
		const { random, identities } = this.#options;
		const around = { providers: plan.federated, clock, log, issuer };
		const federated = new Federated({ ...around, random, records: this.#options });
		const assertions = new Assertions({ ...around, people, records: this.#options });
		const provider = await createProvider({
			issuer,
			plan,
			records: this.#options,
			keys: this.#keys,
			nonce_key: this.#nonce_key,
			people,
			machines: this.machines,
			documents: new ClientDocuments(clock, plan.client_documents),
			fetch: this.#fetch,
			addressOf,
			isResource,
			assertions,
			onDefect: (error) => log.error({ err: error }, "the authorization server failed"),
		});
		const interactions = new Interactions({
			plan,
			people,
			passwords,
			federated,
			identities,
			log,
			clients: this.clients,
			form_keys: this.#keys.cookie_keys,
			addressOf,
		});
		return { provider, interactions };
	}

	#refreshLater(): void {
		const { clock, log, repository } = this.#options;
		if (this.#stopped || this.#plan === undefined) return;
		this.#refreshing?.cancel();
		this.#refreshing = clock.afterIdle(keys_refresh_ms, () => {
			this.#refresh().catch((error: unknown) => {
				log.error({ err: error }, "the keys of the authorization server were not renewed");
			});
			repository.sweep(clock.now()).catch((error: unknown) => {
				log.warn({ err: error }, "old logins were not removed");
			});
			this.#refreshLater();
		});
	}

	async #refresh(): Promise<void> {
		if (await this.#keys.refresh()) this.#running = undefined;
	}
}

function leadOn(location: string, response: ServerResponse): void {
	response.writeHead(303, { ...page_headers, location });
	response.end();
}

/** The address is the one the gateway has to the outside, whatever a request's headers say. */
function forceAddress(request: IncomingMessage, issuer: string): void {
	const url = new URL(issuer);
	for (const name of Object.keys(request.headers)) {
		if (name === "forwarded" || name.startsWith("x-forwarded-")) delete request.headers[name];
	}
	request.headers["x-forwarded-proto"] = url.protocol.slice(0, -1);
	request.headers["x-forwarded-host"] = url.host;
}

/** A request without a scope asks for the one that everything needs. */
function completeRequest(request: IncomingMessage): void {
	const target = request.url ?? "/";
	const question = target.indexOf("?");
	const path = question < 0 ? target : target.slice(0, question);
	if (path !== login_paths.authorization || question < 0) return;
	const given = new URLSearchParams(target.slice(question));
	if ((given.get("scope") ?? "").trim() !== "") return;
	given.set("scope", base_scope);
	request.url = `${path}?${given.toString()}`;
}

function sendStyle(request: IncomingMessage, response: ServerResponse): void {
	response.writeHead(request.method === "GET" ? 200 : 405, {
		"content-type": "text/css; charset=utf-8",
		"cache-control": "public, max-age=3600",
		"x-content-type-options": "nosniff",
	});
	response.end(request.method === "GET" ? style : "");
}

const unknown_login = messagePage(
	"This login is over",
	"It was finished already, took too long, or was begun elsewhere.",
	"Go back to the program you came from and start again.",
);
const off = messagePage("Nothing is here", "This gateway has no login of its own.", "");
const failed = messagePage("This did not work", "Moorage failed.", "Try again in a moment.");
