import { fingerprintOf } from "../config/fingerprint.ts";
import type { ServerPlan, ServerSpec } from "../config/plan.ts";
import { assert } from "../lib/assert.ts";
import type { Timer } from "../lib/clock.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { type Fault, makeFault } from "../protocol/fault.ts";
import type {
	Confinement,
	DriverContext,
	GoneReason,
	LineStream,
	SandboxWay,
	Upstream,
	UpstreamAsk,
} from "../upstreams/driver.ts";
import type { Message } from "../wire/message.ts";
import type { EgressGate } from "./egress/egress.ts";
import { type Failure, failureOfFault, failureOfGone, failureOfTime } from "./failure.ts";
import type { InstanceKey } from "./instance-key.ts";
import { LeaseCount } from "./lease.ts";
import { OpenQuestions } from "./open-questions.ts";
import { Pulse } from "./pulse.ts";
import type { Resolved } from "./resolved.ts";
import { Sleep } from "./sleep.ts";
import type { Surroundings } from "./surroundings.ts";
import { withFiles } from "./value-files.ts";
import type { Folders } from "./volumes.ts";

/** What a driver may take beyond its own deadlines before it is given up as defective. */
const driver_grace_ms = 2_000;
/** Requests that nobody holds a lease for, such as a list being fetched, get this long. */
const unleased_drain_ms = 2_000;

/** How an instance came to its end by itself, or did not begin. */
export type InstanceEnd =
	| { readonly kind: "aborted" }
	/** It never became ready. */
	| { readonly kind: "unstarted"; readonly failure: Failure }
	/** It was ready and went away. */
	| { readonly kind: "gone"; readonly failure: Failure };

/** Who is told about an instance. */
export interface InstanceOwner {
	/** Its start has had its turn among other starts. */
	onTurn(instance: Instance): void;
	onReady(instance: Instance): void;
	/** Called once, and never after `close`. */
	onEnd(instance: Instance, end: InstanceEnd): void;
	/** A lease came back: there may be room for one who waits, or none left at all. */
	onBack(instance: Instance, last: boolean): void;
	/** It asked somebody something on behalf of a call. */
	onQuestion(instance: Instance): void;
	/** It could not be put to sleep, and runs on. */
	onFreezeFailed(instance: Instance): void;
	onLine(instance: Instance, stream: LineStream | "odd", line: string): void;
	onPush(instance: Instance, message: Message): void;
	onRequest(instance: Instance, ask: UpstreamAsk): void;
}

/** What an instance is made from. */
export interface InstanceOptions {
	readonly id: number;
	readonly key: InstanceKey;
	readonly generation: number;
	readonly plan: ServerPlan;
	/** How it is run, and what that needs. */
	readonly resolved: Resolved;
	/** True when the start before this one failed. */
	readonly retry: boolean;
	readonly around: Surroundings;
	readonly owner: InstanceOwner;
}

/** One run of a server, from its start to its end. */
export class Instance {
	readonly id: number;
	readonly key: InstanceKey;
	readonly generation: number;
	readonly #options: InstanceOptions;
	readonly #abort = new AbortController();
	readonly #given_up = Promise.withResolvers<undefined>();
	#started = false;
	#had_turn = false;
	#watchdog: Timer | undefined;
	#leases: LeaseCount | undefined;
	#sleep: Sleep | undefined;
	#pulse: Pulse | undefined;
	readonly #questions = new OpenQuestions(() => this.touch());
	#folders: Folders | undefined;
	#volume: string | undefined;
	#gate: EgressGate | undefined;
	#used_at_ms = 0;
	#values_digest: string | undefined;
	#outdated = false;
	#ready_at_ms: number | undefined;
	#ready_wall_ms: number | undefined;
	#gone: GoneReason | undefined;
	#ended = false;
	#closing: Promise<void> | undefined;

	constructor(options: InstanceOptions) {
		this.#options = options;
		this.id = options.id;
		this.key = options.key;
		this.generation = options.generation;
	}

	/** The connection, once it is ready. */
	get upstream(): Upstream | undefined {
		return this.#leases?.upstream;
	}

	get leases(): LeaseCount | undefined {
		return this.#leases;
	}

	/** How it is put to sleep and woken, once it is ready. */
	get sleep(): Sleep | undefined {
		return this.#sleep;
	}

	/** Whether it answers, once it is ready; undefined where it does not run on this machine. */
	get pulse(): Pulse | undefined {
		return this.#pulse;
	}

