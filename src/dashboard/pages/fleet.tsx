import type { JSX } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Reply } from "../lib/api.ts";
import { onNews } from "../lib/events.ts";
import { bytes, count, counted, duration, percent, plain, rate } from "../lib/format.ts";
import { useQuery } from "../lib/query.ts";
import { ask, linkTo, type Place } from "../lib/router.ts";
import { hasRole, useSession } from "../lib/session.ts";
import { useVisible } from "../lib/visible.ts";
import { Empty, Field, Loading, PageHead, Problem, StateBadge } from "../ui/parts.tsx";
import { Spark } from "../ui/spark.tsx";
import { KillSwitches, serversOff, useKillSwitches } from "./kill-switch.tsx";
import { ServerActions } from "./server-actions.tsx";

type Fleet = Reply<"getFleet">;
type FleetServer = Fleet["servers"][number];
type Traffic = Fleet["traffic"];

/** Rates come as news; memory and what nobody tells is read this often. */
const refresh_ms = 10_000;

interface StateNews {
	readonly name: string;
	readonly state: FleetServer["state"];
	readonly reason?: string;
}

interface StatsNews {
	readonly at_ms: number;
	readonly traffic: Traffic;
	readonly servers: readonly { readonly name: string; readonly traffic: Traffic }[];
}

/** Every server, what it does now, and what can be done about it. */
export function FleetPage({ place }: { place: Place }): JSX.Element {
	const session = useSession();
	const { value, problem, set, reload } = useQuery("getFleet", {
		every_ms: refresh_ms,
		on: ["reloaded"],
	});
	useEffect(() => {
		const undo = [
			onNews("state", (news: StateNews) => set((fleet) => withState(fleet, news))),
			onNews("stats", (news: StatsNews) => set((fleet) => withStats(fleet, news))),
		];
		return () => {
			for (const one of undo) one();
		};
	}, [set]);
	const may_add = hasRole(session);
	return (
		<>
			<PageHead
				title="Fleet"
				about={value === undefined ? undefined : `Everything together: ${value.url}/mcp`}
			>
				{may_add ? (
					<a class="button main" href={linkTo("add")}>
						Add a server
					</a>
				) : null}
			</PageHead>
			<Problem problem={problem} />
			{value === undefined && problem === undefined ? <Loading what="Reading the fleet" /> : null}
			{value === undefined ? null : (
				<Body fleet={value} place={place} may_add={may_add} onChange={reload} />
			)}
		</>
	);
}

function Body(props: {
	fleet: Fleet;
	place: Place;
	may_add: boolean;
	onChange(): void;
}): JSX.Element {
	const { fleet, place, may_add, onChange } = props;
	const wanted = place.query.get("find") ?? "";
	const state = place.query.get("state") ?? "";
	const sort = place.query.get("sort") ?? "";
	const shown = useMemo(
		() =>
			sorted(
				fleet.servers.filter((one) => fits(one, wanted, state)),
				sort,
			),
		[fleet, wanted, state, sort],
	);
	const switches = useKillSwitches();
	if (fleet.servers.length === 0) return <NoServers may_add={may_add} />;
	return (
		<>
			<KillSwitches query={switches} />
			<Totals fleet={fleet} />
			<div class="filters">
				<Field
					label="Find a server"
					control={(attributes) => (
						<input
							{...attributes}
							type="search"
							value={wanted}
							onInput={(event) => ask({ find: event.currentTarget.value })}
						/>
					)}
				/>
				<Choice label="State" value={state} options={states} onPick={(to) => ask({ state: to })} />
				<Choice label="Order" value={sort} options={sorts} onPick={(to) => ask({ sort: to })} />
				<p class="muted small grow" role="status">
					{shown.length === fleet.servers.length
						? counted(fleet.servers.length, "server")
						: `${shown.length} of ${fleet.servers.length} servers`}
				</p>
			</div>
			<Rows servers={shown} off={serversOff(switches)} onChange={onChange} />
		</>
	);
}

const states = [
	["", "Any"],
	["ready", "Ready"],
	["frozen", "Asleep"],
	["stopped", "Stopped"],
	["failed", "Failed"],
] as const;

