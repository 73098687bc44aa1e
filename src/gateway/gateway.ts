import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Plan } from "../config/plan.ts";
import type { InstanceKey } from "../hosting/hosting.ts";
import type { StoredKeys } from "../identity/api-keys.ts";
import { Identity } from "../identity/identity.ts";
import type { LocalIssuer } from "../identity/oauth/issuer-options.ts";
import { type Principal, partsOfPrincipal } from "../identity/principal.ts";
import { type Timer, withinTime } from "../lib/clock.ts";
import type { Result } from "../lib/result.ts";
import type { Session } from "../sessions/sessions.ts";
import type { Upstream } from "../upstreams/driver.ts";
import { Admission } from "./admission.ts";
import { answerError, type Refusal } from "./answer-error.ts";
import { type Answered, noteAnswered, refusedOutcome } from "./answered.ts";
import { type ApiObstacle, api_scope, apiObstacle, metrics_scope } from "./api-access.ts";
import { type Arrival, Arrivals } from "./arrival.ts";
import { UnattributedAsks } from "./asks.ts";
import { type Authenticated, Authenticator, presentedToApi } from "./authenticate.ts";
import { GatewayContext, type GatewayOptions } from "./context.ts";
import { corsHeaders, preflightHeaders } from "./cors.ts";
import type { Exchange } from "./edges/exchange.ts";
import { LegacyEdge } from "./edges/legacy.ts";
import { LegacyStates } from "./edges/legacy-state.ts";
import { type Edges, serveMcpAddress } from "./edges/mcp-address.ts";
import { ModernEdge } from "./edges/modern.ts";
import { clientOf } from "./edges/session-client.ts";
import { SseEdge } from "./edges/sse-edge.ts";
import { type Endpoint, endpointsOf } from "./endpoint.ts";
import { isAllowedHost, isAllowedOrigin } from "./guard.ts";
import { serveHealth } from "./health.ts";
import { type ListenAt, Listeners, type ListenProblem } from "./listeners.ts";
import { type OpenAnswer, OpenAnswers } from "./open-answers.ts";
import { Pushes } from "./pushes.ts";
import { answerJson, type EndpointPart, endpointPath, type Route, routeOf } from "./routes.ts";
import { serveScrape } from "./scrape.ts";
import { come_back, shutting_down } from "./shutting-down.ts";
import { ResourceSubscriptions } from "./subscriptions/resource-subscriptions.ts";
import { subscriptionTarget } from "./subscriptions/subscription-target.ts";
import type { TlsMaterial } from "./tls-files.ts";
import { resourceMetadata } from "./wellknown/resource-metadata.ts";

/** The whole front door: one listener, every address behind it. */
export interface FrontDoorOptions extends GatewayOptions {
	/** Serves `/api` and what is below it. */
	readonly admin: (request: IncomingMessage, response: ServerResponse) => void;
	/** Serves the dashboard's files and the frames of MCP Apps. */
	readonly dashboard: (request: IncomingMessage, response: ServerResponse) => void;
	/** Answers browsers that come back from the page of an authorization server. */
	readonly consent: (request: IncomingMessage, response: ServerResponse) => void;
	/** The embedded authorization server: `/oauth/` and its documents. */
	readonly login: (request: IncomingMessage, response: ServerResponse) => void;
	/** The pages on which people sign in to the gateway's own. */
	readonly sign_in: (request: IncomingMessage, response: ServerResponse) => void;
	/** The pages on which people decide about calls. */
	readonly approval_pages: (request: IncomingMessage, response: ServerResponse) => void;
	/** API keys beside those of the plan. */
	readonly stored_keys: StoredKeys;
	/** The authorization server in this process, as long as there is one. */
	local_issuer(): LocalIssuer | undefined;
	/** Answers whoever may read metrics. */
	readonly metrics?: (request: IncomingMessage, response: ServerResponse) => void;
	/** Told of every credential that was refused, by the code of the refusal. */
	readonly onRefused?: (code: string) => void;
	/** True once every server has answered, has a stored catalog, or has failed. */
	readonly ready: () => boolean;
}

/** How often streams are looked through for those of people who are nobody here any more. */
export const look_ms = 5_000;

