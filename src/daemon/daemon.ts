import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import type { Overview } from "../admin/contract.ts";
import { LiveEvents } from "../admin/live.ts";
import { adminTokenPath } from "../admin/token.ts";
import { Catalogs } from "../catalog/catalogs.ts";
import { diffPlans, waitingSettings } from "../config/diff.ts";
import type { Plan, ServerPlan } from "../config/plan.ts";
import type { ConfigProblem } from "../config/problem.ts";
import { watchFile } from "../config/watch.ts";
import { Gateway } from "../gateway/gateway.ts";
import { seal_key_bytes } from "../gateway/parking/seal.ts";
import { Egress } from "../hosting/egress/egress.ts";
import { EgressRecords } from "../hosting/egress/records.ts";
import { Hosting, type InstanceKey } from "../hosting/hosting.ts";
import { acquireDataLock, type DataLock } from "../hosting/process/data-lock.ts";
import { createSpawner, type ProcessSpawner } from "../hosting/process/spawner.ts";
import { VolumeCopies } from "../hosting/volume-copies.ts";
import { Volumes } from "../hosting/volumes.ts";
import type { Clock } from "../lib/clock.ts";
import type { Environment } from "../lib/environment.ts";
import type { Random } from "../lib/random.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { Releases } from "../releases/releases.ts";
import type { SecretBox } from "../secrets/box.ts";
import { SecretRedactor } from "../secrets/redactor.ts";
import { SessionEvents } from "../sessions/events.ts";
import { Sessions } from "../sessions/sessions.ts";
import type { Database } from "../store/database.ts";
import { gatewayOwner } from "../store/meta-repository.ts";
import { createRepositories, createWriter, type StoreWriter } from "../store/repositories.ts";
import type { VersionRepository } from "../store/version-repository.ts";
import type { Upstream } from "../upstreams/driver.ts";
import type { EraVerdicts } from "../upstreams/era-verdicts.ts";
import { stdioDriver } from "../upstreams/stdio/driver.ts";
import { Accounts } from "./accounts.ts";
import { adminDoor } from "./admin-door.ts";
import { servePages } from "./approval-pages.ts";
import { askWhatItOffers } from "./ask-what-it-offers.ts";
import type { BackendRooms } from "./backend.ts";
import { publicProblem, withCheckedPolicy } from "./checked-policy.ts";
import { configFolder, secretFiles } from "./config-files.ts";
import { ContainerHosting } from "./containers.ts";
import { DashboardHouse } from "./dashboard/house.ts";
import { type Foundation, lockInfo, openFoundation } from "./foundation.ts";
import { giveBackMemory } from "./give-back-memory.ts";
import { GrantRoom, type GrantRows } from "./grant-room.ts";
import { listenUrl } from "./listen-url.ts";
import type { Daemon, DaemonOptions, Reloaded } from "./options.ts";
import { overviewOf } from "./overview.ts";
import { Packages } from "./packages.ts";
import { isPersonal } from "./personal.ts";
import { product } from "./product.ts";
import { isReady } from "./readiness.ts";
import { SecretRoom } from "./secret-room.ts";
import type { StartProblem } from "./start-problem.ts";
import { storedEraVerdicts } from "./stored-era-verdicts.ts";
import { tellEvicted } from "./tell-evicted.ts";
import { givenUpWarning, withSandboxWarning } from "./told-warnings.ts";
import { grantOwnerOf } from "./values.ts";
import { Wings } from "./wings.ts";

const drain_default_ms = 5_000;
/** How long the last answers may take to reach clients that read slowly. */
const answers_sent_ms = 1_000;
const session_sweep_ms = 60_000;

/** What a house is built from that takes time to open. */
interface HouseParts extends Foundation {
	spawner: ProcessSpawner;
	containers: ContainerHosting;
	egress: Egress;
	owner_id: string;
	lock: DataLock;
	era_verdicts: EraVerdicts;
	writer: StoreWriter;
}

