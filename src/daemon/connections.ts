import { createHash } from "node:crypto";
import { admin_principal, type Caller, hasRole } from "../admin/caller.ts";
import type { ConnectBackend } from "../admin/connect-pages.ts";
import { type ConnectOutcome, type ConnectView, connect_path } from "../admin/connect-views.ts";
import type { MyGrant } from "../admin/contracts/upstream-grants.ts";
import { type AdminProblem, problemOf } from "../admin/problem.ts";
import { sign_in_path } from "../admin/sign-in-forms.ts";
import type { Catalogs } from "../catalog/catalogs.ts";
import { exchangesIdentity } from "../config/exchange-form.ts";
import type { Plan, ServerPlan } from "../config/plan.ts";
import type { CallConnections } from "../gateway/context.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { scopeKey, type Who } from "../gateway/scope.ts";
import type { Hosting } from "../hosting/hosting.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { isSameText } from "../lib/same-text.ts";
import type { GrantOwner } from "../store/grant-repository.ts";
import type { PersonPage } from "../upstreams/http/oauth/attempt.ts";
import type { KeptGrant, SealedTokenStore } from "../upstreams/http/oauth/sealed-token-store.ts";
import type { GrantFor, UpstreamAuths } from "../upstreams/http/oauth/upstream-auths.ts";
import { type Consents, isAnsweredAt, type Waiting } from "./consents.ts";
import { aboutServer, type Values } from "./grants-about.ts";
import { myServers } from "./my-servers.ts";
import { grantOwnerOf } from "./values.ts";

/** The house, as far as connecting an account needs it. */
export interface ConnectRooms {
	readonly plan: Plan;
	/** Where this gateway is reached from its own machine. */
	readonly url: string;
	readonly gateway: Gateway;
	readonly hosting: Hosting;
	readonly catalogs: Catalogs;
}

/** How long somebody who opens the page of a server waits for what would be asked for. */
const look_ms = 20_000;

/**
 * How people connect their own accounts at remote servers: whose each would be, who may give it,
 * and the calls that wait for that.
 */
export class Connections implements ConnectBackend, CallConnections {
	readonly #consents: Consents;
	readonly #store: SealedTokenStore;
	readonly #auths: UpstreamAuths;
	readonly #rooms: () => ConnectRooms;
	readonly #values: () => Values;
	/** Who waits for whose authorization, by what it is for. */
	readonly #waiting = new Map<string, Set<() => void>>();

	constructor(
		consents: Consents,
		store: SealedTokenStore,
		auths: UpstreamAuths,
		rooms: () => ConnectRooms,
		values: () => Values,
	) {
		this.#values = values;
		this.#consents = consents;
		this.#store = store;
		this.#auths = auths;
		this.#rooms = rooms;
	}

	/** Our own page where somebody connects; with identity nobody is told any other. */
	pageOf({ server, ...owner }: GrantFor): string {
		const about = owner.user === "" ? "" : `?for=${personTag(owner)}`;
		return `${publicUrl(this.#rooms())}${connect_path}/${server}${about}`;
	}

