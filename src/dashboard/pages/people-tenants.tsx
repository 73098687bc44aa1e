import type { JSX } from "preact";
import { call, type Reply } from "../lib/api.ts";
import { count, counted, duration, percent, plain, rate } from "../lib/format.ts";
import { eachOnce, usePages } from "../lib/pages.ts";
import { useQuery } from "../lib/query.ts";
import { ask, linkTo, type Place } from "../lib/router.ts";
import { Line } from "../ui/line.tsx";
import { Badge, Button, Empty, Facts, Loading, Problem } from "../ui/parts.tsx";
import { Spark } from "../ui/spark.tsx";
import { KillButton, LiftButton } from "./kill-switch.tsx";

type Tenant = Reply<"listTenants">["tenants"][number];
type Details = Reply<"getTenant">;

const refresh_ms = 5_000;

/** Groups of people who are kept apart from each other; one of them alone where it is named. */
export function TenantsTab({ place }: { place: Place }): JSX.Element {
	const name = place.parts[2];
	return name === undefined ? <Tenants place={place} /> : <OneTenant key={name} name={name} />;
}

function Tenants({ place }: { place: Place }): JSX.Element {
	const wanted = place.query.get("find") ?? "";
	return (
		<div class="stack">
			<p class="muted">
				Nobody makes a tenant: each is there with its people, its keys, or the calls that come in
				its name.
			</p>
			<div class="filters">
				<Line label="Find a tenant" value={wanted} onChange={(find) => ask({ find })} />
			</div>
			<Pages key={wanted} wanted={wanted} />
		</div>
	);
}

function Pages({ wanted }: { wanted: string }): JSX.Element {
	const query = { q: wanted.trim() };
	const first = useQuery("listTenants", { query, every_ms: refresh_ms, on: ["kill_switch"] });
	const { pages, more, ...read } = usePages(first, (cursor) =>
		call("listTenants", { query: { ...query, cursor } }),
	);
	const { value, problem } = first;
	if (value === undefined)
		return problem === undefined ? <Loading /> : <Problem problem={problem} />;
	if (value.total === 0) {
		return wanted === "" ? (
			<Empty title="No tenants yet">
				<p>With the first person, key or call there is one.</p>
			</Empty>
		) : (
			<Empty title="No tenant is like that">
				<p>Look for less.</p>
			</Empty>
		);
	}
	return (
		<>
			<Problem problem={problem} />
			<TenantTable
				tenants={eachOnce(
					pages.flatMap(({ tenants }) => tenants),
					({ name }) => name,
				)}
			/>
			<Problem problem={read.problem} />
			{more === undefined ? null : (
				<div>
					<Button busy={more.busy} onClick={() => void more.run()}>
						More tenants
					</Button>
				</div>
			)}
		</>
	);
}

