import type { JSX } from "preact";
import { call } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { plain, relative } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { useSession, whyNot } from "../lib/session.ts";
import { Badge, Button, Empty, Loading, Problem } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";

const sources: Readonly<Record<string, string>> = {
	admin: "made by hand",
	dynamic: "registered itself",
	document: "described by its own document",
};

/** OAuth clients that are registered, or that somebody has allowed. */
export function OAuthClientsTab(): JSX.Element {
	const { value, problem, reload } = useQuery("listOAuthClients");
	const why_not = whyNot(useSession());
	const remove = useAction(async (client: string) => {
		await call("removeOAuthClient", { path: { client } });
		tell("The client is forgotten.");
		reload();
	});
	if (value === undefined)
		return problem === undefined ? <Loading /> : <Problem problem={problem} />;
	if (value.clients.length === 0) {
		return (
			<Empty title="No OAuth clients yet">
				<p>Clients that log people in appear here once somebody has allowed them.</p>
			</Empty>
		);
	}
	return (
		<div class="stack">
			<Problem problem={remove.problem} />
			<div class="cards">
				{value.clients.map((client) => (
					<section
						class="card"
						key={client.client_id}
						aria-label={plain(client.name ?? client.client_id)}
					>
						<header>
							<h2>{plain(client.name ?? client.client_id)}</h2>
							<Badge tone="">{sources[client.source] ?? client.source}</Badge>
						</header>
						<code>{plain(client.client_id, 400)}</code>
						<p class="muted small">
							{client.grants} people have allowed it.{" "}
							{client.principal === undefined ? "" : `It acts as ${plain(client.principal)}.`}
						</p>
						<div>
							<Button
								kind="quiet"
								why_not={why_not}
								onClick={() => void remove.run(client.client_id)}
							>
								Forget it
							</Button>
						</div>
					</section>
				))}
			</div>
		</div>
	);
}

/** What people have allowed to clients. */
export function GrantsTab(): JSX.Element {
	const { value, problem, reload } = useQuery("listGrants");
	const why_not = whyNot(useSession());
	const remove = useAction(async (id: string) => {
		await call("removeGrant", { path: { id } });
		tell("That is taken back.");
		reload();
	});
	if (value === undefined)
		return problem === undefined ? <Loading /> : <Problem problem={problem} />;
	if (value.grants.length === 0) {
		return (
			<Empty title="Nothing was allowed yet">
				<p>When somebody lets a client act for them, it stands here and can be taken back.</p>
			</Empty>
		);
	}
	return (
		<div class="stack">
			<Problem problem={remove.problem} />
			<div class="cards">
				{value.grants.map((grant) => (
					<section class="card" key={grant.id} aria-label={`${grant.account}, ${grant.client_id}`}>
						<h2>{plain(grant.account)}</h2>
						<p>
							lets <code>{plain(grant.client_id, 300)}</code> use{" "}
							{plain(grant.scopes.join(", ") || "no scopes", 400)}
						</p>
						<p class="muted small">{relative(grant.created_at_ms, now())}</p>
						<div>
							<Button kind="quiet" why_not={why_not} onClick={() => void remove.run(grant.id)}>
								Take it back
							</Button>
						</div>
					</section>
				))}
			</div>
		</div>
	);
}
