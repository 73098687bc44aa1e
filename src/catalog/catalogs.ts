import type { ServerPlan } from "../config/plan.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { type Fault, makeFault } from "../protocol/fault.ts";
import type { CatalogRepository, StoredCatalog } from "../store/catalog-repository.ts";
import type { Log } from "../telemetry/log.ts";
import type { Upstream } from "../upstreams/driver.ts";
import { fetchCatalog } from "./fetch-catalog.ts";
import { type Audience, base_audience, Readings, readings_max } from "./readings.ts";
import { type ChangeKind, changedKinds, type ServerCatalog } from "./server-catalog.ts";
import { fromStored, readingsIn, toStored } from "./stored-body.ts";

export type { ServerCatalog } from "./server-catalog.ts";

/** Most items of all lists of one server. */
export const items_max_default = 10_000;
/** Most pages of one list. */
export const pages_max_default = 1_000;
/** Most readings of one server that wait for their turn; each is for another audience. */
export const readings_waiting_max = 64;
/** Audiences of one server of whom it is remembered what they are offered. */
const found_max = 1_000;
/** Most bytes of all items of one server. */
export const bytes_max_default = 32 * 1024 * 1024;

/** What the catalogs are built from. */
export interface CatalogsOptions {
	readonly clock: Clock;
	readonly random: Random;
	readonly log: Log;
	readonly repository: CatalogRepository;
	readonly items_max?: number;
	readonly pages_max?: number;
	readonly bytes_max?: number;
	/** Told what is left out of a server's catalog, for the server's own lines. */
	readonly note?: (server: string, text: string) => void;
}

/** What changed in what a server offers. */
export interface CatalogChange {
	readonly server: string;
	/** Empty when only what the server says of itself changed. */
	readonly kinds: readonly ChangeKind[];
}

type Outcome = Result<ServerCatalog, Fault>;

/** One reading of a server's lists, for all who ask for an audience while it has not begun. */
interface Flight {
	server: ServerPlan;
	upstream: Upstream;
	readonly audience: Audience;
	readonly abort: AbortController;
	readonly outcome: PromiseWithResolvers<Outcome>;
}

/** What every server offers, known without waking any of them. */
export class Catalogs {
	readonly #options: CatalogsOptions;
	readonly #catalogs = new Map<string, ServerCatalog>();
	readonly #running = new Map<string, Flight>();
	/** Never an empty list. */
	readonly #next = new Map<string, Flight[]>();
	readonly #readings = new Map<string, Readings>();
	/** What audiences were shown that is not what everybody is shown, by server and audience. */
	readonly #apart = new Map<string, Map<string, ServerCatalog>>();
	/** What `getFor` found since a server's readings last changed: calls ask for it, too. */
	readonly #found = new Map<string, Map<string, ServerCatalog | undefined>>();
	readonly #listeners = new Set<(change: CatalogChange) => void>();

	constructor(options: CatalogsOptions) {
		this.#options = options;
	}

	/**
	 * Takes over what was stored, where it was fetched with the same configuration. What is
	 * stored of servers that are no longer there is removed. A store that fails costs nothing
	 * but the knowledge.
	 */
	async restore(servers: readonly ServerPlan[]): Promise<void> {
		const plans = new Map(servers.map((server) => [server.name, server]));
		for (const stored of await this.#load()) {
			const plan = plans.get(stored.server);
			if (plan === undefined) await this.#removeStored(stored.server);
			if (plan?.fingerprint !== stored.fingerprint) continue;
			const catalog = fromStored(stored);
			if (catalog !== undefined) {
				this.#catalogs.set(stored.server, catalog);
				this.#readingsOf(stored.server).restore(readingsIn(stored));
			} else this.#warn(stored.server, "the stored catalog is not readable; it is fetched anew");
		}
	}

	/** What a server offers, as far as it is known. */
	get(server: string): ServerCatalog | undefined {
		return this.#catalogs.get(server);
	}

	/**
	 * What a server offers to these clients: what they were last shown, or what everybody is shown
	 * where it is known that they would be, too.
	 */
	getFor(server: string, audience: Audience): ServerCatalog | undefined {
		const known = this.#found.get(server) ?? new Map<string, ServerCatalog | undefined>();
		this.#found.set(server, known);
		const text = textOf(audience);
		if (known.has(text)) return known.get(text);
		if (known.size >= found_max) known.clear();
		const found = this.#find(server, audience);
		known.set(text, found);
		return found;
	}