function TenantTable({ tenants }: { tenants: readonly Tenant[] }): JSX.Element {
	return (
		<div class="table-box" tabIndex={0} role="region" aria-label="Tenants">
			<table>
				<thead>
					<tr>
						<th scope="col">Tenant</th>
						<th scope="col" class="right">
							People
						</th>
						<th scope="col" class="right">
							Keys
						</th>
						<th scope="col" class="right">
							Sessions
						</th>
						<th scope="col" class="right">
							Calls/s
						</th>
						<th scope="col" class="right">
							Errors
						</th>
						<th scope="col">Last minute</th>
					</tr>
				</thead>
				<tbody>
					{tenants.map((one) => (
						<tr key={one.name}>
							<td class="wrap">
								<a href={linkTo("people", "tenants", one.name)}>{plain(one.name)}</a>{" "}
								{one.off === undefined ? null : <Badge tone="bad">switched off</Badge>}
							</td>
							<td class="right num">{one.people}</td>
							<td class="right num">{one.keys}</td>
							<td class="right num">{one.sessions}</td>
							<td class="right num">{rate(one.traffic.calls_per_s)}</td>
							<td class="right num">
								{one.traffic.calls === 0 ? "–" : percent(one.traffic.error_rate)}
							</td>
							<td>
								<Spark
									values={one.traffic.spark}
									label={`${counted(one.traffic.calls, "call")} in the last minute`}
								/>
							</td>
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}

function OneTenant({ name }: { name: string }): JSX.Element {
	const { value, problem } = useQuery("getTenant", {
		path: { tenant: name },
		every_ms: refresh_ms,
		on: ["kill_switch", "reloaded"],
	});
	// That asks every rule about every tool, so it is not asked every few seconds.
	const access = useQuery("getTenant", {
		path: { tenant: name },
		query: { access: "true" },
		on: ["reloaded"],
	}).value;
	const back = <a href={linkTo("people", "tenants")}>All tenants</a>;
	if (value === undefined) {
		return (
			<div class="stack">
				{back}
				{problem === undefined ? <Loading /> : <Problem problem={problem} />}
			</div>
		);
	}
	return (
		<div class="stack">
			{back}
			<Problem problem={problem} />
			<div class="split">
				<Overview tenant={value} />
				<Limits tenant={value} />
			</div>
			<Members tenant={value} />
			<Servers tenant={value} access={access} />
		</div>
	);
}

function Overview({ tenant }: { tenant: Details }): JSX.Element {
	const { traffic, off, name } = tenant;
	return (
		<section class="card" aria-label={`Tenant ${plain(name)}`}>
			<header>
				<h2>{plain(name)}</h2>
				{off === undefined ? null : <Badge tone="bad">switched off</Badge>}
			</header>
			<Facts
				rows={[
					["Calls a second", rate(traffic.calls_per_s)],
					["Calls of the last minute", count(traffic.calls)],
					["Errors", traffic.calls === 0 ? "–" : percent(traffic.error_rate)],
					["p99", traffic.p99_ms === undefined ? "–" : duration(traffic.p99_ms)],
					["Being answered now", String(tenant.in_flight)],
					["Sessions", String(tenant.sessions)],
				]}
			/>
			<Spark
				values={traffic.spark}
				label={`${counted(traffic.calls, "call")} in the last minute`}
			/>
			{off === undefined ? (
				<div>
					<KillButton kind="tenant" name={name} words />
				</div>
			) : (
				<div class="stack tight">
					<p>
						Switched off by {plain(off.set_by)}: {plain(off.reason, 300)}
					</p>
					<LiftButton id={off.id} />
				</div>
			)}
		</section>
	);
}

function Limits({ tenant }: { tenant: Details }): JSX.Element {
	return (
		<section class="card" aria-label="Limits">
			<h2>Limits</h2>
			<ul class="stack tight">
				{tenant.limits.map((limit) => (
					<li key={`${limit.name}-${limit.line ?? ""}`} class="small">
						<strong>{plain(limit.name)}</strong>
						{limit.line === undefined ? "" : `, line ${limit.line}`}: {plain(limit.says, 400)}
					</li>
				))}
			</ul>
			<p class="muted small">
				They stand in the configuration: rules with <code>per: [tenant]</code> under{" "}
				<code>policy.rules</code>.
			</p>
		</section>
	);
}

function Members({ tenant }: { tenant: Details }): JSX.Element {
	return (
		<section class="stack" aria-label="Who is in it">
			<h2>Who is in it</h2>
			{tenant.members.length === 0 ? (
				<p class="muted">
					Nobody is kept here. People may come with tokens that name this tenant all the same.
				</p>
			) : (
				<div class="table-box" tabIndex={0} role="region" aria-label="Members">
					<table>
						<thead>
							<tr>
								<th scope="col">User</th>
								<th scope="col">Known by</th>
								<th scope="col">Roles</th>
							</tr>
						</thead>
						<tbody>
							{tenant.members.map((one) => (
								<tr key={`${one.kind}-${one.name}-${one.user}`}>
									<td class="wrap">{plain(one.user)}</td>
									<td class="wrap">
										{one.kind === "person" ? plain(one.name) : `the ${one.kind} ${plain(one.name)}`}
									</td>
									<td class="wrap">{plain(one.roles.join(", ") || "–")}</td>
								</tr>
							))}
						</tbody>
					</table>
				</div>
			)}
			{tenant.members_left_out === 0 ? null : (
				<p class="muted small">
					{counted(tenant.members_left_out, "more is", "more are")} not shown.
				</p>
			)}
		</section>
	);
}

const scopes: Readonly<Record<Details["servers"][number]["scope"], string>> = {
	shared: "shared with everybody",
	tenant: "one for the tenant",
	user: "one for each person",
	session: "one for each session",
};

function Servers(props: { tenant: Details; access: Details | undefined }): JSX.Element {
	const { servers } = props.tenant;
	const { asked } = props.access ?? {};
	const open = new Map(props.access?.servers.map((one) => [one.name, one.open_to ?? 0]));
	const openTo = (name: string) => {
		if (asked === undefined) return "…";
		return asked === 0 ? "nobody is known to ask about" : `${open.get(name) ?? 0} of ${asked}`;
	};
	return (
		<section class="stack" aria-label="Servers">
			<h2>Servers</h2>
			{servers.length === 0 ? <p class="muted">There are none yet.</p> : null}
			{servers.length === 0 ? null : (
				<div class="table-box" tabIndex={0} role="region" aria-label="Its servers">
					<table>
						<thead>
							<tr>
								<th scope="col">Server</th>
								<th scope="col">Instances</th>
								<th scope="col" class="right">
									Its own now
								</th>
								<th scope="col">Who may use it</th>
							</tr>
						</thead>
						<tbody>
							{servers.map((one) => (
								<tr key={one.name}>
									<td class="wrap">
										<a href={linkTo("servers", one.name)}>{plain(one.name)}</a>
									</td>
									<td>{scopes[one.scope]}</td>
									<td class="right num">{one.scope === "shared" ? "–" : one.instances}</td>
									<td class="wrap">
										{openTo(one.name)}{" "}
										<a href={linkTo("servers", one.name, "access")}>
											why<span class="sr"> may they use {plain(one.name)}</span>
										</a>
									</td>
								</tr>
							))}
						</tbody>
					</table>
				</div>
			)}
		</section>
	);
}
