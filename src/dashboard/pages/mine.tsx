import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { dateTime, plain, relative } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { hasRole, useSession } from "../lib/session.ts";
import { ListTools, More, useListed } from "../ui/listed.tsx";
import { Badge, Button, Copyable, Facts, PageHead, Problem } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";
import { ClientLines } from "./client-lines.tsx";
import { MyGrants } from "./mine-grants.tsx";
import { MyKeys } from "./mine-keys.tsx";

/** What belongs to the person who looks: who they are here, and how their clients connect. */
export function MinePage(): JSX.Element {
	const session = useSession();
	return (
		<>
			<PageHead title="My connections" about="Who you are here, and how your clients connect." />
			<div class="stack">
				<div class="split">
					<section class="card">
						<h2>You</h2>
						<Facts
							rows={[
								["Name", session.principal],
								["Tenant", session.tenant],
								["Roles", session.roles.join(", ")],
								[
									"Signed in until",
									session.expires_at_ms === undefined ? undefined : dateTime(session.expires_at_ms),
								],
							]}
						/>
						<OtherDevice />
					</section>
					<section class="card">
						<h2>Connect a client</h2>
						<ClientLines endpoint="mcp" />
					</section>
				</div>
				<MyServers />
				<MyGrants />
				<MyKeys />
				{hasRole(session) ? <Sessions /> : null}
			</div>
		</>
	);
}

/** What whoever looks may use. */
function MyServers(): JSX.Element {
	const { value, problem } = useQuery("getMine", { on: ["reloaded"] });
	const list = useListed(value?.servers ?? [], wordsOfServer);
	return (
		<section class="stack" aria-label="My servers">
			<h2>My servers</h2>
			<Problem problem={problem} />
			{value?.servers.length === 0 ? (
				<p class="muted">There are none that you may use yet.</p>
			) : null}
			<ListTools list={list} what="servers" label="Find one of my servers" />
			<div class="cards">
				{list.shown.map((server) => (
					<section class="card" key={server.name}>
						<h3>{server.name}</h3>
						<Copyable text={`${window.location.origin}/${server.name}/mcp`} label="the address" />
						<p class="muted small">
							{server.tools.length === 0
								? "It is not known yet what it offers."
								: server.tools.map((tool) => plain(tool, 60)).join(", ")}
						</p>
						<ServerLines server={server.name} />
					</section>
				))}
			</div>
			<More list={list} />
		</section>
	);
}

function wordsOfServer({ name, tools }: Reply<"getMine">["servers"][number]): string {
	return [name, ...tools].join(" ");
}

/** How clients are connected to one server alone; looked up once somebody wants it. */
function ServerLines({ server }: { server: string }): JSX.Element {
	const [open, setOpen] = useState(false);
	return (
		<details onToggle={(event) => setOpen(event.currentTarget.open)}>
			<summary>Connect a client to it alone</summary>
			{open ? <ClientLines endpoint={server} /> : null}
		</details>
	);
}

/** A link that signs in on another device. */
function OtherDevice(): JSX.Element {
	const [url, setUrl] = useState<string | undefined>(undefined);
	const make = useAction(async () => setUrl((await call("createLink")).url));
	return (
		<div class="stack tight">
			<h3>On another device</h3>
			<p class="muted small">A link that signs in as you, once, within half an hour.</p>
			<Problem problem={make.problem} />
			{url === undefined ? (
				<div>
					<Button busy={make.busy} onClick={() => void make.run()}>
						Make a link
					</Button>
				</div>
			) : (
				<Copyable text={url} label="the link" />
			)}
		</div>
	);
}

function wordsOfBrowser({ principal }: Reply<"listSessions">["sessions"][number]): string {
	return principal;
}

function Sessions(): JSX.Element {
	const { value, problem, reload } = useQuery("listSessions");
	const list = useListed(value?.sessions ?? [], wordsOfBrowser);
	const end = useAction(async (id: string) => {
		await call("endOtherSession", { path: { id } });
		tell("That browser is signed out.");
		reload();
	});
	return (
		<section class="card stack" aria-label="Signed-in browsers">
			<h2>Browsers that are signed in</h2>
			<Problem problem={problem ?? end.problem} />
			<ListTools list={list} what="browsers" label="Find whose" />
			<ul class="stack tight">
				{list.shown.map((one) => (
					<li key={one.id} class="row">
						<span class="grow">
							{plain(one.principal)}{" "}
							<span class="muted">since {relative(one.created_at_ms, now())}</span>
						</span>
						{one.current ? (
							<Badge tone="ok">this one</Badge>
						) : (
							<Button kind="quiet" onClick={() => void end.run(one.id)}>
								Sign it out
							</Button>
						)}
					</li>
				))}
			</ul>
			<More list={list} />
		</section>
	);
}
