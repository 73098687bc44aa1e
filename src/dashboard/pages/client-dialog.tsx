import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { type Placed, placed } from "../lib/fields.ts";
import { useAction } from "../lib/query.ts";
import { FormDialog } from "../ui/form-dialog.tsx";
import { Line, listOf, RolesLine, TenantLine } from "../ui/line.tsx";
import { Button, Copyable, Dialog, Field } from "../ui/parts.tsx";

type Made = Reply<"addOAuthClient">;

const fields = [
	...["client_id", "name", "redirect_uris", "secret", "user", "tenant", "roles"],
] as const;

/** What was typed so far. */
interface ClientDraft {
	readonly id: string;
	readonly name: string;
	/** Whether it acts in one name, without a person. */
	readonly alone: boolean;
	readonly redirects: string;
	readonly secret: boolean;
	readonly user: string;
	readonly tenant: string;
	readonly roles: string;
}

const nothing: ClientDraft = {
	...{ id: "", name: "", alone: false, redirects: "" },
	...{ secret: false, user: "", tenant: "", roles: "" },
};

/** Asks for an OAuth client that neither describes nor registers itself. */
export function AddClient({ onClose, onDone }: { onClose(): void; onDone(): void }): JSX.Element {
	const [draft, setDraft] = useState(nothing);
	const [made, setMade] = useState<Made | undefined>(undefined);
	const add = useAction(async () => {
		setMade(await call("addOAuthClient", { body: bodyOf(draft) }));
		onDone();
	});
	const { at, rest } = placed(add.problem, fields);
	const set = (change: Partial<ClientDraft>) => setDraft({ ...draft, ...change });
	if (made !== undefined) return <MadeClient made={made} onClose={onClose} />;
	const unnamed = draft.alone && draft.user.trim() === "";
	return (
		<FormDialog
			title="Add an OAuth client"
			verb="Add"
			busy={add.busy}
			why_not={unnamed ? "Say in whose name it acts first." : undefined}
			problem={rest}
			onSubmit={() => void add.run()}
			onClose={onClose}
		>
			<Line
				label="Name"
				optional
				hint="What people see when they allow it."
				error={at.name}
				value={draft.name}
				onChange={(name) => set({ name })}
			/>
			<Line
				label="Id"
				optional
				hint="Drawn when empty."
				error={at.client_id}
				value={draft.id}
				onChange={(id) => set({ id })}
			/>
			<Choice
				label="For whom it acts"
				value={draft.alone}
				words={["For people who log in with it", "Alone, in one name, without a person"]}
				onChange={(alone) => set({ alone })}
			/>
			{draft.alone ? (
				<Alone draft={draft} at={at} onChange={set} />
			) : (
				<ForPeople draft={draft} at={at} onChange={set} />
			)}
		</FormDialog>
	);
}

function bodyOf(draft: ClientDraft): object {
	const { alone, redirects, secret, roles } = draft;
	const [id, name, user, tenant] = [draft.id, draft.name, draft.user, draft.tenant].map((one) =>
		one.trim(),
	);
	return {
		...(id !== "" && { client_id: id }),
		...(name !== "" && { name }),
		...(alone
			? {
					...{ secret: true, user },
					...(tenant !== "" && { tenant }),
					...(roles.trim() !== "" && { roles: listOf(roles) }),
				}
			: { secret, redirect_uris: listOf(redirects) }),
	};
}

interface PartProps {
	readonly draft: ClientDraft;
	readonly at: Placed<(typeof fields)[number]>["at"];
	onChange(change: Partial<ClientDraft>): void;
}

function Alone({ draft, at, onChange }: PartProps): JSX.Element {
	return (
		<>
			<Line
				label="User"
				error={at.user ?? at.secret}
				value={draft.user}
				onChange={(user) => onChange({ user })}
			/>
			<TenantLine
				error={at.tenant}
				value={draft.tenant}
				onChange={(tenant) => onChange({ tenant })}
			/>
			<RolesLine error={at.roles} value={draft.roles} onChange={(roles) => onChange({ roles })} />
		</>
	);
}

function ForPeople({ draft, at, onChange }: PartProps): JSX.Element {
	return (
		<>
			<Line
				label="Redirect addresses"
				hint="Where people are sent back to, separated by spaces."
				error={at.redirect_uris}
				value={draft.redirects}
				onChange={(redirects) => onChange({ redirects })}
			/>
			<Choice
				label="Secret"
				hint="For a client on a server of its own. Programs on people's machines cannot keep one."
				error={at.secret}
				value={draft.secret}
				words={["It has none", "It is given one, shown once"]}
				onChange={(secret) => onChange({ secret })}
			/>
		</>
	);
}

/** One of two, in words. */
function Choice(props: {
	label: string;
	hint?: string;
	error?: string | undefined;
	value: boolean;
	words: readonly [no: string, yes: string];
	onChange(value: boolean): void;
}): JSX.Element {
	const { label, hint, error, value, words, onChange } = props;
	return (
		<Field
			label={label}
			hint={hint}
			error={error}
			control={(attributes) => (
				<select
					{...attributes}
					value={value ? "yes" : "no"}
					onChange={(event) => onChange(event.currentTarget.value === "yes")}
				>
					<option value="no">{words[0]}</option>
					<option value="yes">{words[1]}</option>
				</select>
			)}
		/>
	);
}

/** A client as it was just made; its secret, where it has one, for the one time. */
function MadeClient({ made, onClose }: { made: Made; onClose(): void }): JSX.Element {
	return (
		<Dialog title="The client is added" onClose={onClose}>
			<p>Its id:</p>
			<Copyable text={made.client.client_id} label="the id" />
			{made.client_secret === undefined ? null : (
				<>
					<p>Its secret is shown this once. Put it where the client keeps secrets.</p>
					<Copyable text={made.client_secret} label="the secret" />
				</>
			)}
			<div class="row end">
				<Button kind="main" onClick={onClose}>
					Done
				</Button>
			</div>
		</Dialog>
	);
}