/** Builds a gateway from its configuration and starts it. */
export async function startDaemon(given: DaemonOptions): Promise<Result<Daemon, StartProblem>> {
	const options = { ...given, load: withCheckedPolicy(given.load) };
	const loaded = await options.load();
	if (!loaded.ok) {
		const message = "The configuration has mistakes.";
		return fail({ message, next: "Correct them and start again.", config: loaded.problem });
	}
	const plan = loaded.value;
	const lock = await acquireDataLock(plan.data, lockInfo(plan, options.clock), options.clock);
	if (!lock.ok) return fail({ message: lock.problem.message, next: "" });
	const built = await House.build(options, plan, lock.value);
	if (!built.ok) {
		await lock.value.release();
		return built;
	}
	const listening = await built.value.open();
	if (listening.ok) return listening;
	await built.value.stop();
	return listening;
}

/** Every room of the house, put together. */
class House implements Daemon, BackendRooms {
	readonly admin_token_path: string;
	readonly stopped: Promise<void>;
	readonly #options: DaemonOptions;
	readonly #redactor: SecretRedactor;
	readonly secrets: SecretRoom;
	readonly grants: GrantRoom;
	readonly #lock: DataLock;
	readonly #database: Database;
	readonly #spawner: ProcessSpawner;
	readonly #containers: ContainerHosting;
	readonly #egress: Egress;
	readonly #sessions: Sessions;
	readonly #events: SessionEvents;
	readonly #catalogs: Catalogs;
	readonly #hosting: Hosting;
	readonly wings: Wings;
	readonly #dashboard: DashboardHouse;
	/** Where every room publishes what happens. */
	readonly live = new LiveEvents();
	readonly accounts: Accounts;
	readonly endSessions = (who: string) => this.#dashboard.sessions.endAllOf(who);
	readonly #gateway: Gateway;
	readonly #closing = new AbortController();
	readonly #started_at_ms: number;
	readonly #flushStore: () => Promise<void>;
	/** What runs: the configuration, with the versions and forks that are live in its place. */
	#plan: Plan;
	/** The configuration as it was read last. */
	#config: Plan;
	readonly #releases: Releases;
	readonly #packages: Packages;
	#url = "";
	#watcher: { close(): void } | undefined;
	#resolveStopped: () => void = () => undefined;
	#stop: Promise<void> | undefined;
	#reloading: Promise<unknown> = Promise.resolve();

	static async build(
		options: DaemonOptions,
		plan: Plan,
		lock: DataLock,
	): Promise<Result<House, StartProblem>> {
		const opened = await openFoundation(plan, options);
		if (!opened.ok) return opened;
		const { database, token, box } = opened.value;
		const repositories = createRepositories(database.connection);
		const { meta } = repositories;
		const owner_id = await gatewayOwner(meta, options.random);
		const drawn = options.random.bytes(seal_key_bytes).toString("base64url");
		const state_key = await meta.settle("state_key", drawn);
		const { clock, random, environment, log, containment } = options;
		const hidden = secretFiles(plan);
		const spawner = await createSpawner({
			data_dir: plan.data,
			owner_id,
			...{ clock, random, environment, log, containment },
			hidden,
		});
		const era_verdicts = await storedEraVerdicts({ meta, clock, log });
		const folders = { data_dir: plan.data, config_dir: configFolder(plan) };
		const around = { owner_id, clock, random, environment, log, ...folders };
		const writer = createWriter({
			...{ database, clock },
			onTrouble: (trouble) => log.warn({ trouble }, "writing to the store is late or failed"),
		});
		const records = new EgressRecords({ clock, writer, repository: repositories.egress });
		await records.restore();
		const egress = new Egress({
			records,
			folder: join(plan.data, "egress"),
			clock,
			loopback: spawner.sandbox_kind === "landlock" ? random : undefined,
			onRefused: (server, text) => house.#hosting.note(server, text),
		});
		const programs = stdioDriver;
		const containers = new ContainerHosting({ ...around, programs, egress, hidden });
		const foundation = { database, token, box, owner_id };
		const parts = { ...foundation, spawner, containers, egress, lock, era_verdicts, writer };
		const told = withSandboxWarning(plan, spawner.sandbox_shortfall);
		const house = new House(options, told, parts, Buffer.from(state_key, "base64url"));
		// First of all: nothing is written down before their tokens are redacted.
		await house.grants.start();
		await house.secrets.start();
		await house.#sessions.restore();
		await house.#events.restore();
		await house.#releases.restore(plan);
		await house.wings.start();
		await house.#dashboard.start();
		await house.accounts.start(plan.identity);
		house.#serve(house.#releases.servers);
		await house.#catalogs.restore(house.#plan.servers);
		house.wings.opened();
		house.grants.opened();
		house.#gateway.restoreSubscriptions(house.#sessions.all());
		return succeed(house);
	}