const sorts = [
	["", "As configured"],
	["name", "Name"],
	["calls", "Most calls"],
	["errors", "Most errors"],
	["slow", "Slowest"],
	["memory", "Most memory"],
] as const;

function Choice(props: {
	label: string;
	value: string;
	options: readonly (readonly [string, string])[];
	onPick(value: string): void;
}): JSX.Element {
	return (
		<Field
			label={props.label}
			control={(attributes) => (
				<select
					{...attributes}
					value={props.value}
					onChange={(event) => props.onPick(event.currentTarget.value)}
				>
					{props.options.map(([value, title]) => (
						<option key={value} value={value}>
							{title}
						</option>
					))}
				</select>
			)}
		/>
	);
}

function Totals({ fleet }: { fleet: Fleet }): JSX.Element {
	const { traffic, servers } = fleet;
	const of = (state: string) => servers.filter((one) => one.state === state).length;
	const memory = servers.reduce((sum, one) => sum + (one.memory_bytes ?? 0), 0);
	return (
		<section class="totals" aria-label="All servers together">
			<div class="total">
				<span class="muted">Awake</span>
				<b>
					{of("ready")} of {servers.length}
				</b>
				<span class="muted small">
					{of("frozen")} asleep, {of("failed")} failed
				</span>
			</div>
			<div class="total">
				<span class="muted">Calls a second</span>
				<b>{rate(traffic.calls_per_s)}</b>
				<span class="muted small">{count(traffic.calls)} in the last minute</span>
			</div>
			<div class="total">
				<span class="muted">Errors</span>
				<b>{percent(traffic.error_rate)}</b>
				<span class="muted small">
					{traffic.p99_ms === undefined ? "no calls" : `p99 ${duration(traffic.p99_ms)}`}
				</span>
			</div>
			<div class="total">
				<span class="muted">Memory</span>
				<b>{bytes(memory)}</b>
				<span class="muted small">{counted(fleet.sessions, "session")}</span>
			</div>
			<div class="total wide">
				<span class="muted">Last minute</span>
				<Spark
					values={traffic.spark}
					label={`${counted(traffic.calls, "call")} in the last minute`}
				/>
			</div>
		</section>
	);
}

function Rows(props: {
	servers: readonly FleetServer[];
	/** Those that every call is kept from. */
	off: ReadonlySet<string>;
	onChange(): void;
}): JSX.Element {
	if (props.servers.length === 0) {
		return (
			<Empty title="No server is like that">
				<p>Change what you look for, or show all states.</p>
			</Empty>
		);
	}
	return (
		<section class="fleet" aria-label="Servers">
			<div class="fleet-row head" aria-hidden="true">
				<span>Server</span>
				<span>State</span>
				<span class="right">Calls/s</span>
				<span class="right">Errors</span>
				<span class="right">p50</span>
				<span class="right">p99</span>
				<span class="right">Memory</span>
				<span>Last minute</span>
				<span />
			</div>
			{props.servers.map((server) => (
				<Row
					key={server.name}
					server={server}
					off={props.off.has(server.name)}
					onChange={props.onChange}
				/>
			))}
		</section>
	);
}

interface RowProps {
	readonly server: FleetServer;
	readonly off: boolean;
	onChange(): void;
}

/**
 * A row is drawn again only when its server has changed and somebody sees it: there may be
 * hundreds, and all of them may change every two seconds. Of one that nobody sees only its name is
 * there, to be found and to be reached with the keyboard.
 */
function Row({ server, off, onChange }: RowProps): JSX.Element {
	const row = useRef<HTMLElement>(null);
	const visible = useVisible(row);
	const drawn = useRef(server);
	if (visible || drawn.current.state !== server.state) drawn.current = server;
	const { current } = drawn;
	return useMemo(
		() => (
			<article class="fleet-row" aria-label={current.name} ref={row}>
				{visible ? (
					<RowBody server={current} off={off} onChange={onChange} />
				) : (
					<div class="name">
						<a href={linkTo("servers", current.name)}>{current.name}</a>
					</div>
				)}
			</article>
		),
		[current, visible, off, onChange],
	);
}

