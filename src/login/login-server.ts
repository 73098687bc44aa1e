import type { IncomingMessage, ServerResponse } from "node:http";
import type { Provider } from "oidc-provider";
import type { LoginPlan } from "../config/plan-login.ts";
import type { People } from "../identity/people.ts";
import { type GuardedFetch, guardedFetch } from "../lib/guarded-fetch.ts";
import type { Random } from "../lib/random.ts";
import type { MetaRepository } from "../store/meta-repository.ts";
import type { Log } from "../telemetry/log.ts";
import type { StoredClient } from "./adapter.ts";
import { ClientDocuments } from "./client-documents.ts";
import { Federated, federated_callback } from "./federated.ts";
import { Guesses } from "./guesses.ts";
import { Assertions } from "./id-jag.ts";
import { Interactions } from "./interactions.ts";
import { MachineClients } from "./machine-clients.ts";
import { messagePage, page_headers, sendPage } from "./pages.ts";
import { base_scope, createProvider, login_paths } from "./provider.ts";
import { type RecordOptions, Records } from "./records.ts";
import { type SigningKey, SigningKeys } from "./signing-keys.ts";
import { style, style_path } from "./style.ts";

/** What the embedded authorization server is built on. */
export interface LoginServerOptions extends RecordOptions {
	readonly random: Random;
	readonly log: Log;
	readonly meta: MetaRepository;
	readonly people: People;
	/** Who this gateway is to the outside, without a slash at the end: the issuer. */
	readonly baseUrl: () => string;
	/** Whether an address of this gateway is one that tokens can be for. */
	readonly isResource: (url: string) => boolean;
	/** Where a request comes from. */
	readonly addressOf: (request: IncomingMessage) => string;
	/** Fetches what clients name; guarded by default. */
	readonly fetch?: GuardedFetch;
}

/** A provider, and what it was made from. */
interface Running {
	readonly provider: Provider;
	readonly interactions: Interactions;
	readonly federated: Federated;
}

const keys_refresh_ms = 60 * 60_000;

/**
 * The embedded authorization server as the front door sees it: one function that answers requests.
 * The library behind it is loaded when the first request comes, not before.
 */
export class LoginServer {
	readonly #options: LoginServerOptions;
	readonly #keys: SigningKeys;
	readonly #guesses: Guesses;
	readonly #fetch: GuardedFetch;
	readonly clients: Records<StoredClient>;
	readonly machines: MachineClients;
	#plan: LoginPlan | undefined;
	#running: Promise<Running> | undefined;
	#issuer = "";
	#stopped = false;

	constructor(options: LoginServerOptions) {
		this.#options = options;
		this.#keys = new SigningKeys(options);
		this.#guesses = new Guesses(options.clock);
		this.#fetch = options.fetch ?? guardedFetch({ clock: options.clock, redirects: "none" });
		this.clients = new Records(options, "Client");
		this.machines = new MachineClients(options);
	}

	/** Serves a plan from the next request on; undefined switches it off. */
	async use(plan: LoginPlan | undefined): Promise<void> {
		const was_off = this.#plan === undefined;
		this.#plan = plan;
		this.#running = undefined;
		if (plan === undefined || !was_off) return;
		await this.#keys.refresh();
		this.#refreshLater();
	}

	stop(): void {
		this.#stopped = true;
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

	/** Answers a request below `/oauth/` or for one of the two documents. */
	serve(request: IncomingMessage, response: ServerResponse): void {
		this.#serve(request, response).catch((error: unknown) => {
			this.#options.log.error({ err: error }, "the authorization server failed");
			if (response.headersSent) response.destroy();
			else sendPage(response, failed, 500);
		});
	}

	async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
		const plan = this.#plan;
		if (plan === undefined) return sendPage(response, off, 404);
		if (request.url === style_path) return sendStyle(request, response);
		const { provider, interactions, federated } = await this.#provider(plan);
		if (request.url?.startsWith(`${federated_callback}?`) === true) {
			return returnTo(request.url, federated, response);
		}
		forceAddress(request, provider.issuer);
		if (await interactions.serve(provider, request, response)) return undefined;
		completeRequest(request);
		for (const [name, value] of Object.entries(page_headers)) response.setHeader(name, value);
		await provider.callback()(request, response);
		return undefined;
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
		const { people, clock, log, isResource, addressOf } = this.#options;
		const { random } = this.#options;
		const around = { providers: plan.federated, people, clock, log, issuer };
		const federated = new Federated({ ...around, random });
		const assertions = new Assertions({ ...around, records: this.#options });
		const provider = await createProvider({
			issuer,
			plan,
			records: this.#options,
			keys: this.#keys,
			people,
			machines: this.machines,
			documents: new ClientDocuments(clock, plan.client_documents),
			fetch: this.#fetch,
			isResource,
			assertions,
			onDefect: (error) => log.error({ err: error }, "the authorization server failed"),
		});
		const interactions = new Interactions({
			plan,
			people,
			guesses: this.#guesses,
			federated,
			clients: this.clients,
			form_key: this.#keys.cookie_keys[0] ?? "",
			addressOf,
		});
		return { provider, interactions, federated };
	}

	#refreshLater(): void {
		const { clock, log, repository } = this.#options;
		clock.afterIdle(keys_refresh_ms, () => {
			if (this.#stopped || this.#plan === undefined) return;
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

/**
 * A provider sends everybody back to one address; the browser goes on to the page of its own login,
 * which has the cookie that proves that it began there.
 */
function returnTo(target: string, federated: Federated, response: ServerResponse): void {
	const query = target.slice(target.indexOf("?"));
	const interaction = federated.interactionOf(new URLSearchParams(query).get("state") ?? "");
	if (interaction === undefined) return sendPage(response, unknown_login, 400);
	const location = `${login_paths.interaction}/${interaction}/callback${query}`;
	response.writeHead(303, { ...page_headers, location });
	response.end();
	return undefined;
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