	private constructor(options: DaemonOptions, plan: Plan, parts: HouseParts, state_key: Buffer) {
		const { clock, random, log } = options;
		this.#options = options;
		this.#redactor = options.redactor ?? new SecretRedactor(tellEvicted(log));
		this.#plan = plan;
		this.#config = plan;
		this.#lock = parts.lock;
		this.#database = parts.database;
		this.#spawner = parts.spawner;
		this.#containers = parts.containers;
		this.#egress = parts.egress;
		this.#started_at_ms = clock.now();
		this.admin_token_path = adminTokenPath(plan.data);
		const { promise, resolve } = Promise.withResolvers<void>();
		this.stopped = promise;
		this.#resolveStopped = resolve;
		const repositories = createRepositories(parts.database.connection);
		const { writer } = parts;
		this.#flushStore = () => writer.flush();
		const { sessions: repository } = repositories;
		const { sessions_max } = plan.limits;
		this.#sessions = new Sessions({ clock, random, writer, repository, sessions_max });
		this.#events = new SessionEvents({
			...{ clock, random, log, writer },
			sessions: this.#sessions,
			events: repositories.events,
			meta: repositories.meta,
		});
		this.#catalogs = new Catalogs({
			clock,
			random,
			log,
			repository: repositories.catalogs,
			note: (server, text) => this.#hosting.noteOddity(server, text),
		});
		this.secrets = new SecretRoom({
			...{ options, rows: repositories.secrets, redactor: this.#redactor },
			config: () => this.#config,
			rooms: () => ({ hosting: this.#hosting, catalogs: this.#catalogs, sessions: this.#sessions }),
		});
		this.grants = this.#buildGrants(repositories, parts.box);
		this.#packages = this.#buildPackages();
		this.#hosting = this.#buildHosting(parts.era_verdicts);
		this.#dashboard = this.#buildDashboard(parts);
		this.wings = this.#buildWings(writer, parts);
		this.accounts = new Accounts(options, { ...parts, redactor: this.#redactor }, writer, this);
		this.#gateway = this.#buildGateway(state_key);
		this.#releases = this.#buildReleases(repositories.versions, parts.box);
		this.#catalogs.onChange(({ server }) => this.#hosting.reconsider(server));
	}

	get plan(): Plan {
		return this.#plan;
	}

	get url(): string {
		return this.#url;
	}

	get clock(): Clock {
		return this.#options.clock;
	}

	get random(): Random {
		return this.#options.random;
	}

	async flush(): Promise<void> {
		await this.#sessions.flush();
		this.#egress.flush();
		await this.#flushStore();
	}

	get environment(): Environment {
		return this.#options.environment;
	}

	get gateway(): Gateway {
		return this.#gateway;
	}

	get hosting(): Hosting {
		return this.#hosting;
	}

	/** The configuration as it was applied last. */
	get config(): Plan {
		return this.#config;
	}

	get releases(): Releases {
		return this.#releases;
	}

	get limits_detail(): string {
		return this.#spawner.limits_detail;
	}

	get catalogs(): Catalogs {
		return this.#catalogs;
	}

	/** Listens, tells where, and starts the servers. */
	async open(): Promise<Result<Daemon, StartProblem>> {
		const no_go = await publicProblem(this.#plan, this.wings.policy);
		if (no_go !== undefined) return fail(no_go);
		const url = await listenUrl(this, this.#options, this.#closing.signal);
		if (!url.ok) return url;
		this.#url = url.value;
		void this.#containers.sweep(this.#plan);
		// Before anything else is waited for: whoever calls from now on must find the servers.
		this.#releases.start();
		this.wings.front_door.switches?.onChange(() => this.#releases.reconsider());
		this.#gateway.subscriptions.wakeWatched();
		this.wings.listening();
		await this.#lock.update({ url: this.#url });
		const { path } = this.#plan.source;
		if (path !== undefined && this.#options.watch !== false)
			this.#watcher = watchFile(path, this.#options.clock, () => void this.reload());
		this.#sweepLater();
		giveBackMemory(this.#options.clock, this.#hosting, this.#gateway, this.#closing.signal);
		return succeed(this);
	}

	load(text?: string): Promise<Result<Plan, readonly ConfigProblem[]>> {
		return this.#options.load(text);
	}

	async settled(wait_ms: number): Promise<void> {
		const eager = this.#plan.servers.filter(({ start }) => start === "eager");
		await Promise.all(eager.map(({ name }) => this.#hosting.settled(name, { wait_ms })));
		await this.#catalogs.idle();
	}

	overview(): Overview {
		return overviewOf({
			url: this.#url,
			plan: this.#plan,
			hosting: this.#hosting,
			catalogs: this.#catalogs,
			endpoints: this.#gateway.endpoints,
			sessions: this.#sessions.count,
			uptime_ms: this.#options.clock.now() - this.#started_at_ms,
		});
	}

	dashboardAddress(): string {
		return this.#dashboard.address(this.#plan.identity !== undefined);
	}

	/** Reloads run one after the other: a second one sees what the first one made. */
	reload(): Promise<Result<Reloaded, readonly ConfigProblem[]>> {
		const next = this.#reloading.then(() => this.#reload());
		this.#reloading = next.catch(() => undefined);
		return next;
	}

	stop(): Promise<void> {
		this.#stop ??= this.#shutDown();
		return this.#stop;
	}

	async #reload(): Promise<Result<Reloaded, readonly ConfigProblem[]>> {
		const { log, onProgress } = this.#options;
		const loaded = await this.#options.load();
		if (!loaded.ok) {
			log.warn({ problems: loaded.problem }, "the new configuration was refused");
			onProgress?.({ kind: "refused", problems: loaded.problem });
			return fail(loaded.problem);
		}
		const before = this.#config;
		const after = { ...loaded.value, listen: before.listen, data: before.data };
		const diff = diffPlans(before, loaded.value);
		const warnings = [...after.warnings];
		const waiting = waitingSettings(diff).join(", ");
		if (waiting !== "") warnings.push(`For ${waiting} the gateway has to be started anew.`);
		this.#config = after;
		this.#plan = { ...after, servers: this.#plan.servers };
		await this.accounts.use(after.identity);
		this.wings.use(this.#plan);
		const { added, removed, changed, settings } = diff;
		const adopted = await this.#releases.use(after);
		const { refused, at_once } = adopted;
		warnings.push(...adopted.warnings);
		warnings.push(...refused.map(givenUpWarning));
		await Promise.all(
			[...removed, ...at_once].map((name) => {
				this.#gateway.context.offered.forget(name);
				return this.#catalogs.forget(name);
			}),
		);
		// What stands in files beside the configuration may have changed as well.
		await this.#hosting.refreshValues();
		log.info({ added, removed, changed, settings }, "the configuration was read again");
		this.live.publish("reloaded", { added, removed, changed });
		const done = { added, removed, changed, settings, warnings };
		onProgress?.({ kind: "reloaded", ...done });
		return succeed(done);
	}

	/** The front door serves these servers from the next request on. */
	#serve(servers: readonly ServerPlan[]): void {
		this.#plan = { ...this.#plan, servers };
		this.#gateway.use(this.#plan);
	}

	#buildPackages(): Packages {
		return new Packages({
			options: this.#options,
			plan: this.#plan,
			spawner: this.#spawner,
			containers: this.#containers,
			versions: createRepositories(this.#database.connection).versions,
			prepare: (spec) => this.secrets.values.prepare(spec),
		});
	}

	#buildHosting(era_verdicts: EraVerdicts): Hosting {
		const { clock, random, log, onProgress } = this.#options;
		return new Hosting({
			clock,
			random,
			log,
			redactor: this.#redactor,
			values: this.secrets.values,
			ownerOf: (scope_key) => grantOwnerOf(scope_key, this.#sessions),
			drivers: {
				stdio: stdioDriver,
				http: this.grants.driver,
				container: this.#containers.driver,
			},
			spawner: this.#spawner,
			era_verdicts,
			...{ client_info: JSON.stringify(product), limits: () => this.#plan.limits },
			...{ volumes: new Volumes(this.#plan.data), egress: this.#egress },
			isKnown: ({ name, fingerprint }) => this.#catalogs.get(name)?.fingerprint === fingerprint,
			isPersonal: (server) => isPersonal(this.#plan, server),
			switchedOff: (server) => this.wings.front_door.switches?.serverRefusal(server)?.message,
			resolve: (spec, context) => this.#packages.resolve(spec, context),
			events: {
				onReady: (key, upstream) => this.#onReady(key, upstream),
				onPush: (key, message) => this.#gateway.pushes.onPush(key, message),
				onRequest: (key, ask, askers) => this.#gateway.asks.onRequest(key, ask, askers),
				onRetired: (key, upstream) => this.#gateway.onRetired(key, upstream),
				onState: (status) => {
					this.#dashboard.onState(status);
					this.#releases.noteState(status.name);
					onProgress?.({ kind: "state", status });
				},
			},
		});
	}

	#buildGrants(rows: GrantRows, box: SecretBox): GrantRoom {
		return new GrantRoom({
			...{ options: this.#options, rows, box, redactor: this.#redactor },
			...{ rooms: () => this, door: () => this.#dashboard.door },
			...{ cookies: () => this.#dashboard.cookies, identities: () => this.accounts.identities },
			...{ telemetry: () => this.wings.telemetry, values: () => this.secrets.values },
		});
	}

	#buildDashboard(parts: Foundation & { readonly owner_id: string }): DashboardHouse {
		const { clock, random, log } = this.#options;
		return new DashboardHouse({
			...parts,
			...{ clock, random, log, catalogs: this.#catalogs },
			sign_in: () => this.accounts.sign_in,
			live: this.live,
			gateway: () => this.#gateway,
			hosting: () => this.#hosting,
			url: () => this.#plan.front.public_url ?? this.#url,
		});
	}

	#buildReleases(repository: VersionRepository, box: SecretBox): Releases {
		const { clock, log, random } = this.#options;
		return new Releases({
			...{ clock, log, repository, box },
			...{ hosting: this.#hosting, catalogs: this.#catalogs },
			volumes: new VolumeCopies(this.#plan.data, this.#hosting, random),
			renew: (plan) => this.#packages.renew(plan, (line) => this.#hosting.note(plan.name, line)),
			keepLocked: (locked) => this.#packages.keepLocked(locked),
			onServers: (servers) => this.#serve(servers),
		});
	}

	#buildWings(
		writer: StoreWriter,
		{ database, box }: { database: Database; box: SecretBox },
	): Wings {
		return new Wings({
			options: this.#options,
			live: this.live,
			plan: () => this.#plan,
			connection: database.connection,
			writer,
			box,
			redactor: this.#redactor,
			...{ catalogs: this.#catalogs, hosting: this.#hosting },
			rooms: () => this,
			originOf: (server) => this.#releases.originOf(server),
			url: () => this.#plan.front.public_url ?? this.#url,
			gateway: () => this.#gateway,
		});
	}

	#buildGateway(state_key: Buffer): Gateway {
		const { clock, random, log } = this.#options;
		return new Gateway(
			{
				clock,
				random,
				log,
				hosting: this.#hosting,
				catalogs: this.#catalogs,
				sessions: this.#sessions,
				events: this.#events,
				product,
				state_key,
				limits: () => this.#plan.limits,
				resultRedactor: () => this.secrets.resultRedactor(),
				admin: this.#buildAdmin(),
				dashboard: (request, response) => this.#dashboard.serve(request, response),
				...this.accounts.front_door,
				consent: (request, response) => this.grants.serve(request, response),
				connections: this.grants.connections,
				sign_in: (request, response) => this.#dashboard.serveSignIn(request, response),
				approval_pages: servePages(this.wings, this.#dashboard.door, log),
				ready: () =>
					isReady(this.#plan, this.#catalogs, this.#hosting, this.wings.front_door.switches),
				evidence: [...this.wings.evidence, this.#dashboard.traffic],
				...this.wings.front_door,
			},
			this.#plan,
		);
	}

	#buildAdmin(): (request: IncomingMessage, response: ServerResponse) => void {
		const { clock, random, log } = this.#options;
		const { traffic, frames, ...dashboard } = this.#dashboard.parts();
		const clientLines = this.#options.clientLines ?? (() => []);
		return adminDoor(this, () => ({
			...dashboard,
			backend: { traffic, frames, clientLines },
			live: this.live,
			hasIdentity: () => this.#plan.identity !== undefined,
			clock,
			random,
			version: product.version,
			call_bytes_max: this.#plan.limits.body_bytes_max,
			signal: this.#closing.signal,
			onDefect: (error, error_id) => log.error({ err: error, error_id }, "the admin API failed"),
		}));
	}

	/** Whatever starts is asked what it offers, in case that is not what is known of it. */
	#onReady(key: InstanceKey, upstream: Upstream): void {
		const server = this.#plan.servers.find(({ name }) => name === key.server);
		if (server === undefined) return;
		this.#gateway.subscriptions.onReady(server, key, upstream);
		const parts = { hosting: this.#hosting, catalogs: this.#catalogs, ...this.#options };
		askWhatItOffers({ ...parts, signal: this.#closing.signal, server, key, upstream });
	}

	#sweepLater(): void {
		const { clock } = this.#options;
		const timer = clock.afterIdle(session_sweep_ms, () => {
			this.#sessions.sweep();
			this.#events.sweep();
			void this.#containers.sweep(this.#plan);
			void this.#packages.sweep();
			this.#sweepLater();
		});
		this.#closing.signal.addEventListener("abort", () => timer.cancel(), { once: true });
	}

	/** From the outside inwards: first no new work, then what works, then what keeps. */
	async #shutDown(): Promise<void> {
		this.#watcher?.close();
		this.#closing.abort();
		this.#gateway.context.parked.close();
		await this.#gateway.drain(this.#options.drain_ms ?? drain_default_ms);
		await this.#releases.stop();
		// What still runs now ends with an error that says so, while its client can hear it.
		await this.#hosting.stop({ drain_ms: 500 });
		await this.#gateway.close(answers_sent_ms);
		await this.#containers.close();
		this.#dashboard.stop();
		await this.wings.stop();
		this.accounts.stop();
		await this.secrets.close();
		await this.grants.close();
		await this.flush();
		await this.#database.close();
		await this.#spawner.close();
		await this.#egress.close();
		await this.#lock.release();
		this.#resolveStopped();
	}
}
