import assert from "node:assert/strict";
import type { StdioSpec } from "../../src/config/plan.ts";
import type { Clock, Timer } from "../../src/lib/clock.ts";
import { fail, type Result, succeed } from "../../src/lib/result.ts";
import { type Fault, type FaultCode, makeFault } from "../../src/protocol/fault.ts";
import type {
	Driver,
	DriverContext,
	Hello,
	Hibernation,
	InstanceUsage,
	Upstream,
	UpstreamRequest,
} from "../../src/upstreams/driver.ts";
import type { Message } from "../../src/wire/message.ts";

/** How one start of a server goes. */
export interface FakeStart {
	/** Time until `open` has its outcome. `hang` stands for never, until it is aborted. */
	readonly after_ms: number | "hang";
	/** The fault the start ends in; undefined when it succeeds. */
	readonly fault?: FaultCode;
	/** How long the upstream lives before it is gone by itself. */
	readonly lives_ms?: number;
	/** How long `close`, or the end of an aborted start, takes. */
	readonly close_ms?: number;
	/** A driver that ignores the signal it is given. */
	readonly deaf?: boolean;
	/** How it sleeps; undefined where it cannot be frozen. */
	readonly sleep?: FakeSleep;
}

/** How a fake server goes to sleep and wakes up. */
export interface FakeSleep {
	readonly freeze_ms?: number;
	readonly freezes?: boolean;
	/** False for one that can never be woken again. */
	readonly thaws?: boolean;
	readonly reclaims_bytes?: number;
}

/** A hibernation that remembers what was asked of it. */
export class FakeHibernation implements Hibernation {
	frozen = false;
	/** What was asked for, in its order; a `+` says that it is done. */
	readonly log: string[] = [];
	#busy = false;
	readonly #clock: Clock;
	readonly #sleep: FakeSleep;

	constructor(clock: Clock, sleep: FakeSleep) {
		this.#clock = clock;
		this.#sleep = sleep;
	}

	async freeze(): Promise<boolean> {
		this.log.push("freeze");
		assert.equal(this.#busy, false, "a freeze or thaw overtakes another one");
		this.#busy = true;
		const { promise, resolve } = Promise.withResolvers<void>();
		const { freeze_ms } = this.#sleep;
		if (freeze_ms === undefined) resolve();
		else this.#clock.after(freeze_ms, resolve);
		await promise;
		this.log.push("+freeze");
		this.#busy = false;
		this.frozen = this.#sleep.freezes !== false;
		return this.frozen;
	}

	async thaw(): Promise<void> {
		this.log.push("thaw");
		assert.equal(this.#busy, false, "a thaw overtakes a freeze");
		if (this.#sleep.thaws === false) throw new Error("the freezer is broken");
		this.frozen = false;
	}

	async reclaim(): Promise<number> {
		this.log.push("reclaim");
		return this.#sleep.reclaims_bytes ?? 0;
	}

	async usage(): Promise<InstanceUsage | undefined> {
		return { memory_bytes: 1_000_000, cpu_ms: 5, processes: 1 };
	}
}

export const fake_hello: Hello = {
	era: "legacy",
	revision: "2025-11-25",
	capabilities: '{"tools":{}}',
	server_info: '{"name":"fake","version":"1"}',
	instructions: undefined,
};

/** One opened fake server. */
export class FakeUpstream implements Upstream {
	readonly hello = fake_hello;
	readonly server: string;
	readonly capabilities: string;
	readonly spec: StdioSpec;
	readonly context: DriverContext;
	in_flight = 0;
	answers = 0;
	/** Whether it answers what it is asked. */
	answering = true;
	/** How often it was asked for a sign of life. */
	pings = 0;
	drains = 0;
	readonly hibernation: FakeHibernation | undefined;
	state: "open" | "gone" | "closing" | "closed" = "open";
	readonly #close_ms: number;
	#closing: Promise<void> | undefined;

	constructor(spec: StdioSpec, context: DriverContext, start: FakeStart) {
		const { sleep } = start;
		this.hibernation = sleep && new FakeHibernation(context.clock, sleep);
		this.spec = spec;
		this.context = context;
		this.server = context.server;
		this.capabilities = context.client_capabilities;
		this.#close_ms = start.close_ms ?? 0;
	}

	/** Answers at once, or never; what it is asked is a sign of life, and nothing else. */
	async request({ message, signal, call_ms }: UpstreamRequest): Promise<Result<Message, Fault>> {
		assert.equal(message.method, "ping", "this upstream answers no other requests");
		this.pings += 1;
		this.in_flight += 1;
		const ended = Promise.withResolvers<FaultCode | undefined>();
		const timer = this.context.clock.after(call_ms, () => ended.resolve("call_timeout"));
		signal.addEventListener("abort", () => ended.resolve("call_cancelled"), { once: true });
		if (this.answering) ended.resolve(undefined);
		const code = await ended.promise;
		timer.cancel();
		this.in_flight -= 1;
		const { random, server } = this.context;
		if (code === undefined) return succeed(message);
		const parts = { code, message: "It is silent.", level: "debug", server } as const;
		return fail(makeFault(random, { ...parts, retry_safe: true }));
	}

	notify(): void {}

	async drain(): Promise<void> {
		this.drains += 1;
	}

	close(): Promise<void> {
		this.#closing ??= new Promise((resolve) => {
			this.state = "closing";
			this.context.clock.after(this.#close_ms, () => {
				this.state = "closed";
				resolve();
			});
		});
		return this.#closing;
	}