/** How long answers that an off switch ends may take to be written. */
const break_off_ms = 250;

/** Listens, guards, routes. What a request means is the edges' business. */
export class Gateway {
	readonly context: GatewayContext;
	readonly pushes: Pushes;
	readonly asks: UnattributedAsks;
	readonly subscriptions: ResourceSubscriptions;
	/** Who calls; more issuers and keys may be added to it. */
	readonly identity: Identity;
	readonly #options: FrontDoorOptions;
	readonly #states: LegacyStates;
	readonly #edges: Edges;
	readonly #sse: SseEdge;
	readonly #closing = new AbortController();
	readonly #answers = new OpenAnswers();
	readonly #admission = new Admission();
	readonly #listeners = new Listeners((request, response) => this.#serve(request, response));
	#plan: Plan;
	#authenticator: Authenticator;
	#arrivals: Arrivals;
	/** Where clients on this machine come, once it listens. */
	#local_base = "";
	#endpoints: ReadonlyMap<string, Endpoint>;
	#stopping = false;
	#look: Timer | undefined;
	#idle: (() => void) | undefined;

	constructor(options: FrontDoorOptions, plan: Plan) {
		this.#options = options;
		this.context = new GatewayContext({
			...options,
			stepUp: (endpoint, scopes) => this.#stepUp(endpoint, scopes),
			hasTenants: () => this.#plan.identity !== undefined,
		});
		this.#states = new LegacyStates(options.random);
		this.pushes = new Pushes(this.context, () => this.#endpoints);
		this.asks = new UnattributedAsks(this.context, this.#states);
		const { context, pushes } = this;
		this.subscriptions = new ResourceSubscriptions(context, (key, message) =>
			pushes.onPush(key, message),
		);
		this.context.switches?.onChange((change) => {
			pushes.announceEverything();
			// What is on again is told what is still wanted of it.
			if (change.kind === "lifted") return this.subscriptions.wakeWatched();
			const open = this.#answers.openFor((who) => change.isAbout(who));
			if (open.length === 0) return;
			// Calls have their errors by then; what is left are streams that would stay for hours.
			context.clock.after(break_off_ms, () => {
				for (const response of open) response.destroy();
			});
		});
		const { subscriptions } = this;
		const stopping = this.#closing.signal;
		const legacy = new LegacyEdge(
			context,
			this.#states,
			pushes,
			subscriptions,
			() => this.#endpoints,
		);
		this.#edges = {
			legacy,
			modern: new ModernEdge(context, { pushes, subscriptions, stopping }),
			stopping,
		};
		this.#sse = new SseEdge({ context, legacy, states: this.#states, pushes, stopping });
		this.#plan = plan;
		this.identity = new Identity(options, plan.identity);
		this.#authenticator = new Authenticator(this.identity, plan.identity);
		this.#arrivals = new Arrivals(plan.front);
		this.#endpoints = endpointsOf(plan);
	}

	/** Endpoints by name, as they are now. */
	get endpoints(): ReadonlyMap<string, Endpoint> {
		return this.#endpoints;
	}

	/** The challenge for a token that lacks scopes which a call at an endpoint needs. */
	#stepUp({ path }: Endpoint, scopes: readonly string[]): string {
		const base = this.#plan.front.public_url ?? this.#local_base;
		// Those that every call needs as well: a client may ask for just what it is told.
		const all = [...new Set([...this.#authenticator.scopes, ...scopes])];
		return this.#authenticator.stepUp(all, { base, path });
	}

	/** Requests being served now, push streams not counted. */
	get in_flight(): number {
		return this.#admission.taken;
	}

	/** Those of them that are of a tenant. */
	inFlightOf(tenant: string): number {
		return this.#admission.heldBy(tenant);
	}

	/**
	 * Whom a credential of the admin API belongs to; undefined where nobody is told apart, or it is
	 * nobody's. The request is there where the credential came with it.
	 */
	async identify(
		authorization: string,
		request: IncomingMessage | undefined,
		again = false,
	): Promise<Principal | undefined> {
		if (this.#plan.identity === undefined) return undefined;
		const known = this.#plan.front.public_url ?? this.#local_base;
		const base = request === undefined ? known : this.#arrivals.of(request).base;
		const presented = { ...presentedToApi(authorization, request, base), is_proven: again };
		const found = await this.identity.identify(presented, this.context.clock.now());
		return found.ok ? found.value : undefined;
	}

	/** Why somebody who is known may not use the admin API. */
	apiObstacle(who: Principal): ApiObstacle | undefined {
		return apiObstacle(who, this.#authenticator.scopes, this.context.switches);
	}

	/** Whether browsers come over TLS, be it ended here or in front. */
	get is_encrypted(): boolean {
		const { public_url, tls } = this.#plan.front;
		return tls !== undefined || public_url?.startsWith("https:") === true;
	}

	/** Serves another plan from the next request on; running requests finish on the old one. */
	use(plan: Plan): void {
		const former = this.#endpoints;
		this.#plan = plan;
		this.identity.use(plan.identity);
		this.#authenticator = new Authenticator(this.identity, plan.identity);
		this.#arrivals = new Arrivals(plan.front);
		this.#endpoints = endpointsOf(plan);
		this.pushes.onReplaced(former);
		this.#lookAgain();
	}

	/**
	 * Ends the streams of those who would not be let in again: their key, their person or their
	 * login was taken back, and a stream would tell them for hours. Calls in flight go on.
	 */
	#lookAgain(): void {
		const now_ms = this.context.clock.now();
		for (const response of this.#answers.openFor((who) => !this.identity.isStill(who, now_ms))) {
			if (isStream(response.req)) response.destroy();
		}
	}

	#lookLater(): void {
		this.#look = this.context.clock.afterIdle(look_ms, () => {
			this.#lookAgain();
			this.#lookLater();
		});
	}

	/** Counts what restored sessions watch, so that their servers are told once they run. */
	restoreSubscriptions(sessions: Iterable<Session>): void {
		for (const session of sessions) {
			const endpoint = this.#endpoints.get(session.endpoint);
			if (endpoint === undefined) continue;
			for (const uri of session.subscriptions) {
				const target = subscriptionTarget(endpoint, uri);
				if (target === undefined) continue;
				const key = this.context.instanceKey(target.server, clientOf(session));
				const { tenant } = partsOfPrincipal(session.principal);
				this.subscriptions.remember(target.server, key, { uri: target.uri, tenant });
			}
		}
	}

	/** An instance takes no more calls, or is gone: nothing holds it any longer. */
	onRetired(key: InstanceKey, upstream: Upstream): void {
		this.subscriptions.onRetired(key);
		this.context.task_holds.onRetired(upstream);
	}

	/**
	 * Starts listening at an address, or on a socket that does so already; resolves with where
	 * programs on this machine come, which matters when port 0 was asked for. Where TLS ends here,
	 * those have an address of their own, which needs no certificate.
	 */
	async listen(at: ListenAt, tls?: TlsMaterial): Promise<Result<AddressInfo, ListenProblem>> {
		const { limits } = this.#plan;
		const listening = await this.#listeners.listen(at, limits, tls);
		if (!listening.ok) return listening;
		const local =
			tls === undefined
				? listening
				: await this.#listeners.listen({ host: "127.0.0.1", port: 0 }, limits);
		if (local.ok) this.#local_base = localBase(local.value);
		this.#lookLater();
		return local.ok ? listening : local;
	}

	/** Where programs on this machine come, once it listens. */
	get local_base(): string {
		return this.#local_base;
	}

	/** New connections are served with other certificates from now on. */
	replaceTls(tls: TlsMaterial): void {
		this.#listeners.replaceTls(tls);
	}

	/**
	 * Takes no new calls and lets running ones finish until the deadline. The listener stays open
	 * meanwhile: who calls now is told when to come back, instead of finding nobody, and clients
	 * may still answer what a running call asks them.
	 */
	async drain(deadline_ms: number): Promise<void> {
		if (this.#stopping) return;
		this.#stopping = true;
		this.#closing.abort();
		this.#states.abandonPushes();
		const tasks_idle = this.context.approvals?.tasks?.idle();
		await Promise.all([
			this.#settle(deadline_ms),
			tasks_idle && withinTime(this.context.clock, deadline_ms, tasks_idle),
		]);
	}

	/** Lets what is written reach its readers until the deadline, then closes everything. */
	async close(deadline_ms: number): Promise<void> {
		if (!this.#listeners.is_open) return;
		this.#stopping = true;
		this.#look?.cancel();
		await this.#listeners.close(async () => {
			this.#sse.hangUp();
			await this.#answers.sent(deadline_ms, this.context.clock);
		});
	}

	#settle(deadline_ms: number): Promise<void> {
		if (this.in_flight === 0) return Promise.resolve();
		return new Promise((resolve) => {
			const timer = this.context.clock.after(deadline_ms, resolve);
			this.#idle = () => {
				timer.cancel();
				resolve();
			};
		});
	}

	#serve(request: IncomingMessage, response: ServerResponse): void {
		const answer = this.#answers.add(response);
		const route = routeOf(request.url ?? "/");
		const arrival = this.#arrivals.of(request);
		const refusal = this.#refusal(request, arrival);
		if (refusal !== undefined) {
			const { code, message } = refusal;
			if (route.kind !== "endpoint") answerJson(response, 403, { error: code, message });
			else this.#refuse({ request, response, headers: no_headers, route, answer }, 403, refusal);
			return;
		}
		if (route.kind === "endpoint") this.#serveEndpoint(request, answer, route, arrival);
		else if (this.#stopping) {
			const body = { error: shutting_down.code, message: shutting_down.message };
			answerJson(response, 503, body, come_back);
		} else if (route.kind === "admin") this.#options.admin(request, response);
		else if (route.kind === "dashboard") this.#options.dashboard(request, response);
		else if (route.kind === "resource") this.#serveMetadata(request, response, route.of, arrival);
		else if (route.kind === "consent") this.#options.consent(request, response);
		else if (route.kind === "login") this.#options.login(request, response);
		else if (route.kind === "sign_in") this.#options.sign_in(request, response);
		else if (route.kind === "approvals") this.#options.approval_pages(request, response);
		else if (route.kind === "metrics") this.#serveMetrics(request, response);
		else if (route.kind === "health") serveHealth(response, route.name, this.#options.ready());
		else answerJson(response, 404, not_found);
	}

	#serveMetrics(request: IncomingMessage, response: ServerResponse): void {
		const { metrics, onRefused } = this.#options;
		if (metrics === undefined) return answerJson(response, 404, not_found);
		const has_identity = this.#plan.identity !== undefined;
		const whoIs = (authorization: string) => this.identify(authorization, request);
		const obstacle = (who: Principal) =>
			apiObstacle(who, this.#authenticator.scopes, this.context.switches, [
				metrics_scope,
				api_scope,
			]);
		const parts = { has_identity, whoIs, obstacle, metrics, onRefused };
		serveScrape(request, response, parts).catch((error: unknown) =>
			this.#broke(error, { response, headers: no_headers }),
		);
	}

	#serveEndpoint(
		request: IncomingMessage,
		answer: OpenAnswer,
		route: EndpointRoute,
		arrival: Arrival,
	): void {
		const { response } = answer;
		const { origin } = request.headers;
		// Only MCP addresses are open to pages of other origins; the rest has no such headers.
		const cors_headers = origin === undefined ? no_headers : corsHeaders(origin);
		const nonce_headers = this.#authenticator.nonceHeaders(request);
		const headers =
			nonce_headers === undefined ? cors_headers : { ...cors_headers, ...nonce_headers };
		const one = { request, response, headers, route, answer };
		// What is posted may be the answer to a running call's question: the edges look at it.
		if (this.#stopping && (request.method !== "POST" || route.part === "sse")) {
			return this.#refuse(one, 503, shutting_down, come_back);
		}
		if (origin !== undefined && request.method === "OPTIONS") {
			response.writeHead(204, preflightHeaders(origin, request.headers));
			response.end();
			return;
		}
		if (route.part !== "mcp" && !this.#plan.sse) {
			return this.#refuse(one, 404, { code: "not_found", message: not_found.message });
		}
		// Before anything is looked up: who is nobody here learns not even which names there are.
		const who = this.#authenticator.identify(request, arrival, route, this.context.clock.now());
		if (!(who instanceof Promise)) return this.#serveKnown(one, who);
		who.then(
			// Who has left meanwhile is not served: nothing would say that it is over.
			(found) => void (response.closed || this.#serveKnown(one, found)),
			(error: unknown) => this.#broke(error, one, this.#asked(one)),
		);
	}

	/** Refuses a request at an MCP address, which has its line in the call log all the same. */
	#refuse(
		one: Unknown,
		status: number,
		refusal: Refusal,
		more: Readonly<Record<string, string>> = no_headers,
		who?: Principal,
	): void {
		answerError(one.response, status, refusal, { ...one.headers, ...more });
		const outcome = refusedOutcome(status, refusal);
		noteAnswered({ ...this.#asked(one), who, outcome }, this.context);
	}

	#asked({ request, route: { name } }: Unknown): Omit<Answered, "outcome"> {
		return { request, endpoint: name, is_offered: this.#endpoints.has(name) };
	}

	#serveKnown(one: Unknown, who: Authenticated): void {
		const { request, response, headers, route } = one;
		if (!who.ok) {
			const { status, headers: challenge, refusal, detail } = who.problem;
			this.#options.onRefused?.(refusal.code);
			const error_id = this.#noteRefused(request, route, refusal.code, detail);
			const told = error_id === undefined ? refusal : { ...refusal, error_id };
			return this.#refuse(one, status, told, challenge);
		}
		one.answer.who = who.value;
		const off = this.context.switches?.callerRefusal(who.value);
		if (off !== undefined) {
			const refusal = { code: off.code, message: off.message };
			return this.#refuse(one, 403, refusal, no_headers, who.value);
		}
		const endpoint = this.#endpoints.get(route.name);
		if (endpoint === undefined) {
			const message = `There is no server or endpoint named "${route.name}".`;
			const refusal = { code: "server_unknown", message } as const;
			return this.#refuse(one, 404, refusal, no_headers, who.value);
		}
		// A push stream stays open for hours and costs nearly nothing: it is not a request.
		const seat = request.method === "GET" ? undefined : this.#enter(who.value);
		if (typeof seat === "string") {
			return this.#refuse(one, 503, overloaded[seat], { "retry-after": "1" }, who.value);
		}
		const { id: principal, client } = who.value;
		const exchange = { request, response, endpoint, headers, who: who.value, principal, client };
		const served = () => {
			if (seat === undefined) return;
			this.#admission.leave(seat);
			if (this.in_flight === 0) this.#idle?.();
		};
		this.#servePart(exchange, route.part).then(served, (error: unknown) => {
			served();
			this.#broke(error, exchange, { ...this.#asked(one), who: who.value });
		});
	}

	/** A place among the requests that are answered at one time, else why there is none. */
	#enter({ tenant }: Principal): ReturnType<Admission["enter"]> {
		const { limits, identity } = this.#plan;
		const places_max = limits.requests_in_flight_max;
		return this.#admission.enter(tenant, places_max, identity !== undefined);
	}

	#servePart(exchange: Exchange, part: EndpointPart): Promise<void> {
		if (part === "mcp") return serveMcpAddress(exchange, this.#edges, this.context);
		return this.#serveSse(exchange, part);
	}

	async #serveSse(exchange: Exchange, part: Exclude<EndpointPart, "mcp">): Promise<void> {
		if (part === "sse") this.#sse.stream(exchange);
		else await this.#sse.message(exchange);
	}

	/** Tells whoever runs the gateway who was not let in, and why. */
	#noteRefused(
		request: IncomingMessage,
		{ name }: EndpointRoute,
		code: string,
		detail: string | undefined,
	): string | undefined {
		if (detail === undefined) return undefined;
		const error_id = this.context.random.bytes(error_id_bytes).toString("base64url");
		const from = this.#arrivals.clientAddress(request);
		this.context.log.info(
			{ code, detail, error_id, endpoint: name, from },
			"a credential was refused",
		);
		return error_id;
	}

	/** Says who gives tokens for an address, whether or not there is a server behind it. */
	#serveMetadata(
		request: IncomingMessage,
		response: ServerResponse,
		of: Parameters<typeof endpointPath>[0] | undefined,
		{ base }: Arrival,
	): void {
		const { origin } = request.headers;
		const headers = origin === undefined ? no_headers : corsHeaders(origin);
		const { issuers } = this.identity;
		if (issuers.length === 0) return answerJson(response, 404, not_found, headers);
		if (origin !== undefined && request.method === "OPTIONS") {
			response.writeHead(204, preflightHeaders(origin, request.headers));
			response.end();
			return;
		}
		if (request.method !== "GET" && request.method !== "HEAD") {
			const body = { error: "method_not_allowed", message: "Use GET here." };
			return answerJson(response, 405, body, { ...headers, allow: "GET, HEAD" });
		}
		const path = of === undefined ? "" : endpointPath(of);
		const { scopes, dpop_required } = this.#authenticator;
		const document = resourceMetadata({ base, path, issuers, scopes, dpop_required });
		answerJson(response, 200, document, headers);
	}

	#refusal(
		request: IncomingMessage,
		{ host, is_encrypted, is_local }: Arrival,
	): Refusal | undefined {
		const rules = { hosts: this.#plan.allowed_hosts, origins: this.#plan.allowed_origins };
		if (!isAllowedHost(host, rules)) {
			const message = "This Host is not allowed. Add it to allowed_hosts if it is yours.";
			return { code: "host_not_allowed", message };
		}
		if (!isAllowedOrigin(request.headers.origin, rules)) {
			const message = "This Origin is not allowed. Add it to allowed_origins if it is yours.";
			return { code: "origin_not_allowed", message };
		}
		if (!is_local && this.#plan.identity === undefined) {
			const message = "Without identity only programs on this machine are served.";
			return { code: "identity_required", message };
		}
		if (!is_encrypted) {
			const message =
				`Come to ${this.#plan.front.public_url}, which is encrypted. If this came from there, ` +
				"list the reverse proxy's address under trusted_proxies.";
			return { code: "not_encrypted", message };
		}
		return undefined;
	}

	/** Answers for a defect of ours; `asked` says what was asked for at an MCP address. */
	#broke(
		error: unknown,
		{ response, headers }: Pick<Exchange, "response" | "headers">,
		asked?: Omit<Answered, "outcome">,
	): void {
		const { code, message, id } = this.context.defect(error, { id: "-", method: "-" });
		const refusal = { code, message, error_id: id };
		if (response.headersSent) response.destroy();
		else answerError(response, 500, refusal, headers);
		if (asked === undefined) return;
		noteAnswered({ ...asked, outcome: refusedOutcome(500, refusal) }, this.context);
	}
}

