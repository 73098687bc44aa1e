import type { ServerPlan } from "../config/plan.ts";
import type { Clock } from "../lib/clock.ts";
import type { Random } from "../lib/random.ts";
import { type Result, succeed } from "../lib/result.ts";
import type { Fault } from "../protocol/fault.ts";
import type { CatalogRepository } from "../store/catalog-repository.ts";
import type { Log } from "../telemetry/log.ts";
import type { Upstream } from "../upstreams/driver.ts";
import { type FetchLimits, fetchCatalog } from "./fetch.ts";
import {
	decodeCatalog,
	encodeCatalog,
	item_kinds,
	listHash,
	sealCatalog,
	type ServerCatalog,
} from "./server-catalog.ts";

export type { CatalogItem, ServerCatalog } from "./server-catalog.ts";

/** A list that clients can be told of; templates are part of the resources. */
export type ChangedList = "tools" | "resources" | "prompts";

/** A server now offers something else. */
export interface CatalogChange {
	readonly server: string;
	readonly kinds: readonly ChangedList[];
}

/** What catalogs are kept with. */
export interface CatalogsOptions {
	readonly clock: Clock;
	readonly random: Random;
	readonly log: Log;
	readonly repository: CatalogRepository;
	readonly limits?: FetchLimits;
}

/** Far above what real servers offer; a model could not use a thousandth of it. */
const default_limits: FetchLimits = {
	items_max: 10_000,
	pages_max: 500,
	list_bytes_max: 64 * 1024 * 1024,
};

type Outcome = Result<ServerCatalog, Fault>;

interface Refreshing {
	readonly current: Promise<Outcome>;
	/** One more, asked for after the current one began. */
	next: Promise<Outcome> | undefined;
}

/** What every server offers: read from it once it runs, and from the store before that. */
export class Catalogs {
	readonly #options: CatalogsOptions;
	readonly #limits: FetchLimits;
	readonly #catalogs = new Map<string, ServerCatalog>();
	readonly #refreshing = new Map<string, Refreshing>();
	readonly #listeners = new Set<(change: CatalogChange) => void>();

	constructor(options: CatalogsOptions) {
		this.#options = options;
		this.#limits = options.limits ?? default_limits;
	}

	/** Takes stored catalogs up again, where the server still runs the same way. */
	async restore(servers: readonly ServerPlan[]): Promise<void> {
		const plans = new Map(servers.map((server) => [server.name, server]));
		for (const stored of await this.#options.repository.load()) {
			if (plans.get(stored.server)?.fingerprint !== stored.fingerprint) continue;
			const catalog = decodeCatalog(stored);
			if (catalog !== undefined) this.#catalogs.set(stored.server, catalog);
		}
	}

	/** What a server offers, as far as is known. */
	get(server: string): ServerCatalog | undefined {
		return this.#catalogs.get(server);
	}

	/**
	 * Reads what a server offers now. Refreshes of one server never overlap: one that is asked
	 * for while another runs comes after it, and all who ask then share it.
	 */
	refresh(server: ServerPlan, upstream: Upstream, signal: AbortSignal): Promise<Outcome> {
		const running = this.#refreshing.get(server.name);
		if (running === undefined) return this.#start(server, upstream, signal);
		running.next ??= running.current.then(() => this.#start(server, upstream, signal));
		return running.next;
	}

	/** The refresh that runs for a server now, if any: its outcome is recent enough for a list. */
	refreshing(server: string): Promise<Outcome> | undefined {
		return this.#refreshing.get(server)?.current;
	}

	/** Resolves when no refresh runs. */
	async idle(): Promise<void> {
		while (this.#refreshing.size > 0) {
			await Promise.all([...this.#refreshing.values()].map(({ current }) => current));
		}
	}

	/** Forgets a server that is gone or runs in another way now. */
	async forget(server: string): Promise<void> {
		this.#catalogs.delete(server);
		await this.#store(() => this.#options.repository.remove(server));
	}

	/** Calls the listener after every change, until the returned function is called. */
	onChange(listener: (change: CatalogChange) => void): () => void {
		this.#listeners.add(listener);
		return () => this.#listeners.delete(listener);
	}

	#start(server: ServerPlan, upstream: Upstream, signal: AbortSignal): Promise<Outcome> {
		const current = this.#refresh(server, upstream, signal).finally(() => {
			if (this.#refreshing.get(server.name) === entry) this.#refreshing.delete(server.name);
		});
		const entry: Refreshing = { current, next: undefined };
		this.#refreshing.set(server.name, entry);
		return current;
	}

	async #refresh(
		server: ServerPlan,
		upstream: Upstream,
		signal: AbortSignal,
	): Promise<Outcome> {
		const { clock, log, random } = this.#options;
		const fetched = await fetchCatalog(server, upstream, {
			random,
			signal,
			limits: this.#limits,
			now_ms: clock.now(),
			onDropped: (text) => log.warn({ server: server.name }, text),
		});
		if (!fetched.ok) {
			const { code, message } = fetched.problem;
			log.warn({ server: server.name, code }, message);
			return fetched;
		}
		const catalog = sealCatalog(fetched.value);
		const before = this.#catalogs.get(server.name);
		this.#catalogs.set(server.name, catalog);
		if (before?.hash === catalog.hash) return succeed(catalog);
		await this.#save(catalog);
		if (before !== undefined) this.#tell(before, catalog);
		return succeed(catalog);
	}

	#tell(before: ServerCatalog, after: ServerCatalog): void {
		const changed = item_kinds.filter((kind) => !listHash(before[kind]).equals(listHash(after[kind])));
		const kinds = [
			...new Set(changed.map((kind) => (kind === "templates" ? "resources" : kind))),
		];
		if (kinds.length === 0) return;
		for (const listener of this.#listeners) listener({ server: after.server, kinds });
	}

	#save(catalog: ServerCatalog): Promise<void> {
		const { server, fingerprint, fetched_at_ms, hash } = catalog;
		const body = encodeCatalog(catalog);
		return this.#store(() =>
			this.#options.repository.save({ server, fingerprint, fetched_at_ms, hash, body }),
		);
	}

	/** The store is a convenience for the next start: a failure is logged, not fatal. */
	async #store(work: () => Promise<void>): Promise<void> {
		try {
			await work();
		} catch (error) {
			this.#options.log.warn({ err: error }, "a catalog could not be stored");
		}
	}
}
