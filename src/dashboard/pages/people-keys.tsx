import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { plain, relative } from "../lib/format.ts";
import { useQuery } from "../lib/query.ts";
import { useSession, whyNot } from "../lib/session.ts";
import { Line, TenantLine } from "../ui/line.tsx";
import { ListTools, More, useListed } from "../ui/listed.tsx";
import { Button, Empty, Loading, Problem } from "../ui/parts.tsx";
import { AddKeyDialog, type KeyDraft, RemoveKeyDialog } from "./key-dialogs.tsx";

type Key = Reply<"listKeys">["keys"][number];

/** API keys: who holds them, what they may, when they were used. Never the keys themselves. */
export function KeysTab(): JSX.Element {
	const { value, problem, reload } = useQuery("listKeys");
	const why_not = whyNot(useSession());
	const [adding, setAdding] = useState(false);
	const [removing, setRemoving] = useState<Key | undefined>(undefined);
	const list = useListed(value?.keys ?? [], wordsOf);
	if (value === undefined)
		return problem === undefined ? <Loading /> : <Problem problem={problem} />;
	return (
		<div class="stack">
			<div>
				<Button kind="main" icon="add" why_not={why_not} onClick={() => setAdding(true)}>
					Make a key
				</Button>
			</div>
			{value.keys.length === 0 ? (
				<Empty title="No keys yet">
					<p>A key lets a client or a script call in somebody's name, without a browser.</p>
				</Empty>
			) : (
				<ListTools list={list} what="keys" label="Find a key" />
			)}
			{list.shown.length === 0 ? null : (
				<div class="table-box" tabIndex={0} role="region" aria-label="API keys">
					<table>
						<thead>
							<tr>
								<th scope="col">Key</th>
								<th scope="col">Of</th>
								<th scope="col">May</th>
								<th scope="col">Last used</th>
								<th scope="col">Good until</th>
								<th scope="col">
									<span class="sr">What can be done</span>
								</th>
							</tr>
						</thead>
						<tbody>
							{list.shown.map((key) => (
								<KeyRow
									key={key.name}
									entry={key}
									why_not={why_not}
									onRemove={() => setRemoving(key)}
								/>
							))}
						</tbody>
					</table>
				</div>
			)}
			<More list={list} />
			{adding ? <AddKey onClose={() => setAdding(false)} onDone={reload} /> : null}
			{removing === undefined ? null : (
				<RemoveKeyDialog
					name={removing.name}
					then="Whoever uses it has to be given another."
					remove={() => call("removeKey", { path: { name: removing.name } })}
					onClose={() => setRemoving(undefined)}
					onDone={reload}
				/>
			)}
		</div>
	);
}

function wordsOf({ name, tenant, user, roles = [], scopes = [] }: Key): string {
	return [name, `${tenant}/${user}`, ...roles, ...scopes].join(" ");
}

function KeyRow(props: { entry: Key; why_not: string | undefined; onRemove(): void }): JSX.Element {
	const { entry, why_not, onRemove } = props;
	const in_file = entry.source === "config" ? "It stands in the configuration file." : undefined;
	return (
		<tr>
			<td class="wrap">{plain(entry.name)}</td>
			<td class="wrap">
				{plain(entry.tenant)}/{plain(entry.user)}
			</td>
			<td class="wrap">
				{entry.roles === undefined ? "as its holder" : plain(entry.roles.join(", ") || "no roles")}
				{entry.scopes === undefined ? "" : `; only ${plain(entry.scopes.join(" "))}`}
			</td>
			<td>{entry.used_at_ms === undefined ? "–" : relative(entry.used_at_ms, now())}</td>
			<td>
				{entry.expires_at_ms === undefined ? "for good" : relative(entry.expires_at_ms, now())}
			</td>
			<td class="right">
				<Button kind="quiet" why_not={why_not ?? in_file} onClick={onRemove}>
					Remove
				</Button>
			</td>
		</tr>
	);
}

function AddKey({ onClose, onDone }: { onClose(): void; onDone(): void }): JSX.Element {
	const [user, setUser] = useState("");
	const [tenant, setTenant] = useState("");
	const add = async (draft: KeyDraft) => {
		const body = {
			...draft,
			...(user.trim() === "" ? {} : { user: user.trim() }),
			...(tenant.trim() === "" ? {} : { tenant: tenant.trim() }),
		};
		return (await call("addKey", { body })).key;
	};
	return (
		<AddKeyDialog
			title="Make a key"
			scopes_hint="Not limited when empty."
			add={add}
			onClose={onClose}
			onDone={onDone}
		>
			{(at) => (
				<>
					<Line
						label="User"
						optional
						hint="The key's name when empty."
						error={at.user}
						value={user}
						onChange={setUser}
					/>
					<TenantLine error={at.tenant} value={tenant} onChange={setTenant} />
				</>
			)}
		</AddKeyDialog>
	);
}
