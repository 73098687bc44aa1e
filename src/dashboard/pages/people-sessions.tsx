import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { counted, plain, relative } from "../lib/format.ts";
import { eachOnce, usePages } from "../lib/pages.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { useSession, whyNot } from "../lib/session.ts";
import { Line } from "../ui/line.tsx";
import { Badge, Button, Confirm, Empty, Loading, Problem } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";

type McpSession = Reply<"listMcpSessions">["sessions"][number];

/** Sessions of MCP clients: whose, which client, when used last; and ending one. */
export function SessionsTab(): JSX.Element {
	const [principal, setPrincipal] = useState("");
	return (
		<div class="stack">
			<Line
				label="Whose"
				optional
				hint="Tenant and user, such as acme/ana."
				value={principal}
				onChange={setPrincipal}
			/>
			<Pages key={principal} principal={principal.trim()} />
		</div>
	);
}

/** Those of one person, or of all, a page at a time: the last used first. */
function Pages({ principal }: { principal: string }): JSX.Element {
	const query = principal === "" ? {} : { principal };
	const first = useQuery("listMcpSessions", { query, every_ms: 10_000 });
	const why_not = whyNot(useSession(), "operator");
	const [ending, setEnding] = useState<McpSession | undefined>(undefined);
	const { pages, more, ...read } = usePages(first, (cursor) =>
		call("listMcpSessions", { query: { ...query, cursor } }),
	);
	const { value, problem, reload } = first;
	if (value === undefined)
		return problem === undefined ? <Loading /> : <Problem problem={problem} />;
	const sessions = eachOnce(
		pages.flatMap((page) => page.sessions),
		({ id }) => id,
	);
	const left = Math.max(0, value.total - sessions.length);
	return (
		<>
			<Problem problem={problem} />
			{sessions.length === 0 ? (
				<Empty title={principal === "" ? "No sessions" : "No session is like that"}>
					<p>
						Clients of revisions before 2026-07-28 open sessions and stand here while they have one.
						Newer clients have none.
					</p>
				</Empty>
			) : (
				<SessionTable sessions={sessions} why_not={why_not} onEnd={setEnding} />
			)}
			<Problem problem={read.problem} />
			{more === undefined ? null : (
				<div>
					<Button busy={more.busy} onClick={() => void more.run()}>
						{left === 0
							? "Show more"
							: `Show more, ${counted(left, "was", "were")} used longer ago`}
					</Button>
				</div>
			)}
			{ending === undefined ? null : (
				<EndSession session={ending} onClose={() => setEnding(undefined)} onDone={reload} />
			)}
		</>
	);
}

function SessionTable(props: {
	sessions: readonly McpSession[];
	why_not: string | undefined;
	onEnd(session: McpSession): void;
}): JSX.Element {
	return (
		<div class="table-box" tabIndex={0} role="region" aria-label="Sessions of MCP clients">
			<table>
				<thead>
					<tr>
						<th scope="col">Whose</th>
						<th scope="col">Client</th>
						<th scope="col">At</th>
						<th scope="col">Revision</th>
						<th scope="col">Last used</th>
						<th scope="col">
							<span class="sr">What can be done</span>
						</th>
					</tr>
				</thead>
				<tbody>
					{props.sessions.map((one) => (
						<tr key={one.id}>
							<td class="wrap">{plain(one.principal)}</td>
							<td class="wrap">
								{plain(one.client.title ?? one.client.name ?? "unnamed")}{" "}
								<span class="muted">{plain(one.client.version ?? "")}</span>
							</td>
							<td>{plain(one.endpoint)}</td>
							<td>{plain(one.revision)}</td>
							<td>
								{one.connected ? (
									<Badge tone="ok">connected</Badge>
								) : (
									relative(one.used_at_ms, now())
								)}
							</td>
							<td class="right">
								<Button
									kind="quiet"
									label={`End the session of ${plain(one.principal)} at ${plain(one.endpoint)}`}
									why_not={props.why_not}
									onClick={() => props.onEnd(one)}
								>
									End
								</Button>
							</td>
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}

function EndSession(props: { session: McpSession; onClose(): void; onDone(): void }): JSX.Element {
	const { session, onClose, onDone } = props;
	const end = useAction(async () => {
		await call("endMcpSession", { path: { id: session.id } });
		tell("The session is ended.");
		onDone();
		onClose();
	});
	return (
		<Confirm
			title={`End the session of ${plain(session.principal)}?`}
			verb="End it"
			busy={end.busy}
			problem={end.problem}
			onConfirm={() => void end.run()}
			onClose={onClose}
		>
			<p>
				Its streams are closed and its client is answered that there is no such session. Most
				clients then open another by themselves: to keep somebody out, remove their key, end their
				logins, or switch them off.
			</p>
		</Confirm>
	);
}