	/** Goes away by itself, as a crashing process does. */
	crash(exit_code = 1): void {
		if (this.state !== "open") return;
		this.state = "gone";
		const message = `exited with code ${exit_code}`;
		this.context.onGone({ message, exit_code, signal: null });
	}
}

/** A driver without processes, for tests that own the time. */
export class FakeDriver implements Driver<StdioSpec> {
	readonly kind = "stdio";
	/** What the next start of a server does; asked at each one. */
	readonly script: (server: string, start: number) => FakeStart;
	/** Everything that was ever opened, in its order. */
	readonly upstreams: FakeUpstream[] = [];
	/** Starts under way by server and capabilities. */
	readonly starting = new Map<string, number>();
	/** The most starts of one server and capabilities that ever were under way at once. */
	starts_at_once_max = 0;
	/** How often each server was started. */
	readonly starts = new Map<string, number>();

	constructor(script: (server: string, start: number) => FakeStart) {
		this.script = script;
	}

	/** The ones that run now. */
	get open_upstreams(): FakeUpstream[] {
		return this.upstreams.filter((upstream) => upstream.state === "open");
	}

	/** The ones of which anything is left. */
	get live_upstreams(): FakeUpstream[] {
		return this.upstreams.filter(({ state }) => state === "open" || state === "closing");
	}

	async open(spec: StdioSpec, context: DriverContext): Promise<Result<Upstream, Fault>> {
		const { server } = context;
		const key = `${server} ${context.client_capabilities}`;
		const count = (this.starts.get(server) ?? 0) + 1;
		this.starts.set(server, count);
		this.#count(key, 1);
		try {
			return await this.#open(this.script(server, count), spec, context);
		} finally {
			this.#count(key, -1);
		}
	}

	async #open(
		start: FakeStart,
		spec: StdioSpec,
		context: DriverContext,
	): Promise<Result<Upstream, Fault>> {
		const { clock, signal } = context;
		const fault = (code: FaultCode) => fail(this.#fault(context, code));
		const outcome = Promise.withResolvers<Result<Upstream, Fault>>();
		const timers: Timer[] = [];
		const later = (delay_ms: number, make: () => Result<Upstream, Fault>) => {
			timers.push(clock.after(delay_ms, () => outcome.resolve(make())));
		};
		if (start.after_ms !== "hang") {
			later(start.after_ms, () =>
				start.fault !== undefined
					? fault(start.fault)
					: succeed(this.#opened(start, spec, context)),
			);
		}
		if (start.deaf !== true) {
			const end = () => later(start.close_ms ?? 0, () => fault("call_cancelled"));
			if (signal.aborted) end();
			else signal.addEventListener("abort", end, { once: true });
			later(context.start_ms, () => fault("server_starting"));
		}
		const result = await outcome.promise;
		for (const timer of timers) timer.cancel();
		// A driver never leaves anything behind of a start that was given up.
		if (result.ok && signal.aborted && start.deaf !== true) {
			await result.value.close();
			return fault("call_cancelled");
		}
		return result;
	}

	#opened(start: FakeStart, spec: StdioSpec, context: DriverContext): FakeUpstream {
		const upstream = new FakeUpstream(spec, context, start);
		this.upstreams.push(upstream);
		if (start.lives_ms !== undefined) {
			context.clock.after(start.lives_ms, () => upstream.crash());
		}
		return upstream;
	}

	#fault(context: DriverContext, code: FaultCode): Fault {
		return makeFault(context.random, {
			code,
			message: `The server "${context.server}" did not start: ${code}`,
			detail: "stderr: a secret that must not reach a caller",
			level: "warn",
			server: context.server,
			retry_safe: true,
		});
	}

	#count(key: string, change: 1 | -1): void {
		const count = (this.starting.get(key) ?? 0) + change;
		this.starting.set(key, count);
		this.starts_at_once_max = Math.max(this.starts_at_once_max, count);
	}
}
