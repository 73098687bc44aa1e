import {
	getValidatedIdTokenClaims,
	processRefreshTokenResponse,
	ResponseBodyError,
	refreshTokenGrantRequest,
	validateApplicationLevelSignature,
} from "oauth4webapi";
import { type Clock, withinTime } from "../lib/clock.ts";
import type { Log } from "../telemetry/log.ts";
import type { Login, VouchedTokens } from "./federated.ts";
import { authOf, type KnownProvider, ProviderRequests } from "./provider-requests.ts";
import { hashId, type RecordOptions, Records } from "./records.ts";

/** What the ID tokens of people are kept with. */
export interface IdentityTokenOptions {
	readonly records: RecordOptions;
	readonly clock: Clock;
	readonly log: Log;
	readonly redactor: { add(value: string): unknown; forget(value: string): void };
	/** Where people sign in now: what was kept of another provider is not used. */
	providers(): readonly KnownProvider[];
	/** Whether any server is used with them: they are not kept otherwise. */
	isWanted(): boolean;
	/** Told of everybody whose token was kept. */
	onKept(account: string): void;
}

/** What a provider says of somebody, and who this gateway is there. */
export interface KeptIdentity extends KnownProvider {
	/** An ID token that is good for a while longer. */
	readonly id_token: string;
}

interface Body extends VouchedTokens {
	readonly issuer: string;
	readonly client_id: string;
	readonly expires_at_ms: number;
	/** When the person signed in. */
	readonly signed_in_ms: number;
}

/** What is redacted because of one record. */
interface Told {
	readonly account: string | undefined;
	readonly values: readonly string[];
	/** When the record ends by itself. */
	readonly until_ms: number;
}

/** A token that ends sooner is not worth starting an exchange with. */
const margin_ms = 30_000;
/** One that can be renewed is kept so long after it was last of use. */
const renewable_s = 30 * 24 * 60 * 60;
/** How long whoever signs out waits for a renewal that is under way. */
const renewal_ms_max = 3_000;
/** So many are read at the start, to be redacted. */
const listed_max = 10_000;

/**
 * The ID tokens of people who have signed in at a provider, for authorization servers that take its
 * word: one for each person and provider, sealed, renewed where the provider gave a refresh token,
 * and dropped with the login. `account` is `tenant/user`.
 */
export class IdentityTokens {
	readonly #options: IdentityTokenOptions;
	readonly #records: Records<Body>;
	readonly #requests: ProviderRequests;
	/** Renewals under way: a refresh token may be good once. */
	readonly #renewing = new Map<string, Promise<Body | undefined>>();
	/** By the id of the record, as it is kept. */
	readonly #told = new Map<string, Told>();

	constructor(options: IdentityTokenOptions) {
		this.#options = options;
		this.#records = new Records(options.records, "IdentityToken");
		this.#requests = new ProviderRequests(options.clock);
	}

	/** Has every token redacted from now on. */
	async start(): Promise<void> {
		for (const record of await this.#records.list(listed_max)) {
			const { id, account, body, expires_at_ms = Number.POSITIVE_INFINITY } = record;
			this.#tell(id, account, body, expires_at_ms);
		}
	}

