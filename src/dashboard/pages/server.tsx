import type { ComponentType, JSX } from "preact";
import type { Reply } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { bytes, counted, dateTime, duration, plain, relative } from "../lib/format.ts";
import { useQuery } from "../lib/query.ts";
import { linkTo, type Place } from "../lib/router.ts";
import { Copyable, Facts, Loading, PageHead, Problem, StateBadge, Tabs } from "../ui/parts.tsx";
import { KillSwitches, serversOff, useKillSwitches } from "./kill-switch.tsx";
import { AccessTab } from "./server-access.tsx";
import { ServerActions } from "./server-actions.tsx";
import { LogsTab } from "./server-logs.tsx";
import { SecretsTab } from "./server-secrets.tsx";
import { SettingsTab } from "./server-settings.tsx";
import { ToolsTab } from "./server-tools.tsx";
import { VersionsTab } from "./server-versions.tsx";

type Details = Reply<"getServerDetails">;

const tabs: readonly {
	id: string;
	title: string;
	tab: ComponentType<{ name: string; details: Details }>;
}[] = [
	{ id: "overview", title: "Overview", tab: OverviewTab },
	{ id: "logs", title: "Logs", tab: LogsTab },
	{ id: "tools", title: "Tools", tab: ToolsTab },
	{ id: "instances", title: "Instances", tab: InstancesTab },
	{ id: "versions", title: "Versions", tab: VersionsTab },
	{ id: "secrets", title: "Secrets", tab: SecretsTab },
	{ id: "access", title: "Who may call", tab: AccessTab },
	{ id: "settings", title: "Settings", tab: SettingsTab },
];

const refresh_ms = 5_000;

/** Everything about one server. */
export function ServerPage({ place }: { place: Place }): JSX.Element {
	const [, name = "", current = "overview"] = place.parts;
	const { value, problem, reload } = useQuery("getServerDetails", {
		path: { name },
		every_ms: refresh_ms,
		on: ["state", "reloaded"],
	});
	const switches = useKillSwitches();
	const off = serversOff(switches).has(name);
	const Tab = tabs.find(({ id }) => id === current)?.tab ?? OverviewTab;
	return (
		<>
			<p class="small">
				<a href={linkTo("fleet")}>Fleet</a>
			</p>
			<PageHead
				title={name}
				about={
					value === undefined ? undefined : <StateBadge state={value.status.state} off={off} />
				}
			>
				{value === undefined ? null : (
					<ServerActions name={name} state={value.status.state} words off={off} onDone={reload} />
				)}
			</PageHead>
			<KillSwitches query={switches} server={name} />
			<Tabs
				label={`Parts of ${name}`}
				tabs={tabs}
				current={current}
				href={(id) => linkTo("servers", name, id)}
			/>
			{value === undefined ? <Problem problem={problem} /> : <Tab name={name} details={value} />}
			{value === undefined && problem === undefined ? <Loading /> : null}
		</>
	);
}

function OverviewTab({ name, details }: { name: string; details: Details }): JSX.Element {
	const { status } = details;
	const address = `${window.location.origin}/${name}/mcp`;
	return (
		<div class="stack">
			{status.reason === undefined ? null : (
				<div class="problem" role="status">
					<strong>{plain(status.reason, 600)}</strong>
					{status.next_try_at_ms === undefined ? null : (
						<p>{nextTry(status.state, status.next_try_at_ms)}</p>
					)}
					{status.detail === undefined ? null : <p>{plain(status.detail, 600)}</p>}
				</div>
			)}
			<div class="split">
				<section class="card">
					<h2>At a glance</h2>
					<Facts
						rows={[
							["Address", <Copyable text={address} label="the address" />],
							["Kind", status.driver],
							["Shared by", scopes[details.scope] ?? details.scope],
							["Version", details.version],
							["Package", packageLine(details)],
							["Restarts", status.restarts === 0 ? undefined : String(status.restarts)],
							["Last trouble", lastTrouble(details)],
							["Memory", memoryLine(details)],
						]}
					/>
					<p>
						<a href={`${linkTo("playground")}?server=${encodeURIComponent(name)}`}>Try its tools</a>
					</p>
				</section>
				<section class="card">
					<h2>What holds it</h2>
					<Facts
						rows={[
							["Sandbox", sandboxLine(details)],
							[
								"Network",
								details.network === undefined ? undefined : <code>{details.network}</code>,
							],
							["Trust", details.untrusted ? "untrusted" : "trusted"],
							["Limits", limitsLine(details)],
							["Kept by", details.limited_by],
						]}
					/>
					{details.closing === undefined ? null : (
						<div class="note">
							It only reached what this line allows, and could be shut in to it:{" "}
							<code>{details.closing}</code>
						</div>
					)}
				</section>
			</div>
			<Lines title="What it did that no server should" lines={details.oddities.map(oddityLine)} />
			<Lines title="Last lines of its standard error" lines={details.stderr} />
			<Lines
				title="Last lines of its standard output that are no messages"
				lines={details.stdout}
			/>
		</div>
	);
}