	/** Where whoever calls is told to go. */
	personPage(page: URL, who: GrantFor): PersonPage {
		// Without identity everybody is whoever runs the gateway: there is nobody to be mistaken for.
		if (!this.#has_identity) return { url: page.href, at_once: false };
		return { url: this.pageOf(who), at_once: true };
	}

	/** Where somebody signs in whose identity is to be exchanged; nobody else can do it for them. */
	signInPage({ user }: GrantFor): string | undefined {
		if (user === "" || !this.#has_identity) return undefined;
		return `${publicUrl(this.#rooms())}${sign_in_path}?to=${connect_path}`;
	}

	pageFor(server: ServerPlan, who: Who): string | undefined {
		const owner = this.#ownerOf(server, who);
		if (owner === "nobody" || !this.#has_identity) return undefined;
		if (exchangesIdentity(server)) return this.signInPage({ ...owner, server: server.name });
		if (!isConnectable(server)) return undefined;
		return this.pageOf({ ...owner, server: server.name });
	}

	granted(server: ServerPlan, who: Who, signal: AbortSignal): Promise<boolean> {
		const owner = this.#ownerOf(server, who);
		if (owner === "nobody" || signal.aborted) return Promise.resolve(false);
		const key = keyOf({ ...owner, server: server.name });
		const waiting = this.#waiting.get(key) ?? new Set();
		this.#waiting.set(key, waiting);
		return new Promise((resolve) => {
			const end = (outcome: boolean) => {
				waiting.delete(tell);
				if (waiting.size === 0) this.#waiting.delete(key);
				resolve(outcome);
			};
			const tell = () => end(true);
			waiting.add(tell);
			signal.addEventListener("abort", () => end(false), { once: true });
		});
	}

	/** Somebody has connected: what waited for that goes on. */
	onGranted(who: GrantFor): void {
		this.#rooms().hosting.agreed(who.server);
		for (const tell of [...(this.#waiting.get(keyOf(who)) ?? [])]) tell();
	}

	/** Somebody has signed in at a provider: what waited for who they are goes on. */
	signedIn(owner: GrantOwner): void {
		for (const server of this.#rooms().plan.servers) {
			if (exchangesIdentity(server)) this.onGranted({ ...owner, server: server.name });
		}
	}

	async look(name: string, caller: Caller, made_for: string | undefined): Promise<ConnectView> {
		const found = this.#find(name, caller);
		if (found === undefined) return { kind: "unknown" };
		const { server, owner } = found;
		if (made_for !== undefined && owner.user !== "" && made_for !== personTag(owner)) {
			const message =
				"This link was made for somebody else: an account that is connected here is used for their calls.";
			return { kind: "refused", message };
		}
		if (!this.#mayGive(owner, caller)) return { kind: "refused", message: whyNot(owner) };
		const wanted = await this.#wanted(server, owner, caller);
		if (wanted === undefined) return { kind: "connected" };
		if (typeof wanted === "string") return { kind: "failed", message: wanted };
		const { page } = wanted;
		return {
			kind: "ready",
			issuer: page.origin,
			scopes: (page.searchParams.get("scope") ?? "").split(" ").filter((scope) => scope !== ""),
			used_by: usedBy(owner),
			answer_to: page.searchParams.get("redirect_uri") ?? "",
			seen: seenOf(page),
		};
	}

	leave(name: string, caller: Caller, seen: string, bond: string): URL | undefined {
		const found = this.#find(name, caller);
		if (found === undefined || !this.#mayGive(found.owner, caller)) return undefined;
		const waiting = this.#consents.of({ ...found.owner, server: name });
		if (waiting === undefined || seenOf(waiting.page) !== seen) return undefined;
		waiting.begun = { principal: caller.principal.id, bond_hash: digest(bond) };
		return waiting.page;
	}

	async answer(
		callback: URL,
		caller: Caller | undefined,
		bond: string | undefined,
	): Promise<ConnectOutcome> {
		const waiting = this.#consents.withState(callback.searchParams.get("state") ?? "");
		// At another address it is the answer of another issuer: the right one may still come.
		if (waiting === undefined || !isAnsweredAt(waiting.page, callback)) return { kind: "unknown" };
		const { who, begun } = waiting;
		const { server } = who;
		const begun_here =
			caller !== undefined &&
			begun?.principal === caller.principal.id &&
			isSameText(digest(bond ?? ""), begun.bond_hash) &&
			this.#mayGive(who, caller);
		// Without identity the log has the issuer's own page, and no page of ours need have been seen.
		if ((this.#has_identity || begun !== undefined) && !begun_here) {
			return { kind: "not_theirs", server };
		}
		waiting.resolve(callback);
		// Of this page, not of another that the same person may have open.
		const outcome = await waiting.outcome;
		if (outcome.ok) return { kind: "connected", server };
		return { kind: "failed", server, message: outcome.problem.advice };
	}

	/** What somebody has connected, and what they could. */
	async mine(caller: Caller): Promise<MyGrant[]> {
		const seen = this.#seenBy(caller).filter(({ owner }) => this.#mayGive(owner, caller));
		const places = await Promise.all(
			seen.map(async ({ server, owner }) => {
				const about = await aboutServer(this.#values(), server, owner);
				return { ...owner, server: server.name, about };
			}),
		);
		const wanted = new Set(places.map(ownerKey));
		const abouts = new Map(places.map((place) => [keyOf(place), place.about]));
		const grants = await this.#store.list(
			(owner) => wanted.has(ownerKey(owner)) || isOwn(owner, caller),
		);
		const known = new Set(places.map(keyOf));
		// What was connected at a server that is gone is still theirs to end.
		const left = grants.map(({ owner }) => owner).filter((owner) => isOwn(owner, caller));
		const all = [...places, ...left.filter((owner) => !known.has(keyOf(owner)))];
		return all.map((who) => {
			// One that was given to another client of ours, or for another address, is of no use.
			const kept = grants.find(({ owner, about }) => {
				return keyOf(owner) === keyOf(who) && about === (abouts.get(keyOf(who)) ?? about);
			});
			return { ...entryOf(who, kept), connectable: known.has(keyOf(who)) };
		});
	}

	/** Where somebody goes to connect their account at a server. */
	connect(name: string, caller: Caller): Result<{ url: string }, AdminProblem> {
		const found = this.#find(name, caller);
		if (found === undefined) {
			return fail(problemOf("server_unknown", `Nothing is to be connected at "${name}".`));
		}
		if (!this.#mayGive(found.owner, caller)) {
			return fail(problemOf("forbidden", whyNot(found.owner)));
		}
		return succeed({ url: this.pageOf({ ...found.owner, server: name }) });
	}

	/** Whose a grant is that somebody may end; undefined where it is not theirs to end. */
	ownOf(name: string, caller: Caller): GrantFor | undefined {
		const { tenant, user } = caller.principal;
		const owner = this.#find(name, caller)?.owner ?? { tenant, user };
		return this.#mayGive(owner, caller) ? { ...owner, server: name } : undefined;
	}

	get #has_identity(): boolean {
		return this.#rooms().plan.identity !== undefined;
	}

	#ownerOf(server: ServerPlan, who: Who): GrantOwner | "nobody" {
		return grantOwnerOf(scopeKey(server.scope, who), this.#rooms().gateway.context.sessions);
	}

	#find(name: string, caller: Caller) {
		return this.#seenBy(caller).find(({ server }) => server.name === name);
	}

	/** The servers that somebody may use, at which an account can be connected, with whose it is. */
	#seenBy({ principal }: Caller): { server: ServerPlan; owner: GrantOwner }[] {
		const rooms = this.#rooms();
		const visible = new Set(myServers(rooms, principal).map(({ name }) => name));
		const who = { principal: principal.id, session_id: undefined, client_id: undefined };
		return rooms.plan.servers.flatMap((server) => {
			if (!visible.has(server.name) || !isConnectable(server)) return [];
			const owner = this.#has_identity ? this.#ownerOf(server, who) : gateway_itself;
			return owner === "nobody" ? [] : [{ server, owner }];
		});
	}

	/** People give what is theirs; what everybody uses is given by those who run the gateway. */
	#mayGive(owner: GrantOwner, caller: Caller): boolean {
		if (owner.user !== "") return isOwn(owner, caller);
		if (!hasRole(caller, ["operator"])) return false;
		return owner.tenant === "" || owner.tenant === caller.principal.tenant || hasRole(caller, []);
	}

	/** What is asked for, or why nothing can be; a sentence. Undefined: it is given already. */
	async #wanted(
		server: ServerPlan,
		owner: GrantOwner,
		{ principal }: Caller,
	): Promise<Waiting | string | undefined> {
		const who = { ...owner, server: server.name };
		const about = await aboutServer(this.#values(), server, owner);
		const key_of_grant = { ...who, about };
		const { spec } = server;
		const client_id = spec.driver === "http" ? spec.auth?.client_id : undefined;
		this.#auths.withdrawOthers(who, client_id);
		const waiting = this.#consents.of(who);
		if (waiting !== undefined) return waiting;
		if (await this.#store.has(key_of_grant)) return undefined;
		const { hosting } = this.#rooms();
		const over = new AbortController();
		const shown = this.#consents.next(who, over.signal);
		// What could not start before, because nobody had agreed, may be asked once more.
		hosting.agreed(server.name);
		const scope = { principal: principal.id, session_id: undefined, client_id: undefined };
		const key = {
			server: server.name,
			scope_key: this.#has_identity ? scopeKey(server.scope, scope) : "",
			capabilities: "{}",
		};
		try {
			// Its server knows best what it wants: it is asked as it is by a call.
			const opened = hosting.acquire(key, { signal: over.signal, wait_ms: look_ms });
			const first = await Promise.race([shown, opened]);
			if (!("ok" in first)) return first;
			const asked = this.#consents.of(who);
			if (asked !== undefined) return asked;
			if (!first.ok) return first.problem.message;
			first.value.release();
			if (await this.#store.has(key_of_grant)) return undefined;
			// It says who it is to anybody, and wants to know who calls only then.
			const connecting = this.#auths.connect(who);
			if (connecting === undefined) return "It does not ask for an account.";
			const second = await Promise.race([shown, connecting]);
			if (!("ok" in second)) return second;
			return second.ok ? undefined : second.problem.advice;
		} finally {
			over.abort();
		}
	}
}

/** Where people's browsers reach this gateway. */
export function publicUrl({ plan, url }: Pick<ConnectRooms, "plan" | "url">): string {
	return plan.front.public_url ?? url;
}

const gateway_itself: GrantOwner = { tenant: "", user: "" };

function entryOf(
	{ tenant, user, server }: GrantFor,
	kept: KeptGrant | undefined,
): Omit<MyGrant, "connectable"> {
	const everybody = tenant === "" ? "gateway" : "tenant";
	const used_by = user === "" ? everybody : "you";
	if (kept === undefined) return { server, used_by, connected: false };
	const { grant, created_at_ms, changed_at_ms } = kept;
	const { issuer, scopes, refresh_token } = grant;
	return {
		...{ server, used_by, connected: true, issuer, scopes: [...scopes] },
		renewable: refresh_token !== undefined,
		...{ created_at_ms, changed_at_ms },
	};
}

function isConnectable({ spec }: ServerPlan): boolean {
	return spec.driver === "http" && spec.auth?.grant === "authorization_code";
}

/** Whoever has the admin token is nobody in particular: no calls are made in their name. */
function isOwn({ tenant, user }: GrantOwner, { principal }: Caller): boolean {
	if (principal.id === admin_principal.id || user === "") return false;
	return tenant === principal.tenant && user === principal.user;
}

function whyNot({ tenant, user }: GrantOwner): string {
	if (user !== "")
		return "Only whoever calls with it connects an account. Sign in with a key or token of your own.";
	const whose = tenant === "" ? "everybody" : `everybody of ${tenant}`;
	return `The account there is used for ${whose}. Whoever has the role operator connects it.`;
}

function usedBy({ tenant, user }: GrantOwner): string {
	if (user !== "") return "your own calls";
	return tenant === "" ? "the calls of everybody here" : `the calls of everybody of ${tenant}`;
}

/** Says whom a link is for, to them alone. It keeps people from mistakes; it is no secret. */
function personTag({ tenant, user }: GrantOwner): string {
	return digest(["connect", tenant, user]).slice(0, 22);
}

/** The page as a person has seen it: whom it names, for what, and where the answer goes. */
function seenOf(page: URL): string {
	const { origin, pathname, searchParams } = page;
	return digest([
		origin,
		pathname,
		searchParams.get("client_id"),
		searchParams.get("scope"),
		searchParams.get("redirect_uri"),
		searchParams.get("state"),
	]);
}

function keyOf({ tenant, user, server }: GrantFor): string {
	return JSON.stringify([tenant, user, server]);
}

function ownerKey({ tenant, user }: GrantOwner): string {
	return JSON.stringify([tenant, user]);
}

function digest(parts: unknown): string {
	return createHash("sha256").update(JSON.stringify(parts)).digest("base64url");
}