type EndpointRoute = Extract<Route, { kind: "endpoint" }>;

/** A request of nobody knows whom yet. */
interface Unknown {
	readonly request: IncomingMessage;
	readonly response: ServerResponse;
	readonly headers: Readonly<Record<string, string>>;
	readonly route: EndpointRoute;
	/** What is to know whom it is for. */
	readonly answer: OpenAnswer;
}

/** What a client on this machine calls an address that is listened on. */
function localBase({ address, port }: AddressInfo): string {
	const anywhere = address === "0.0.0.0" || address === "::";
	const host = anywhere ? "127.0.0.1" : address;
	return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/** Random bytes of the id that joins an answer and its line in the log. */
const error_id_bytes = 6;

const no_headers: Readonly<Record<string, string>> = {};

const not_found = {
	error: "not_found",
	message: "Nothing is here. MCP addresses are /mcp and /<server>/mcp.",
};

const overloaded = {
	full: {
		code: "overloaded",
		message: "Too many requests at once. Try again in a moment.",
	},
	over_share: {
		code: "overloaded",
		message:
			"The gateway is busy, and your tenant has its share of it: as many requests are being " +
			"answered for it as there are places left for all. Try again in a moment.",
	},
} as const;

/** Whether a request is there to be told of things, as long as it is open. */
function isStream({ method, headers }: IncomingMessage): boolean {
	return method === "GET" || headers["mcp-method"] === "subscriptions/listen";
}
