import type { Gateway } from "../gateway/gateway.ts";
import type { Hosting } from "../hosting/hosting.ts";
import type { Clock } from "../lib/clock.ts";
import type { LoopDelay, LoopWatch } from "../lib/event-loop.ts";
import type { Point, Registry } from "../telemetry/metrics/registry.ts";
import type { InstanceUsage } from "../upstreams/driver.ts";

/** What the house's own metrics are read from. */
export interface HouseMetricsOptions {
	readonly clock: Clock;
	readonly hosting: Hosting;
	readonly loop: LoopWatch;
	gateway(): Gateway;
}

/** What the machine is asked for is asked for this often at most, however many scrape. */
const usage_ms = 5_000;
const micros_per_s = 1e6;

/** Metrics that are no counts of calls: servers, sessions, and what the process uses. */
export function observeHouse(registry: Registry, options: HouseMetricsOptions): void {
	observeServers(registry, options.hosting);
	observeWork(registry, options.hosting);
	observeClients(registry, options);
	observeProcess(registry, options.loop);
	observeUsage(registry, options);
}

function observeServers(registry: Registry, hosting: Hosting): void {
	const by_server = ["server"];
	registry.observe(
		"gauge",
		{
			name: "moorage.instances",
			help: "Instances of servers, by their state.",
			unit: "1",
			labels: ["server", "state"],
		},
		() =>
			hosting.statuses().flatMap(({ name, instances }) => {
				const states = Map.groupBy(instances, ({ state }) => state);
				return [...states].map(([state, of_state]) => point(of_state.length, name, state));
			}),
	);
	registry.observe(
		"gauge",
		{
			name: "moorage.server.up",
			help: "1 for a server that is of use or asleep, 0 for one that has failed.",
			unit: "1",
			labels: by_server,
		},
		() => hosting.statuses().map(({ name, state }) => point(state === "failed" ? 0 : 1, name)),
	);
	registry.observe(
		"counter",
		{
			name: "moorage.server.restarts",
			help: "How often a server was started again after a failure.",
			unit: "1",
			labels: by_server,
		},
		() => hosting.statuses().map(({ name, restarts }) => point(restarts, name)),
	);
	registry.observe(
		"counter",
		{
			name: "moorage.server.wakes",
			help: "How often a frozen instance was woken.",
			unit: "1",
			labels: by_server,
		},
		() => hosting.statuses().map(({ name, wakes = 0 }) => point(wakes, name)),
	);
}

function observeWork(registry: Registry, hosting: Hosting): void {
	const by_server = ["server"];
	registry.observe(
		"gauge",
		{
			name: "moorage.queue.depth",
			help: "Calls that wait for an instance.",
			unit: "1",
			labels: by_server,
		},
		() =>
			hosting.statuses().map(({ name, instances }) =>
				point(
					instances.reduce((sum, { waiting }) => sum + waiting, 0),
					name,
				),
			),
	);
	registry.observe(
		"gauge",
		{
			name: "moorage.leases",
			help: "Calls and streams that use an instance.",
			unit: "1",
			labels: by_server,
		},
		() =>
			hosting.statuses().map(({ name, instances }) =>
				point(
					instances.reduce((sum, { leases }) => sum + leases, 0),
					name,
				),
			),
	);
}

function observeClients(registry: Registry, { gateway }: HouseMetricsOptions): void {
	const gauge = (name: string, help: string, read: () => number) =>
		registry.observe("gauge", { name, help, unit: "1", labels: [] }, () => [point(read())]);
	gauge(
		"moorage.sessions",
		"Legacy sessions that are open.",
		() => gateway().context.sessions.count,
	);
	gauge("moorage.streams", "Streams that wait for news of servers.", () => gateway().pushes.count);
	gauge(
		"moorage.parked_calls",
		"Calls that wait for an answer of their client.",
		() => gateway().context.parked.count,
	);
	gauge("moorage.requests_in_flight", "Requests being answered.", () => gateway().in_flight);
}

function observeProcess(registry: Registry, loop: LoopWatch): void {
	let delay: LoopDelay = { p50_s: 0, p99_s: 0, max_s: 0 };
	registry.refresh(async () => {
		delay = loop.read();
	});
	registry.observe(
		"gauge",
		{
			name: "moorage.event_loop.delay",
			help: "How late the gateway's event loop was since this was read last.",
			unit: "s",
			labels: ["quantile"],
		},
		() => [point(delay.p50_s, "0.5"), point(delay.p99_s, "0.99"), point(delay.max_s, "1")],
	);
	registry.observe(
		"gauge",
		{
			name: "process.memory.usage",
			help: "Memory of the gateway itself, without its servers.",
			unit: "By",
			labels: [],
		},
		() => [point(process.memoryUsage.rss())],
	);
	registry.observe(
		"counter",
		{
			name: "process.cpu.time",
			help: "Processor time of the gateway itself, without its servers.",
			unit: "s",
			labels: ["cpu.mode"],
		},
		() => {
			const { user, system } = process.cpuUsage();
			return [point(user / micros_per_s, "user"), point(system / micros_per_s, "system")];
		},
	);
}

function observeUsage(registry: Registry, { hosting, clock }: HouseMetricsOptions): void {
	let read_ms = Number.NEGATIVE_INFINITY;
	let used: { server: string; instance: string; usage: InstanceUsage }[] = [];
	registry.refresh(async () => {
		if (clock.monotonic() - read_ms < usage_ms) return;
		read_ms = clock.monotonic();
		const running = hosting
			.statuses()
			.filter(({ instances }) => instances.some(({ id }) => id > 0));
		const all = await Promise.all(
			running.map(async ({ name }) => {
				// An instance may end while it is asked about.
				const usages = await hosting.usage(name).catch(() => new Map<number, InstanceUsage>());
				return [...usages].map(([id, usage]) => ({ server: name, instance: String(id), usage }));
			}),
		);
		used = all.flat();
	});
	const labels = ["server", "instance"];
	registry.observe(
		"gauge",
		{
			name: "moorage.instance.memory",
			help: "Memory an instance holds that cannot be had back by forgetting file contents.",
			unit: "By",
			labels,
		},
		() => used.map(({ server, instance, usage }) => point(usage.memory_bytes, server, instance)),
	);
	registry.observe(
		"counter",
		{
			name: "moorage.instance.cpu.time",
			help: "Processor time of an instance since its start.",
			unit: "s",
			labels,
		},
		() => used.map(({ server, instance, usage }) => point(usage.cpu_ms / 1_000, server, instance)),
	);
	registry.observe(
		"gauge",
		{ name: "moorage.instance.processes", help: "Processes of an instance.", unit: "1", labels },
		() => used.map(({ server, instance, usage }) => point(usage.processes, server, instance)),
	);
}

function point(value: number, ...labels: string[]): Point {
	return { labels, value };
}
