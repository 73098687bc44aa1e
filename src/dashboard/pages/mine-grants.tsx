import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { plain, relative } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { Badge, Button, Confirm, Problem } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";

type Grant = Reply<"listMyGrants">["grants"][number];

const used_by: Readonly<Record<Grant["used_by"], string>> = {
	you: "for your calls alone",
	tenant: "for the calls of everybody of your tenant",
	gateway: "for the calls of everybody",
};

/** The accounts at other services that whoever looks has connected, and those that they could. */
export function MyGrants(): JSX.Element | null {
	// People connect on a page of its own: whoever comes back sees what has become of it.
	const { value, problem, reload } = useQuery("listMyGrants", { every_ms: 15_000 });
	const [ending, setEnding] = useState<string | undefined>(undefined);
	if (value?.grants.length === 0) return null;
	return (
		<section class="card stack" aria-label="My accounts elsewhere">
			<h2>My accounts elsewhere</h2>
			<p class="muted small">
				These servers work with an account of yours. You connect it on a page of the gateway and at
				the service itself; your password there is never seen here.
			</p>
			<Problem problem={problem} />
			<ul class="stack tight">
				{value?.grants.map((grant) => (
					<MyGrant key={grant.server} grant={grant} onEnd={() => setEnding(grant.server)} />
				))}
			</ul>
			{ending === undefined ? null : (
				<EndGrant server={ending} onClose={() => setEnding(undefined)} onDone={reload} />
			)}
		</section>
	);
}

function MyGrant({ grant, onEnd }: { grant: Grant; onEnd(): void }): JSX.Element {
	const { server, connected, connectable, issuer, scopes, created_at_ms } = grant;
	const connect = useAction(async () => {
		const { url } = await call("connectMyGrant", { path: { server } });
		window.location.assign(url);
	});
	return (
		<li class="stack tight">
			<div class="row">
				<span class="grow">
					<strong>{plain(server)}</strong>{" "}
					<Badge tone={connected ? "ok" : ""}>{connected ? "connected" : "not connected"}</Badge>
				</span>
				{connectable ? (
					<Button busy={connect.busy} onClick={() => void connect.run()}>
						{connected ? "Connect anew" : "Connect"}
					</Button>
				) : null}
				{connected ? (
					<Button kind="quiet" label={`Disconnect ${server}`} onClick={onEnd}>
						Disconnect
					</Button>
				) : null}
			</div>
			<p class="muted small">
				{`Used ${used_by[grant.used_by]}.`}
				{issuer === undefined ? "" : ` Given by ${plain(issuer, 200)}`}
				{created_at_ms === undefined ? "" : ` ${relative(created_at_ms, now())}`}
				{scopes === undefined || scopes.length === 0
					? ""
					: `, for ${plain(scopes.join(", "), 300)}`}
			</p>
			<Problem problem={connect.problem} />
		</li>
	);
}

function EndGrant(props: { server: string; onClose(): void; onDone(): void }): JSX.Element {
	const { server, onClose, onDone } = props;
	const end = useAction(async () => {
		await call("revokeMyGrant", { path: { server } });
		tell(`${server} is disconnected.`);
		onDone();
		onClose();
	});
	return (
		<Confirm
			title={`Disconnect ${server}?`}
			verb="Disconnect"
			busy={end.busy}
			problem={end.problem}
			onConfirm={() => void end.run()}
			onClose={onClose}
		>
			<p>
				Its tokens are forgotten, the service is told, and the next call that needs them asks to
				connect again.
			</p>
		</Confirm>
	);
}