function RowBody({ server, off, onChange }: RowProps): JSX.Element {
	const { traffic } = server;
	const waiting = server.waiting > 0 ? `, ${server.waiting} waiting` : "";
	return (
		<>
			<div class="name">
				<a href={linkTo("servers", server.name)}>{server.name}</a>
				<div class="muted small">
					{server.driver}, {counted(server.tools, "tool")}
					{server.in_use > 0 ? `, ${server.in_use} in use${waiting}` : waiting}
				</div>
			</div>
			<span class="state">
				<StateBadge state={server.state} off={off} />
			</span>
			<div class="metrics num">
				<Metric name="calls/s" value={rate(traffic.calls_per_s)} />
				<Metric name="errors" value={traffic.calls === 0 ? "–" : percent(traffic.error_rate)} />
				<Metric name="p50" value={milliseconds(traffic.p50_ms)} />
				<Metric name="p99" value={milliseconds(traffic.p99_ms)} />
				<Metric
					name="memory"
					value={server.memory_bytes === undefined ? "–" : bytes(server.memory_bytes)}
				/>
			</div>
			<Spark
				values={traffic.spark}
				label={`${counted(traffic.calls, "call")} in the last minute`}
			/>
			<div class="tools">
				<ServerActions name={server.name} state={server.state} off={off} onDone={onChange} />
			</div>
			{server.reason === undefined ? null : <p class="why">{plain(server.reason, 300)}</p>}
		</>
	);
}

function Metric({ name, value }: { name: string; value: string }): JSX.Element {
	return (
		<span class="right">
			<span class="unit">{name} </span>
			{value}
		</span>
	);
}

function milliseconds(value: number | undefined): string {
	return value === undefined ? "–" : duration(value);
}

function NoServers({ may_add }: { may_add: boolean }): JSX.Element {
	return (
		<Empty title="No server yet">
			<p>
				Moorage hosts MCP servers: programs of a package registry, containers, or remote addresses.
				Each gets an address that any client can use.
			</p>
			{may_add ? (
				<a class="button main" href={linkTo("add")}>
					Add the first server
				</a>
			) : (
				<p>An admin can add one.</p>
			)}
		</Empty>
	);
}

function fits(server: FleetServer, wanted: string, state: string): boolean {
	if (state !== "" && server.state !== state) return false;
	const text = wanted.trim().toLowerCase();
	return (
		text === "" || `${server.name} ${server.title} ${server.driver}`.toLowerCase().includes(text)
	);
}

function sorted(servers: readonly FleetServer[], by: string): readonly FleetServer[] {
	const measure: Readonly<Record<string, (server: FleetServer) => number>> = {
		calls: ({ traffic }) => traffic.calls,
		errors: ({ traffic }) => traffic.error_rate * traffic.calls,
		slow: ({ traffic }) => traffic.p99_ms ?? 0,
		memory: ({ memory_bytes }) => memory_bytes ?? 0,
	};
	if (by === "name") return servers.toSorted((a, b) => a.name.localeCompare(b.name));
	const of = measure[by];
	return of === undefined ? servers : servers.toSorted((a, b) => of(b) - of(a));
}

function withState(fleet: Fleet, { name, state, reason }: StateNews): Fleet {
	return {
		...fleet,
		servers: fleet.servers.map((server) => {
			if (server.name !== name) return server;
			const { reason: _old, ...rest } = server;
			return { ...rest, state, ...(reason === undefined ? {} : { reason }) };
		}),
	};
}

function withStats(fleet: Fleet, news: StatsNews): Fleet {
	const rates = new Map(news.servers.map(({ name, traffic }) => [name, traffic]));
	const servers = fleet.servers.map((server) => {
		const traffic = rates.get(server.name);
		// What has not changed stays the same object, so that its row is not drawn again.
		return traffic === undefined ? server : { ...server, traffic };
	});
	return { ...fleet, at_ms: news.at_ms, traffic: news.traffic, servers };
}
