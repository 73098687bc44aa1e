import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { clockTime, dateTime, duration, isSameDay, plain } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { ask, linkTo, type Place } from "../lib/router.ts";
import { Badge, Button, Empty, Field, Loading, PageHead, Problem } from "../ui/parts.tsx";
import { CallPage } from "./call.tsx";

type Page = Reply<"listCalls">;
type CallLine = Page["calls"][number];

/** What one can look for, and how it is called. */
const filters = [
	{ id: "q", title: "Words" },
	{ id: "server", title: "Server" },
	{ id: "user", title: "Person" },
	{ id: "name", title: "Tool" },
] as const;

const choices = [
	{
		id: "since",
		title: "Since",
		options: [
			["15m", "15 minutes"],
			["1h", "an hour"],
			["24h", "a day"],
			["168h", "a week"],
			["", "ever"],
		],
	},
	{
		id: "status",
		title: "Ended",
		options: [
			["", "in any way"],
			["ok", "well"],
			["error", "badly"],
			["client_error", "by the caller's doing"],
			["server_error", "by the server's doing"],
			["timeout", "too late"],
		],
	},
	{
		id: "decision",
		title: "Decided",
		options: [
			["", "in any way"],
			["allow", "allowed"],
			["deny", "denied"],
			["limit", "limited"],
			["ask", "asked a person"],
		],
	},
] as const;

const since_default = "24h";

/** What was called, by whom, and how it went. */
export function CallsPage({ place }: { place: Place }): JSX.Element {
	const [, id] = place.parts;
	if (id !== undefined) return <CallPage id={id} />;
	return <History place={place} />;
}

function History({ place }: { place: Place }): JSX.Element {
	const query = Object.fromEntries(
		[...filters, ...choices].map(({ id }) => [id, place.query.get(id) ?? undefined]),
	);
	const since = place.query.get("since") ?? since_default;
	const asked = { ...query, since: since === "ever" ? undefined : since };
	const key = JSON.stringify(asked);
	return (
		<>
			<PageHead
				title="Calls"
				about="Every request of a client, the latest first. Payloads are not in it."
			/>
			<div class="filters">
				{filters.map(({ id, title }) => (
					<Field
						key={id}
						label={title}
						control={(attributes) => (
							<input
								{...attributes}
								type="search"
								value={place.query.get(id) ?? ""}
								onInput={(event) => ask({ [id]: event.currentTarget.value })}
							/>
						)}
					/>
				))}
				{choices.map(({ id, title, options }) => (
					<Field
						key={id}
						label={title}
						control={(attributes) => (
							<select
								{...attributes}
								value={id === "since" ? since : (place.query.get(id) ?? "")}
								onChange={({ currentTarget: { value } }) =>
									ask({ [id]: id === "since" && value === "" ? "ever" : value })
								}
							>
								{options.map(([value, words]) => (
									<option key={value} value={id === "since" && value === "" ? "ever" : value}>
										{words}
									</option>
								))}
							</select>
						)}
					/>
				))}
			</div>
			<Pages key={key} query={asked} />
		</>
	);
}

const refresh_ms = 5_000;

function Pages({ query }: { query: Readonly<Record<string, string | undefined>> }): JSX.Element {
	const first = useQuery("listCalls", { query, every_ms: refresh_ms });
	const [older, setOlder] = useState<readonly Page[]>([]);
	const last = older.at(-1) ?? first.value;
	const more = useAction(async () => {
		const next = await call("listCalls", { query: { ...query, cursor: last?.next } });
		setOlder((before) => [...before, next]);
	});
	const { value, problem } = first;
	if (value === undefined) {
		return problem === undefined ? <Loading what="Looking" /> : <Problem problem={problem} />;
	}
	const seen = new Set<string>();
	const lines = [value, ...older]
		.flatMap(({ calls }) => calls)
		.filter(({ id }) => !seen.has(id) && seen.add(id));
	if (lines.length === 0) {
		return (
			<Empty title="No call is like that">
				<p>Look further back, or for less. What clients call appears here within a few seconds.</p>
			</Empty>
		);
	}
	return (
		<div class="stack">
			<Lines lines={lines} />
			<Problem problem={more.problem} />
			{last?.next === undefined ? null : (
				<div>
					<Button busy={more.busy} onClick={() => void more.run()}>
						Older calls
					</Button>
				</div>
			)}
		</div>
	);
}

function Lines({ lines }: { lines: readonly CallLine[] }): JSX.Element {
	return (
		<div class="table-box" tabIndex={0} role="region" aria-label="Calls">
			<table class="calls">
				<thead>
					<tr>
						<th scope="col">When</th>
						<th scope="col">What</th>
						<th scope="col">Who</th>
						<th scope="col">How it ended</th>
						<th scope="col" class="right">
							Took
						</th>
					</tr>
				</thead>
				<tbody>
					{lines.map((line) => (
						<Line key={line.id} line={line} />
					))}
				</tbody>
			</table>
		</div>
	);
}

/** What was called; how often, where one line stands for many. */
function titleOf({ method, server, endpoint, requests }: CallLine, name: string | null): string {
	const title = name === null ? method : `${server ?? endpoint} ${name}`;
	return requests === 1 ? title : `${requests} requests to ${endpoint}`;
}

function Line({ line }: { line: CallLine }): JSX.Element {
	const at_ms = Date.parse(line.ts);
	const name = line.tool ?? line.name;
	return (
		<tr>
			<td class="num when" title={dateTime(at_ms)}>
				{isSameDay(at_ms, now()) ? clockTime(at_ms) : dateTime(at_ms)}
			</td>
			<td class="wrap what">
				<a href={linkTo("calls", line.id)}>{plain(titleOf(line, name), 120)}</a>
				{name === null ? null : <div class="muted small">{plain(line.method)}</div>}
			</td>
			<td class="wrap who">
				{plain(line.user ?? "unknown")}
				<div class="muted small">{plain(line.client_name ?? "", 60)}</div>
			</td>
			<td class="wrap ended">
				<Badge tone={line.status === "ok" ? "ok" : line.status}>
					{line.status === "ok" ? "ok" : (line.code ?? line.status)}
				</Badge>
				{line.error === null ? null : <div class="small">{plain(line.error, 160)}</div>}
			</td>
			<td class="right num took">{duration(line.duration_ms)}</td>
		</tr>
	);
}
