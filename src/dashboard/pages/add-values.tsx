import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { plain } from "../lib/format.ts";
import { Button, Field } from "../ui/parts.tsx";
import {
	type Answer,
	type Answers,
	type Asked,
	answerOf,
	keyOf,
	naturalName,
} from "./filled-entry.ts";

interface AsksProps {
	readonly asks: readonly Asked[];
	readonly answers: Answers;
	/** Why the vault refused one of them; it names the secret. */
	readonly refused: string | undefined;
	onChange(answers: Answers): void;
}

/** The values that a server needs, one field each. */
export function Asks({ asks, answers, refused, onChange }: AsksProps): JSX.Element {
	return (
		<>
			{asks.map((ask) => {
				const key = keyOf(ask);
				const set = (change: Partial<Answer>) =>
					onChange({ ...answers, [key]: { ...answers[key], ...change } });
				const error = refused?.includes(`\`${ask.secret_name}\``) === true ? refused : undefined;
				const answer = answerOf(ask, answers);
				return <AskField key={key} ask={ask} answer={answer} error={error} onSet={set} />;
			})}
		</>
	);
}

const kinds: Readonly<Record<Asked["kind"], string>> = {
	env: "An environment variable that it is given.",
	header: "A header that is sent with every request.",
	argument: "An argument of the program.",
	url: "A part of the address.",
};

interface AskProps {
	readonly ask: Asked;
	readonly answer: Answer;
	readonly error: string | undefined;
	onSet(change: Partial<Answer>): void;
}

function AskField({ ask, answer, error, onSet }: AskProps): JSX.Element {
	const kept = `It goes into the vault as ${ask.secret_name}; the file holds only that name.`;
	const pasted = ask.given === undefined ? "" : " It was found in what you pasted.";
	return (
		<>
			{ask.stored === undefined ? null : (
				<Field
					label={`Where ${ask.name} comes from`}
					control={(attributes) => (
						<select
							{...attributes}
							value={answer.stored ? "stored" : "new"}
							onChange={(event) => onSet({ stored: event.currentTarget.value === "stored" })}
						>
							<option value="new">A new value, kept as {ask.secret_name}</option>
							<option value="stored">{ask.stored}, which is in the vault</option>
						</select>
					)}
				/>
			)}
			{answer.stored ? null : (
				<Field
					label={plain(ask.name, 100)}
					hint={`${kinds[ask.kind]}${ask.secret ? ` ${kept}` : ""}${pasted}`}
					error={error}
					control={(attributes) => (
						<input
							{...attributes}
							class={ask.secret ? "hidden-text" : ""}
							autocomplete="off"
							spellcheck={false}
							value={answer.value}
							onInput={(event) => onSet({ value: event.currentTarget.value })}
						/>
					)}
				/>
			)}
		</>
	);
}

interface AddProps {
	readonly server: string;
	readonly kind: "env" | "header";
	/** Names that are asked for already. */
	readonly taken: readonly string[];
	onAdd(ask: Asked): void;
}

/** One more value that the documentation of a server asks for, and what was pasted does not. */
export function AddValue({ server, kind, taken, onAdd }: AddProps): JSX.Element {
	const [open, setOpen] = useState(false);
	const [name, setName] = useState("");
	const [secret, setSecret] = useState(true);
	const what = kind === "env" ? "an environment variable" : "a header";
	if (!open) {
		return (
			<div>
				<Button icon="add" kind="quiet" onClick={() => setOpen(true)}>
					{`Give it ${what}`}
				</Button>
			</div>
		);
	}
	const wrong = problemOf(kind, name, taken);
	const add = () => {
		const path = [kind === "env" ? "env" : "headers", name];
		const secret_name = naturalName(server, kind, name);
		onAdd({ kind, name, secret, path, before: "", after: "", secret_name });
		setName("");
		setOpen(false);
	};
	return (
		<div class="stack tight">
			<Field
				label={`Name of ${what}`}
				error={name === "" ? undefined : wrong}
				control={(attributes) => (
					<input
						{...attributes}
						autocomplete="off"
						spellcheck={false}
						value={name}
						onInput={(event) => setName(event.currentTarget.value)}
					/>
				)}
			/>
			<Field
				label="Where its value is kept"
				control={(attributes) => (
					<select
						{...attributes}
						value={secret ? "vault" : "file"}
						onChange={(event) => setSecret(event.currentTarget.value === "vault")}
					>
						<option value="vault">In the vault: nobody sees it again</option>
						<option value="file">In the configuration file, as it is</option>
					</select>
				)}
			/>
			<div class="row">
				<Button why_not={wrong} onClick={add}>
					Add it
				</Button>
				<Button kind="quiet" onClick={() => setOpen(false)}>
					Cancel
				</Button>
			</div>
		</div>
	);
}

function problemOf(kind: "env" | "header", name: string, taken: readonly string[]) {
	if (name === "") return "Name it first.";
	if (taken.includes(name)) return "It is asked for already.";
	const good = kind === "env" ? /^[A-Za-z_]\w{0,127}$/ : /^[A-Za-z0-9][A-Za-z0-9-]{0,127}$/;
	return good.test(name) ? undefined : "Letters, digits and a few signs only.";
}