	#find(server: string, audience: Audience): ServerCatalog | undefined {
		const catalog = this.#catalogs.get(server);
		const readings = this.#readings.get(server);
		if (catalog === undefined || readings === undefined) return undefined;
		if (readings.standsFor(audience, catalog)) return catalog;
		const apart = this.#apart.get(server)?.get(textOf(audience));
		const last = readings.of(audience)?.hash;
		return apart?.hash === last && apart?.fingerprint === catalog.fingerprint ? apart : undefined;
	}

	/**
	 * Reads what a server offers and keeps it. While one reading runs, all who ask share the
	 * one after it, because what it has read already may have changed since. A caller may give
	 * up; the reading goes on.
	 * @param audience whom the upstream's instance works for
	 */
	async refresh(
		server: ServerPlan,
		upstream: Upstream,
		signal: AbortSignal,
		audience: Audience = base_audience,
	): Promise<Outcome> {
		const wanted = newFlight(server, upstream, audience);
		const runs = this.#running.has(server.name);
		const flight = runs ? this.#queue(wanted) : this.#begin(wanted);
		return this.#unlessAborted(server.name, flight.outcome.promise, signal);
	}

	/**
	 * Reads what a version offers that does not take the calls yet; nothing of it is kept, and
	 * nobody is told.
	 */
	examine(server: ServerPlan, upstream: Upstream, signal: AbortSignal): Promise<Outcome> {
		return this.#fetch({ server, upstream, signal, before: undefined });
	}

	/** The reading that runs for a server now, if any: recent enough for who knows nothing. */
	refreshing(server: string): Promise<Outcome> | undefined {
		return this.#running.get(server)?.outcome.promise;
	}

	/** Forgets a server that is gone or runs in another way, in the store too. */
	async forget(server: string): Promise<void> {
		this.#found.delete(server);
		const running = this.#running.get(server);
		const waiting = this.#next.get(server) ?? [];
		this.#next.delete(server);
		for (const { outcome } of waiting) outcome.resolve(fail(this.#cancelled(server)));
		running?.abort.abort();
		await running?.outcome.promise;
		const before = this.#catalogs.get(server);
		this.#catalogs.delete(server);
		this.#readings.delete(server);
		this.#apart.delete(server);
		this.#found.delete(server);
		await this.#removeStored(server);
		const kinds = changedKinds(before, undefined);
		if (kinds.length > 0) this.#tell({ server, kinds });
	}

	/** Calls the listener whenever what a server offers has changed; returns how to end that. */
	onChange(listener: (change: CatalogChange) => void): () => void {
		this.#listeners.add(listener);
		return () => {
			this.#listeners.delete(listener);
		};
	}

	/** Resolves when no reading is under way. */
	async idle(): Promise<void> {
		for (;;) {
			const [flight] = this.#running.values();
			if (flight === undefined) return;
			await flight.outcome.promise;
		}
	}

	#begin(flight: Flight): Flight {
		this.#running.set(flight.server.name, flight);
		void this.#fly(flight);
		return flight;
	}

	#queue(flight: Flight): Flight {
		const { name } = flight.server;
		const waiting = this.#next.get(name) ?? [];
		const queued = waiting.find(({ audience }) => isSame(audience, flight.audience));
		if (queued !== undefined) {
			queued.server = flight.server;
			queued.upstream = flight.upstream;
			return queued;
		}
		if (waiting.length >= readings_waiting_max) {
			flight.outcome.resolve(fail(this.#cancelled(name)));
		} else {
			waiting.push(flight);
			this.#next.set(name, waiting);
		}
		return flight;
	}

	async #fly(flight: Flight): Promise<void> {
		const { name } = flight.server;
		const outcome = await this.#read(flight);
		this.#running.delete(name);
		const waiting = this.#next.get(name);
		const next = waiting?.shift();
		if (waiting?.length === 0) this.#next.delete(name);
		if (next !== undefined) {
			this.#running.set(name, next);
			void this.#fly(next);
		}
		flight.outcome.resolve(outcome);
	}

	async #read(flight: Flight): Promise<Outcome> {
		const { server, upstream, abort, audience } = flight;
		const before = this.#catalogs.get(server.name);
		const fetched = await this.#fetch({ server, upstream, signal: abort.signal, before });
		if (!fetched.ok) return fetched;
		const leads = this.#leads(audience, before, server.fingerprint);
		if (before !== undefined && !leads && before.hash !== fetched.value.hash) {
			await this.#keepApart(audience, before, fetched.value);
			return fetched;
		}
		return succeed(await this.#keep(audience, before, fetched.value));
	}

	async #fetch(parts: {
		readonly server: ServerPlan;
		readonly upstream: Upstream;
		readonly signal: AbortSignal;
		readonly before: ServerCatalog | undefined;
	}): Promise<Outcome> {
		const { clock, random } = this.#options;
		const { server, signal } = parts;
		const budget = {
			pages_max: this.#options.pages_max ?? pages_max_default,
			items: this.#options.items_max ?? items_max_default,
			bytes: this.#options.bytes_max ?? bytes_max_default,
		};
		const note = (text: string, detail?: string) => this.#warn(server.name, text, detail);
		const fetched = await fetchCatalog({ ...parts, clock, random, budget, note });
		return signal.aborted ? fail(this.#cancelled(server.name)) : fetched;
	}

	/**
	 * Whether what this audience is shown is what the catalog is of: that of everybody, that of
	 * those who were shown the same before, and whatever comes first.
	 */
	#leads(audience: Audience, before: ServerCatalog | undefined, fingerprint: string): boolean {
		if (before?.fingerprint !== fingerprint || isSame(audience, base_audience)) return true;
		return this.#readings.get(before.server)?.of(audience)?.hash === before.hash;
	}

	/** Some clients are shown something else: the catalog stays, and they are told of changes. */
	async #keepApart(audience: Audience, kept: ServerCatalog, after: ServerCatalog): Promise<void> {
		const { server } = kept;
		const readings = this.#readingsOf(server);
		const shown = readings.of(audience) ?? this.getFor(server, audience);
		this.#setApart(audience, after);
		const noted = readings.note(audience, after, kept);
		this.#found.delete(server);
		if (noted) await this.#save(kept);
		if (shown !== undefined && shown.hash !== after.hash) {
			this.#tell({ server, kinds: changedKinds(shown, after) });
		}
	}

	/** As many as there are readings; the one that was shown longest ago makes room. */
	#setApart(audience: Audience, catalog: ServerCatalog): void {
		const { server } = catalog;
		const apart = this.#apart.get(server) ?? new Map<string, ServerCatalog>();
		this.#apart.set(server, apart);
		apart.delete(textOf(audience));
		apart.set(textOf(audience), catalog);
		const [oldest] = apart.keys();
		if (apart.size > readings_max && oldest !== undefined) apart.delete(oldest);
	}

	/** The old one stays when nothing changed: its order does, and nothing is written. */
	async #keep(
		audience: Audience,
		before: ServerCatalog | undefined,
		after: ServerCatalog,
	): Promise<ServerCatalog> {
		const { server, hash, fingerprint, fetched_at_ms } = after;
		const same = before?.hash === hash;
		const kept = same ? Object.freeze({ ...before, fingerprint, fetched_at_ms }) : after;
		this.#catalogs.set(server, kept);
		const noted = this.#readingsOf(server).note(audience, kept, kept);
		this.#found.delete(server);
		if (!same || noted || before.fingerprint !== fingerprint) await this.#save(kept);
		if (!same) this.#tell({ server, kinds: changedKinds(before, after) });
		return kept;
	}

	#readingsOf(server: string): Readings {
		const readings = this.#readings.get(server) ?? new Readings();
		this.#readings.set(server, readings);
		return readings;
	}

	#tell(change: CatalogChange): void {
		for (const listener of [...this.#listeners]) listener(change);
	}

	/** The outcome, or a fault as soon as the caller gives up. */
	#unlessAborted(server: string, outcome: Promise<Outcome>, signal: AbortSignal): Promise<Outcome> {
		const { promise, resolve } = Promise.withResolvers<Outcome>();
		const giveUp = () => resolve(fail(this.#cancelled(server)));
		if (signal.aborted) giveUp();
		signal.addEventListener("abort", giveUp, { once: true });
		void outcome.then((value) => {
			signal.removeEventListener("abort", giveUp);
			resolve(value);
		});
		return promise;
	}

	async #load(): Promise<StoredCatalog[]> {
		try {
			return await this.#options.repository.load();
		} catch (error) {
			this.#options.log.warn({ error: String(error) }, "stored catalogs could not be read");
			return [];
		}
	}

	async #save(catalog: ServerCatalog): Promise<void> {
		try {
			const { lasting } = this.#readingsOf(catalog.server);
			await this.#options.repository.save(toStored(catalog, lasting));
		} catch (error) {
			const fields = { server: catalog.server, error: String(error) };
			this.#options.log.warn(fields, "a catalog could not be stored");
		}
	}

	async #removeStored(server: string): Promise<void> {
		try {
			await this.#options.repository.remove(server);
		} catch (error) {
			const fields = { server, error: String(error) };
			this.#options.log.warn(fields, "a stored catalog could not be removed");
		}
	}

	#warn(server: string, text: string, detail?: string): void {
		this.#options.log.warn({ server, detail }, text);
		this.#options.note?.(server, text);
	}

	#cancelled(server: string): Fault {
		return makeFault(this.#options.random, {
			code: "call_cancelled",
			message: `What the server "${server}" offers is no longer asked for.`,
			level: "debug",
			server,
			retry_safe: true,
		});
	}
}

function newFlight(server: ServerPlan, upstream: Upstream, audience: Audience): Flight {
	const outcome = Promise.withResolvers<Outcome>();
	return { server, upstream, audience, abort: new AbortController(), outcome };
}

function textOf({ scope_key, capabilities }: Audience): string {
	return `${scope_key} ${capabilities}`;
}

function isSame(one: Audience, other: Audience): boolean {
	return one.scope_key === other.scope_key && one.capabilities === other.capabilities;
}
