import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { plain, relative } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { useSession, whyNot } from "../lib/session.ts";
import { Button, Confirm, Copyable, Dialog, Empty, Loading, Problem } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";
import { Line, listOf } from "./people-users.tsx";

type Key = Reply<"listKeys">["keys"][number];

const day_ms = 86_400_000;

/** API keys: who holds them, what they may, when they were used. Never the keys themselves. */
export function KeysTab(): JSX.Element {
	const { value, problem, reload } = useQuery("listKeys");
	const why_not = whyNot(useSession());
	const [adding, setAdding] = useState(false);
	const [removing, setRemoving] = useState<Key | undefined>(undefined);
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
							{value.keys.map((key) => (
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
			{adding ? <AddKey onClose={() => setAdding(false)} onDone={reload} /> : null}
			{removing === undefined ? null : (
				<RemoveKey entry={removing} onClose={() => setRemoving(undefined)} onDone={reload} />
			)}
		</div>
	);
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
	const [name, setName] = useState("");
	const [user, setUser] = useState("");
	const [tenant, setTenant] = useState("");
	const [scopes, setScopes] = useState("");
	const [days, setDays] = useState("90");
	const [made, setMade] = useState<string | undefined>(undefined);
	const add = useAction(async () => {
		const until = Number(days);
		const body = {
			name: name.trim(),
			...(user.trim() === "" ? {} : { user: user.trim() }),
			...(tenant.trim() === "" ? {} : { tenant: tenant.trim() }),
			...(scopes.trim() === "" ? {} : { scopes: listOf(scopes) }),
			...(until > 0 ? { expires_at_ms: now() + Math.round(until * day_ms) } : {}),
		};
		setMade((await call("addKey", { body })).key);
		onDone();
	});
	if (made !== undefined) return <MadeKey text={made} onClose={onClose} />;
	return (
		<Dialog title="Make a key" onClose={onClose}>
			<Line label="Name" hint="Such as ana-laptop." value={name} onChange={setName} />
			<Line
				label="User"
				optional
				hint="The key's name when empty."
				value={user}
				onChange={setUser}
			/>
			<Line
				label="Tenant"
				optional
				hint="`default` when empty."
				value={tenant}
				onChange={setTenant}
			/>
			<Line
				label="Scopes"
				optional
				hint="Not limited when empty."
				value={scopes}
				onChange={setScopes}
			/>
			<Line
				label="Days until it ends"
				optional
				hint="For good when empty."
				value={days}
				onChange={setDays}
			/>
			<Problem problem={add.problem} />
			<div class="row end">
				<Button onClick={onClose}>Cancel</Button>
				<Button
					kind="main"
					busy={add.busy}
					why_not={name.trim() === "" ? "Name the key first." : undefined}
					onClick={() => void add.run()}
				>
					Make it
				</Button>
			</div>
		</Dialog>
	);
}

function MadeKey({ text, onClose }: { text: string; onClose(): void }): JSX.Element {
	return (
		<Dialog title="The key" onClose={onClose}>
			<p>It is shown this once. Put it where its holder keeps secrets.</p>
			<Copyable text={text} label="the key" />
			<div class="row end">
				<Button kind="main" onClick={onClose}>
					Done
				</Button>
			</div>
		</Dialog>
	);
}

function RemoveKey(props: { entry: Key; onClose(): void; onDone(): void }): JSX.Element {
	const { entry, onClose, onDone } = props;
	const remove = useAction(async () => {
		await call("removeKey", { path: { name: entry.name } });
		tell(`The key ${entry.name} is removed.`);
		onDone();
		onClose();
	});
	return (
		<Confirm
			title={`Remove the key ${entry.name}?`}
			verb="Remove"
			busy={remove.busy}
			problem={remove.problem}
			onConfirm={() => void remove.run()}
			onClose={onClose}
		>
			<p>It is refused from the next call on. Whoever uses it has to be given another.</p>
		</Confirm>
	);
}