	/** Its persistent folder, once there is one; it outlives the instance. */
	get volume(): string | undefined {
		return this.#volume;
	}

	/** Whether another with other values is to take its place. */
	get outdated(): boolean {
		return this.#outdated;
	}

	/**
	 * Looks whether it would be started with other values today; what cannot be had is no change.
	 * Headers go out with the next request.
	 */
	async compareValues(): Promise<void> {
		const { around, resolved } = this.#options;
		const known = this.#values_digest;
		if (known === undefined) return;
		const filled = await around.values?.fillIn(resolved.spec, this.key);
		if (filled?.ok !== true) return;
		const { digest, spec } = filled.value;
		if (digest !== known) this.#outdated = true;
		else if (spec.driver === "http") this.upstream?.useHeaders?.(spec.headers);
	}

	/** The headers of today, after those of before were refused; undefined where there are none. */
	async #freshHeaders(): Promise<Readonly<Record<string, string>> | undefined> {
		const { around, resolved } = this.#options;
		const filled = await around.values?.fillIn(resolved.spec, this.key, { fresh: true });
		if (filled?.ok !== true || filled.value.spec.driver !== "http") return undefined;
		return filled.value.spec.headers;
	}

	/** When it was last used, on the monotonic scale. */
	get used_at_ms(): number {
		return this.#used_at_ms;
	}

	/**
	 * Since when nothing keeps it awake: no lease, no request on its way, no question of the
	 * server's own that waits for an answer. Undefined while something does. To look at what is
	 * in use counts as a use, because the end of a request without a lease is not told.
	 */
	unusedSince(): number | undefined {
		const leases = this.#leases;
		if (leases === undefined) return undefined;
		const asked = leases.upstream.in_flight - (this.#pulse?.in_flight ?? 0);
		const busy = leases.count > 0 || asked > 0 || this.#questions.count > 0;
		if (!busy) return this.#used_at_ms;
		this.touch();
		return undefined;
	}

	/** Counts as a use: it starts from the top of the idle ladder again. */
	touch(): void {
		this.#used_at_ms = this.#options.around.clock.monotonic();
	}

	/** When it became ready, on the monotonic scale. */
	get ready_at_ms(): number | undefined {
		return this.#ready_at_ms;
	}

	/** When it became ready, in wall-clock milliseconds. */
	get ready_wall_ms(): number | undefined {
		return this.#ready_wall_ms;
	}

	/** Whether its start has had its turn among other starts. */
	get had_turn(): boolean {
		return this.#had_turn;
	}

	/** Waits for its turn and opens the server. The outcome goes to the owner. */
	start(): void {
		assert(!this.#started, "an instance starts once");
		this.#started = true;
		void this.#start();
	}

	/** Ends a start; the owner hears of it when nothing of it is left. */
	abort(): void {
		this.#abort.abort();
		// A driver that does not even end its start is given up after the time a stop may take.
		if (this.#watchdog !== undefined) this.#watch(this.#stopTime());
	}

	/**
	 * Waits for requests still in flight, at most until `drain_ms` have passed, then closes the
	 * server. Resolves when nothing is left of it, or when the driver takes too long.
	 */
	close(drain_ms: number): Promise<void> {
		this.#ended = true;
		this.#closing ??= this.#close(drain_ms);
		return this.#closing;
	}

	async #start(): Promise<void> {
		const { around, retry } = this.#options;
		const pass = await around.admission.enter({ retry, signal: this.#abort.signal });
		if (pass === undefined || this.#abort.signal.aborted) {
			pass?.leave();
			this.#end({ kind: "aborted" });
			return;
		}
		this.#had_turn = true;
		this.#options.owner.onTurn(this);
		this.#watch(this.#options.plan.timeouts.start_ms + this.#stopTime());
		const opened = this.#open();
		const outcome = await Promise.race([opened, this.#given_up.promise]);
		this.#watchdog?.cancel();
		pass.leave();
		if (outcome === undefined) {
			void opened.then((late) => (late.ok ? this.#dispose(late.value) : this.#leaveFolders()));
			const what = "did not become ready in time, and could not be stopped in time either";
			this.#fail(failureOfTime(this.key.server, what, "server_failed"));
		} else if (outcome.ok) {
			await this.#opened(outcome.value);
		} else {
			await this.#leaveFolders();
			this.#fail(failureOfFault(outcome.problem));
		}
	}

	async #open(): Promise<Result<Upstream, Fault>> {
		const { around, plan, resolved } = this.#options;
		const driver = around.drivers[resolved.spec.driver];
		assert(driver !== undefined, `there is no driver "${resolved.spec.driver}"`);
		const confinement = await this.#confine();
		if (!confinement.ok) return confinement;
		const spec = await this.#fill(confinement.value);
		if (!spec.ok) return spec;
		const context: DriverContext = {
			server: plan.name,
			owner: around.ownerOf?.(this.key.scope_key),
			clock: around.clock,
			random: around.random,
			signal: this.#abort.signal,
			start_ms: plan.timeouts.start_ms,
			stop_ms: plan.timeouts.stop_ms,
			reply_bytes_max: around.limits().reply_bytes_max,
			client_capabilities: this.key.capabilities,
			client_info: around.client_info,
			spawner: around.spawner,
			confinement: confinement.value,
			era_verdicts: around.era_verdicts,
			way: fingerprintOf([plan.spec, resolved.identity?.digest]),
			freshHeaders: () => this.#freshHeaders(),
			onPush: (message) => this.#options.owner.onPush(this, message),
			onRequest: (ask) => {
				this.touch();
				this.#options.owner.onRequest(this, this.#questions.watch(ask));
			},
			onLine: (stream, line) => this.#options.owner.onLine(this, stream, line),
			onGone: (reason) => this.#onGone(reason),
		};
		try {
			return await driver.open(spec.value, context);
		} catch (error) {
			return fail(
				makeFault(around.random, {
					code: "internal",
					message: `The server "${plan.name}" could not be started because of a defect in Moorage.`,
					detail: String(error),
					level: "error",
					server: plan.name,
					retry_safe: true,
				}),
			);
		}
	}

	/** The spec with its values, as late as possible. */
	async #fill(confinement: Confinement | undefined): Promise<Result<ServerSpec, Fault>> {
		const { around, plan, resolved } = this.#options;
		if (around.values === undefined) return succeed(resolved.spec);
		const filled = await around.values.fillIn(resolved.spec, this.key);
		const ready = filled.ok ? await withFiles(filled.value, confinement?.temp) : filled;
		if (ready.ok) {
			this.#values_digest = filled.ok ? filled.value.digest : undefined;
			return ready;
		}
		const { message, next, detail } = ready.problem;
		return fail(
			makeFault(around.random, {
				code: "secret_unavailable",
				message: `The server "${plan.name}" was not started: ${message} ${next}`,
				detail,
				level: "error",
				server: plan.name,
				retry_safe: true,
			}),
		);
	}

	/** Makes the folders of something that runs on this machine, and says what bounds it. */
	async #confine(): Promise<Result<Confinement | undefined, Fault>> {
		const { around, plan, resolved, id } = this.#options;
		if (around.volumes === undefined || resolved.spec.driver === "http") return succeed(undefined);
		if (resolved.spec.driver === "stdio") around.spawner.expect?.();
		const [folders, way] = await Promise.all([
			around.volumes.open(plan.name, this.key.scope_key, id),
			this.#openWay(),
		]);
		if (!folders.ok) {
			const { message, detail } = folders.problem;
			return fail(
				makeFault(around.random, {
					code: "server_failed",
					message: `The server "${plan.name}" has no place for its files: ${message}`,
					detail,
					level: "error",
					server: plan.name,
					retry_safe: true,
				}),
			);
		}
		this.#folders = folders.value;
		this.#volume = folders.value.volume;
		const { sandbox, untrusted, resources } = plan;
		const { volume, temp, instance } = folders.value;
		const { needs } = resolved;
		return succeed({ sandbox, untrusted, resources, volume, temp, instance, needs, way });
	}

	/** Where it cannot be opened, the network of the sandbox stays closed. */
	async #openWay(): Promise<SandboxWay | undefined> {
		const { around, plan, resolved } = this.#options;
		const { sandbox, untrusted, name: server } = plan;
		const is_sandboxed = untrusted || sandbox.mode !== "off";
		if (resolved.spec.driver !== "stdio" || !is_sandboxed) return undefined;
		try {
			this.#gate = await around.egress?.open({ server, plan: sandbox.egress, untrusted });
		} catch (error) {
			around.log.error({ server, error: String(error) }, "a way to the network was not opened");
			const text = "its way to the network could not be opened: it reaches nothing";
			this.#options.owner.onLine(this, "event", text);
		}
		return this.#gate?.way;
	}

	async #leaveFolders(): Promise<void> {
		const [folders, gate] = [this.#folders, this.#gate];
		this.#folders = this.#gate = undefined;
		await gate?.close();
		if (folders !== undefined) await this.#options.around.volumes?.close(folders);
	}

	/** The handshake is answered; but it may be unwanted, or gone again, by now. */
	async #opened(upstream: Upstream): Promise<void> {
		if (this.#abort.signal.aborted || this.#gone !== undefined) {
			await this.#dispose(upstream);
			if (this.#gone === undefined) this.#end({ kind: "aborted" });
			else this.#fail(failureOfGone(this.key.server, this.#gone));
			return;
		}
		const { clock } = this.#options.around;
		const { owner } = this.#options;
		this.#leases = new LeaseCount(this.key, upstream, {
			onBack: (last) => {
				if (last) this.touch();
				owner.onBack(this, last);
			},
			onQuestion: () => owner.onQuestion(this),
		});
		this.#sleep = new Sleep(upstream.hibernation, {
			onFreezeFailed: () => this.#options.owner.onFreezeFailed(this),
			onThawFailed: (detail) => this.#onThawFailed(detail),
		});
		// What runs elsewhere has its own watchers; only what runs here can be started anew.
		const local = this.#options.resolved.spec.driver !== "http";
		if (local) this.#pulse = new Pulse(upstream, clock);
		this.touch();
		this.#ready_at_ms = clock.monotonic();
		this.#ready_wall_ms = clock.now();
		this.#options.owner.onReady(this);
	}

	#onGone(reason: GoneReason): void {
		this.#gone = reason;
		if (this.#leases === undefined) return;
		this.#end({ kind: "gone", failure: failureOfGone(this.key.server, reason) });
	}

	#onThawFailed(detail: string): void {
		const failure = failureOfTime(this.key.server, "could not be woken", "server_failed");
		this.#end({ kind: "gone", failure: { ...failure, detail } });
	}

	#fail(failure: Failure): void {
		this.#end(this.#abort.signal.aborted ? { kind: "aborted" } : { kind: "unstarted", failure });
	}

	#end(end: InstanceEnd): void {
		if (this.#ended) return;
		this.#ended = true;
		this.#options.owner.onEnd(this, end);
	}

	async #close(drain_ms: number): Promise<void> {
		const upstream = this.upstream;
		assert(upstream !== undefined, "only an instance that was ready is closed");
		this.#pulse?.pause();
		// What sleeps cannot end by itself.
		this.#sleep?.thaw();
		const wait_ms = Math.min(drain_ms, unleased_drain_ms);
		if (this.#gone === undefined && upstream.in_flight > 0 && wait_ms > 0) {
			await this.#atMost(wait_ms, upstream.drain(wait_ms));
		}
		await this.#dispose(upstream);
	}

	async #dispose(upstream: Upstream): Promise<void> {
		const stop_ms = this.#stopTime();
		const closed = await this.#atMost(stop_ms, upstream.close());
		await this.#leaveFolders();
		if (closed) return;
		const fields = { server: this.key.server, instance: this.id, stop_ms };
		this.#options.around.log.error(fields, "an instance did not close in time");
	}

	/** False when the time was over first. A driver that throws here is done, and defective. */
	async #atMost(wait_ms: number, work: Promise<void>): Promise<boolean> {
		const { clock, log } = this.#options.around;
		const { promise, resolve } = Promise.withResolvers<boolean>();
		const timer = clock.after(wait_ms, () => resolve(false));
		work.then(
			() => resolve(true),
			(error: unknown) => {
				const fields = { server: this.key.server, instance: this.id, error: String(error) };
				log.error(fields, "a driver failed while it closed an instance");
				resolve(true);
			},
		);
		const in_time = await promise;
		timer.cancel();
		return in_time;
	}

	/** SIGTERM follows closed stdin after `stop_ms`, SIGKILL after as much again. */
	#stopTime(): number {
		return 2 * this.#options.plan.timeouts.stop_ms + driver_grace_ms;
	}

	#watch(wait_ms: number): void {
		this.#watchdog?.cancel();
		this.#watchdog = this.#options.around.clock.after(wait_ms, () => {
			this.#abort.abort();
			this.#given_up.resolve(undefined);
		});
	}
}
