import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { now } from "../lib/clock.ts";
import { type Placed, placed } from "../lib/fields.ts";
import { useAction } from "../lib/query.ts";
import { FormDialog } from "../ui/form-dialog.tsx";
import { Line, listOf } from "../ui/line.tsx";
import { Button, Confirm, Copyable, Dialog } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";

/** What both kinds of keys have in common: those of anybody, made by an operator, and one's own. */

const day_ms = 86_400_000;

/** What is asked of whoever makes a key; members that are left empty are left out. */
export interface KeyDraft {
	readonly name: string;
	readonly scopes?: string[];
	readonly expires_at_ms?: number;
}

type KeyField = (typeof key_fields)[number];
const key_fields = ["name", "user", "tenant", "scopes", "expires_at_ms"] as const;

interface AddKeyProps {
	readonly title: string;
	/** What scopes mean here. */
	readonly scopes_hint: string;
	/** Fields between the name and the scopes. */
	children?(at: Placed<KeyField>["at"]): JSX.Element;
	/** Makes the key; what it is. */
	add(draft: KeyDraft): Promise<string>;
	onClose(): void;
	onDone(): void;
}

/** Asks what key is to be made, and shows it for the one time. */
export function AddKeyDialog(props: AddKeyProps): JSX.Element {
	const { onClose } = props;
	const [name, setName] = useState("");
	const [scopes, setScopes] = useState("");
	const [days, setDays] = useState("90");
	const [made, setMade] = useState<string | undefined>(undefined);
	const until = Number(days);
	const odd_days = days.trim() !== "" && !(until > 0) ? "A number of days, or nothing." : undefined;
	const add = useAction(async () => {
		const draft = {
			name: name.trim(),
			...(scopes.trim() === "" ? {} : { scopes: listOf(scopes) }),
			...(until > 0 ? { expires_at_ms: now() + Math.round(until * day_ms) } : {}),
		};
		setMade(await props.add(draft));
		props.onDone();
	});
	if (made !== undefined) return <MadeKey text={made} onClose={onClose} />;
	const { at, rest } = placed(add.problem, key_fields);
	const missing = name.trim() === "" ? "Name the key first." : undefined;
	return (
		<FormDialog
			title={props.title}
			verb="Make it"
			busy={add.busy}
			why_not={missing ?? odd_days}
			problem={rest}
			onSubmit={() => void add.run()}
			onClose={onClose}
		>
			<Line
				label="Name"
				hint="Such as ana-laptop."
				error={at.name}
				value={name}
				onChange={setName}
			/>
			{props.children?.(at)}
			<Line
				label="Scopes"
				optional
				hint={props.scopes_hint}
				error={at.scopes}
				value={scopes}
				onChange={setScopes}
			/>
			<Line
				label="Days until it ends"
				optional
				hint="For good when empty."
				error={odd_days ?? at.expires_at_ms}
				value={days}
				onChange={setDays}
			/>
		</FormDialog>
	);
}

/** A key as it was just made, for the one time. */
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

/** Asks whether a key is to be removed, which `remove` does. */
export function RemoveKeyDialog(props: {
	readonly name: string;
	/** What whoever uses it has to do. */
	readonly then: string;
	remove(): Promise<unknown>;
	onClose(): void;
	onDone(): void;
}): JSX.Element {
	const { name, onClose, onDone } = props;
	const remove = useAction(async () => {
		await props.remove();
		tell(`The key ${name} is removed.`);
		onDone();
		onClose();
	});
	return (
		<Confirm
			title={`Remove the key ${name}?`}
			verb="Remove"
			busy={remove.busy}
			problem={remove.problem}
			onConfirm={() => void remove.run()}
			onClose={onClose}
		>
			<p>It is refused from the next call on. {props.then}</p>
		</Confirm>
	);
}