function Lines({ title, lines }: { title: string; lines: readonly string[] }): JSX.Element | null {
	if (lines.length === 0) return null;
	return (
		<section class="card">
			<h2>{title}</h2>
			<pre tabIndex={0} aria-label={title}>
				{lines.map((line) => plain(line, 2_000)).join("\n")}
			</pre>
		</section>
	);
}

function oddityLine({ text, count, last_at_ms }: Details["oddities"][number]): string {
	const times = count === 1 ? "once" : `${count} times`;
	return `${text} (${times}, last ${relative(last_at_ms, now())})`;
}

/** Once its pause is over, a server that nobody needs waits for somebody who does. */
function nextTry(state: Details["status"]["state"], at_ms: number): string {
	if (at_ms > now()) return `It is tried again ${relative(at_ms, now())}.`;
	const tried = state === "starting" || state === "resolving";
	return tried ? "It is being tried again." : "It is tried again with the next call.";
}

/** What went wrong before, where it runs again; else it stands above. */
function lastTrouble({ status }: Details): string | undefined {
	const { reason, last_failure } = status;
	if (reason !== undefined || last_failure === undefined) return undefined;
	return `${relative(last_failure.at_ms, now())}: ${plain(last_failure.reason, 600)}`;
}

const scopes: Readonly<Record<string, string>> = {
	shared: "everybody",
	tenant: "each tenant on its own",
	user: "each person on their own",
	session: "each session on its own",
};

function packageLine({ package: found }: Details): string | undefined {
	if (found === undefined) return undefined;
	return `${found.name}${found.version === undefined ? "" : `@${found.version}`}`;
}

function memoryLine({ usage }: Details): string | undefined {
	if (usage.length === 0) return undefined;
	const total = usage.reduce((sum, one) => sum + one.memory_bytes, 0);
	const processes = usage.reduce((sum, one) => sum + one.processes, 0);
	return `${bytes(total)} in ${processes} process${processes === 1 ? "" : "es"}`;
}

function sandboxLine({ status, sandbox }: Details): string {
	const kinds = new Set(status.instances.flatMap((one) => one.sandbox?.kind ?? []));
	if (kinds.size === 0) return sandbox === "off" ? "off" : `${sandbox}, nothing runs now`;
	return [...kinds].join(", ");
}

function limitsLine({ limits }: Details): string {
	const parts = [
		limits.memory_bytes_max === undefined ? undefined : `${bytes(limits.memory_bytes_max)} memory`,
		limits.processes_max === undefined ? undefined : `${limits.processes_max} processes`,
		limits.cpus_max === undefined ? undefined : `${limits.cpus_max} cores`,
		limits.disk_bytes_max === undefined ? undefined : `${bytes(limits.disk_bytes_max)} disk`,
	];
	return parts.filter((part) => part !== undefined).join(", ") || "none";
}

function InstancesTab({ details }: { name: string; details: Details }): JSX.Element {
	const { instances } = details.status;
	const used = new Map(details.usage.map((one) => [one.instance, one]));
	if (instances.length === 0) {
		return <p class="muted">Nothing of it runs now. The next call starts it.</p>;
	}
	return (
		<div class="cards">
			{instances.map((one) => {
				const usage = used.get(one.id);
				return (
					<section class="card" key={`${one.id}-${one.scope_key}`}>
						<header>
							<h2>{one.id === 0 ? "Not running" : `Instance ${one.id}`}</h2>
							<StateBadge state={one.state} />
						</header>
						<Facts
							rows={[
								["For", plain(one.scope_key)],
								["Protocol", one.revision],
								["Ready", one.ready_at_ms === undefined ? undefined : dateTime(one.ready_at_ms)],
								["In use", counted(one.leases, "call or stream", "calls and streams")],
								["Waiting", one.waiting === 0 ? undefined : counted(one.waiting, "call")],
								["Memory", usage === undefined ? undefined : bytes(usage.memory_bytes)],
								["Processor", usage === undefined ? undefined : duration(usage.cpu_ms)],
								["Sandbox", one.sandbox?.kind],
								["Volume", one.volume === undefined ? undefined : <code>{one.volume}</code>],
							]}
						/>
						{[...(one.sandbox?.notes ?? []), ...(one.notes ?? [])].map((note) => (
							<p class="small muted" key={note}>
								{plain(note, 400)}
							</p>
						))}
					</section>
				);
			})}
		</div>
	);
}
