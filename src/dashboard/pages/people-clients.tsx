import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { counted, plain, relative } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { useSession, whyNot } from "../lib/session.ts";
import { ListTools, More, useListed } from "../ui/listed.tsx";
import { Badge, Button, Confirm, Empty, Loading, Problem } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";
import { AddClient } from "./client-dialog.tsx";

type Client = Reply<"listOAuthClients">["clients"][number];
type Grant = Reply<"listGrants">["grants"][number];

const sources: Readonly<Record<string, string>> = {
	admin: "made by hand",
	dynamic: "registered itself",
	document: "described by its own document",
};

/** OAuth clients that are registered, or that somebody has allowed. */
export function OAuthClientsTab(): JSX.Element {
	const { value, problem, reload } = useQuery("listOAuthClients");
	const why_not = whyNot(useSession());
	const [asked, setAsked] = useState<"add" | Client | undefined>(undefined);
	const close = () => setAsked(undefined);
	const list = useListed(value?.clients ?? [], wordsOf);
	if (value === undefined)
		return problem === undefined ? <Loading /> : <Problem problem={problem} />;
	return (
		<div class="stack">
			<div>
				<Button kind="main" icon="add" why_not={why_not} onClick={() => setAsked("add")}>
					Add a client
				</Button>
			</div>
			{value.clients.length === 0 ? (
				<Empty title="No OAuth clients yet">
					<p>
						Clients that log people in appear here once somebody has allowed them. Add those that
						neither describe nor register themselves.
					</p>
				</Empty>
			) : null}
			<ListTools list={list} what="clients" label="Find a client" />
			<div class="cards">
				{list.shown.map((client) => (
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
							{counted(client.grants, "person has", "people have")} allowed it.{" "}
							{client.principal === undefined ? "" : `It acts as ${plain(client.principal)}.`}
						</p>
						<div>
							<Button kind="quiet" why_not={why_not} onClick={() => setAsked(client)}>
								Forget it
							</Button>
						</div>
					</section>
				))}
			</div>
			<More list={list} />
			{asked === "add" ? <AddClient onClose={close} onDone={reload} /> : null}
			{typeof asked === "object" ? (
				<ForgetClient client={asked} onClose={close} onDone={reload} />
			) : null}
		</div>
	);
}

function wordsOf({ client_id, name, principal }: Client): string {
	return [client_id, name, principal].filter(Boolean).join(" ");
}

function ForgetClient(props: { client: Client; onClose(): void; onDone(): void }): JSX.Element {
	const { client, onClose, onDone } = props;
	const remove = useAction(async () => {
		await call("removeOAuthClient", { path: { client: client.client_id } });
		tell("The client is forgotten.");
		onDone();
		onClose();
	});
	return (
		<Confirm
			title={`Forget ${plain(client.name ?? client.client_id)}?`}
			verb="Forget it"
			busy={remove.busy}
			problem={remove.problem}
			onConfirm={() => void remove.run()}
			onClose={onClose}
		>
			<p>
				Everything that people have allowed it is taken back, and its tokens are refused from now
				on. To be used again it has to be added, or allowed, anew.
			</p>
		</Confirm>
	);
}

/** What people have allowed to clients. */
export function GrantsTab(): JSX.Element {
	const { value, problem, reload } = useQuery("listGrants");
	const why_not = whyNot(useSession());
	const [ending, setEnding] = useState<Grant | undefined>(undefined);
	const list = useListed(value?.grants ?? [], grantWords);
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
			<ListTools list={list} what="grants" label="Find a grant" />
			<div class="cards">
				{list.shown.map((grant) => (
					<section class="card" key={grant.id} aria-label={`${grant.account}, ${grant.client_id}`}>
						<h2>{plain(grant.account)}</h2>
						<p>
							lets <code>{plain(grant.client_id, 300)}</code> use{" "}
							{plain(grant.scopes.join(", ") || "no scopes", 400)}
						</p>
						<p class="muted small">{relative(grant.created_at_ms, now())}</p>
						<div>
							<Button kind="quiet" why_not={why_not} onClick={() => setEnding(grant)}>
								Take it back
							</Button>
						</div>
					</section>
				))}
			</div>
			<More list={list} />
			{ending === undefined ? null : (
				<EndGrant grant={ending} onClose={() => setEnding(undefined)} onDone={reload} />
			)}
		</div>
	);
}

function grantWords({ account, client_id, scopes }: Grant): string {
	return [account, client_id, ...scopes].join(" ");
}

function EndGrant(props: { grant: Grant; onClose(): void; onDone(): void }): JSX.Element {
	const { grant, onClose, onDone } = props;
	const remove = useAction(async () => {
		await call("removeGrant", { path: { id: grant.id } });
		tell("That is taken back.");
		onDone();
		onClose();
	});
	return (
		<Confirm
			title="Take it back?"
			verb="Take it back"
			busy={remove.busy}
			problem={remove.problem}
			onConfirm={() => void remove.run()}
			onClose={onClose}
		>
			<p>
				<code>{plain(grant.client_id, 300)}</code> cannot act for {plain(grant.account)} any more,
				from its next call on, until they allow it again.
			</p>
		</Confirm>
	);
}