	/** Keeps what a person has just signed in with, in place of what there was. */
	async keep(account: string, provider: KnownProvider, tokens: VouchedTokens): Promise<void> {
		const { issuer, client_id } = provider;
		const expires_at_ms = endOf(tokens.id_token);
		if (expires_at_ms === undefined || !this.#options.isWanted()) return;
		const signed_in_ms = this.#options.clock.now();
		const body = { ...tokens, issuer, client_id, expires_at_ms, signed_in_ms };
		await this.#save(account, provider.name, body);
		this.#options.onKept(account);
	}

	/**
	 * The identity of somebody, as a provider vouches for it now: the one that is named, else that
	 * at which they signed in last. Undefined where they have to sign in first.
	 */
	async of(account: string, name: string | undefined): Promise<KeptIdentity | undefined> {
		const wanted = this.#options
			.providers()
			.filter((provider) => name === undefined || provider.name === name);
		const found: { provider: KnownProvider; body: Body }[] = [];
		for (const provider of wanted) {
			const body = (await this.#records.find(idOf(account, provider.name)))?.body;
			if (body?.issuer !== provider.issuer || body.client_id !== provider.client_id) continue;
			found.push({ provider, body });
		}
		found.sort((one, other) => other.body.signed_in_ms - one.body.signed_in_ms);
		for (const { provider, body } of found) {
			const current = this.#isGood(body) ? body : await this.#renewOnce(account, provider);
			if (current === undefined) continue;
			const { issuer, client_id, client_secret } = provider;
			return { name: provider.name, issuer, client_id, client_secret, id_token: current.id_token };
		}
		return undefined;
	}

	/** A token that its provider does not accept any more is not shown again, only renewed. */
	async refused(account: string, { name, id_token }: KeptIdentity): Promise<void> {
		const body = (await this.#records.find(idOf(account, name)))?.body;
		if (body?.id_token !== id_token) return;
		if (body.refresh_token === undefined) await this.#remove(idOf(account, name));
		else await this.#save(account, name, { ...body, expires_at_ms: 0 });
	}

	/**
	 * Forgets everything that somebody has signed in with.
	 * @returns what there was, as it was last renewed, for its providers to be told
	 */
	async drop(account: string): Promise<Login[]> {
		const dropped: Login[] = [];
		for (const { name } of this.#options.providers()) {
			const id = idOf(account, name);
			// What a renewal brings that is under way is the token that has to end.
			const renewal = this.#renewing.get(id)?.catch(() => undefined);
			if (renewal !== undefined) await withinTime(this.#options.clock, renewal_ms_max, renewal);
			const body = (await this.#records.find(id))?.body;
			await this.#remove(id);
			if (body === undefined) continue;
			const { issuer, id_token, refresh_token: token } = body;
			dropped.push({ provider: name, issuer, id_token, token });
		}
		return dropped;
	}

	/** Nothing of somebody is kept any more, whoever has removed it. */
	ended(account: string): void {
		for (const [hash, told] of this.#told) if (told.account === account) this.#forget(hash);
	}

	#isGood({ expires_at_ms }: Body): boolean {
		return this.#options.clock.now() < expires_at_ms - margin_ms;
	}

	#renewOnce(account: string, provider: KnownProvider): Promise<Body | undefined> {
		const id = idOf(account, provider.name);
		const under_way = this.#renewing.get(id);
		if (under_way !== undefined) return under_way;
		const renewal = this.#renew(account, provider).finally(() => this.#renewing.delete(id));
		this.#renewing.set(id, renewal);
		return renewal;
	}

	async #renew(account: string, provider: KnownProvider): Promise<Body | undefined> {
		const id = idOf(account, provider.name);
		const before = (await this.#records.find(id))?.body;
		if (before?.refresh_token === undefined) return undefined;
		if (this.#isGood(before)) return before;
		try {
			const tokens = await this.#ask(provider, before.refresh_token);
			if (!isSamePerson(before.id_token, tokens.id_token)) {
				throw new Error("the provider vouched for somebody else");
			}
			const expires_at_ms = endOf(tokens.id_token) ?? 0;
			const body = { ...before, ...tokens, expires_at_ms };
			// Whoever has signed out meanwhile stays so.
			if ((await this.#records.find(id))?.body.id_token !== before.id_token) return undefined;
			await this.#save(account, provider.name, body);
			return this.#isGood(body) ? body : undefined;
		} catch (error) {
			const { log } = this.#options;
			log.warn({ err: error, provider: provider.name }, "an identity was not renewed");
			// Only this is about the token (RFC 6749 section 5.2); all else is asked again later.
			const is_final = error instanceof ResponseBodyError && error.error === "invalid_grant";
			if (is_final) await this.#remove(id);
			return undefined;
		}
	}

	async #ask(provider: KnownProvider, refresh_token: string): Promise<VouchedTokens> {
		const server = await this.#requests.server(provider);
		const client = { client_id: provider.client_id };
		const options = this.#requests.options(provider);
		const auth = authOf(provider, server);
		const response = await refreshTokenGrantRequest(server, client, auth, refresh_token, options);
		const answer = await processRefreshTokenResponse(server, client, response);
		if (getValidatedIdTokenClaims(answer) === undefined || answer.id_token === undefined) {
			throw new Error("the provider sent no ID token");
		}
		await validateApplicationLevelSignature(server, response, options);
		const { id_token } = answer;
		return { id_token, refresh_token: answer.refresh_token ?? refresh_token };
	}

	async #save(account: string, name: string, body: Body): Promise<void> {
		const id = idOf(account, name);
		const now_ms = this.#options.clock.now();
		for (const [hash, { until_ms }] of this.#told) if (until_ms <= now_ms) this.#forget(hash);
		const left_s = Math.ceil((body.expires_at_ms - now_ms) / 1000);
		const ttl_s = body.refresh_token === undefined ? Math.max(1, left_s) : renewable_s;
		// Redacted before it is kept.
		const forgetOld = this.#tell(hashId(id), account, body, now_ms + ttl_s * 1000);
		await this.#records.save(id, body, { account, ttl_s });
		forgetOld();
	}

	async #remove(id: string): Promise<void> {
		await this.#records.remove(id);
		this.#forget(hashId(id));
	}

	/** Has what is in a record redacted; what was before it still is until the result is called. */
	#tell(
		hash: string,
		account: string | undefined,
		{ id_token, refresh_token }: VouchedTokens,
		until_ms: number,
	): () => void {
		const { redactor } = this.#options;
		const before = this.#told.get(hash)?.values ?? [];
		const values = refresh_token === undefined ? [id_token] : [id_token, refresh_token];
		for (const value of values) redactor.add(value);
		this.#told.set(hash, { account, values, until_ms });
		return () => {
			for (const value of before) if (!values.includes(value)) redactor.forget(value);
		};
	}

	/** Kept for good, what is gone would push other secrets out. */
	#forget(hash: string): void {
		for (const value of this.#told.get(hash)?.values ?? []) this.#options.redactor.forget(value);
		this.#told.delete(hash);
	}
}

function idOf(account: string, provider: string): string {
	return JSON.stringify([account, provider]);
}

/** When a token that was verified ends; undefined where it does not say. */
function endOf(id_token: string): number | undefined {
	const exp = claimsOf(id_token)["exp"];
	return typeof exp === "number" ? exp * 1000 : undefined;
}

/** OpenID Connect Core 1.0 section 12.2: a renewed token is about whom the first was about. */
function isSamePerson(one: string, other: string): boolean {
	const [before, after] = [claimsOf(one), claimsOf(other)];
	return before["iss"] === after["iss"] && before["sub"] === after["sub"];
}

/** Of a token that was verified; without any where it cannot be read. */
function claimsOf(id_token: string): Readonly<Record<string, unknown>> {
	const [, payload = ""] = id_token.split(".");
	try {
		const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString());
		return typeof claims === "object" && claims !== null ? { ...claims } : {};
	} catch {
		return {};
	}
}
