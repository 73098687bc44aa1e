import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { placed } from "../lib/fields.ts";
import { plain, relative } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { useSession, whyNot } from "../lib/session.ts";
import { FormDialog } from "../ui/form-dialog.tsx";
import { Badge, Button, Empty, Field, Loading, Problem } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";

type Used = Reply<"getServerSecrets">["values"][number];

/** What a server is given: where from, since when, and whether it is there. Never a value. */
export function SecretsTab({ name }: { name: string }): JSX.Element {
	const { value, problem, reload } = useQuery("getServerSecrets", {
		path: { name },
		on: ["reloaded", "state"],
	});
	const [setting, setSetting] = useState<Used | undefined>(undefined);
	if (value === undefined)
		return problem === undefined ? <Loading /> : <Problem problem={problem} />;
	if (value.values.length === 0) {
		return (
			<Empty title="It is given nothing from elsewhere">
				<p>
					An entry such as <code>{"TOKEN: ${secret:github}"}</code> under its <code>env</code> takes
					a value from the vault when it starts.
				</p>
			</Empty>
		);
	}
	return (
		<div class="stack">
			{value.locked === undefined ? null : (
				<div class="problem" role="status">
					<strong>{plain(value.locked, 600)}</strong>
				</div>
			)}
			<div class="cards">
				{value.values.map((used) => (
					<ValueCard
						key={`${used.kind}:${used.name}`}
						used={used}
						locked={value.locked !== undefined}
						onSet={() => setSetting(used)}
					/>
				))}
			</div>
			{setting === undefined ? null : (
				<SetDialog
					used={setting}
					server={name}
					onClose={() => setSetting(undefined)}
					onDone={reload}
				/>
			)}
		</div>
	);
}

const sources: Readonly<Record<Used["kind"], string>> = {
	secret: "the vault",
	env: "the gateway's environment",
	envfile: "an .env file",
	file: "a file",
	vault: "another vault",
	input: "an answer at the start",
	literal: "the configuration file",
};

const presence: Readonly<Record<Used["present"], readonly [tone: string, word: string]>> = {
	yes: ["ok", "there"],
	no: ["bad", "missing"],
	some: ["warn", "for some only"],
	unknown: ["", "not known yet"],
};

interface ValueProps {
	readonly used: Used;
	readonly locked: boolean;
	onSet(): void;
}

function ValueCard({ used, locked, onSet }: ValueProps): JSX.Element {
	const session = useSession();
	const [tone, word] = presence[used.present];
	const verb = used.present === "yes" ? "Replace the value" : "Set the value";
	const why_not =
		whyNot(session, "operator") ??
		(locked ? "The vault cannot be opened now." : undefined) ??
		(used.kind === "secret" ? undefined : `Its value comes from ${sources[used.kind]}.`);
	return (
		<section class="card" aria-label={`Value ${used.name}`}>
			<header>
				<h2 class="wrap">{plain(used.name)}</h2>
				<Badge tone={tone}>{word}</Badge>
			</header>
			<p class="muted small">
				From {sources[used.kind]}, as {used.places.map((place) => plain(place, 120)).join(", ")}
			</p>
			{used.note === undefined ? null : <p class="note">{plain(used.note, 600)}</p>}
			{used.values.map((one) => (
				<p class="small" key={`${one.tenant}/${one.user}`}>
					<strong>{scopeOf(one)}</strong>: stored {relative(one.changed_at_ms, now())},{" "}
					{one.used_at_ms === undefined
						? "never given out"
						: `given to ${plain(one.used_by ?? "a server", 100)} ${relative(one.used_at_ms, now())}`}
				</p>
			))}
			<div>
				<Button why_not={why_not} label={`${verb} of ${used.name}`} onClick={onSet}>
					{verb}
				</Button>
			</div>
		</section>
	);
}

function scopeOf({ tenant, user }: Used["values"][number]): string {
	if (user !== "") return plain(`${tenant}/${user}`);
	return tenant === "" ? "For everybody" : `For tenant ${plain(tenant)}`;
}

interface DialogProps {
	readonly used: Used;
	readonly server: string;
	onClose(): void;
	onDone(): void;
}

/** Stores a value; it goes in and is shown nowhere again. */
function SetDialog({ used, server, onClose, onDone }: DialogProps): JSX.Element {
	const [value, setValue] = useState("");
	const [whose, setWhose] = useState("");
	const [tenant = "", user = "", ...more] = whose.trim().split("/");
	const wrong = more.length > 0 || (user !== "" && tenant === "");
	const store = useAction(async (anyway: boolean) => {
		const body = { value, ...(tenant && { tenant }), ...(user && { user }) };
		const before = used.values.find((one) => one.tenant === tenant && one.user === user);
		const seen: Record<string, string> =
			before === undefined ? { "if-none-match": "*" } : { "if-match": `"${before.changed_at_ms}"` };
		await call("setSecret", { path: { name: used.name }, body, headers: anyway ? {} : seen });
		tell(`${used.name} is stored. Servers that use it get it by a rolling restart.`);
		onDone();
		onClose();
	});
	const fields = ["value", "tenant", "user"] as const;
	const { at, rest } = placed(store.problem, fields, { secret_refused: "value" });
	const conflict = store.problem?.code === "edited_meanwhile";
	return (
		<FormDialog
			title={`Value of ${used.name}`}
			verb="Store it"
			busy={store.busy}
			why_not={
				value === "" ? "Give it a value first." : wrong ? "Correct for whom it is." : undefined
			}
			problem={conflict ? undefined : rest}
			onSubmit={() => void store.run(false)}
			onClose={onClose}
		>
			<p>
				It is sealed in the vault and shown nowhere again. {server} and whoever else uses it is
				started anew with it, one instance after the other.
			</p>
			<Field
				label="New value"
				error={at.value}
				control={(attributes) => (
					<textarea
						{...attributes}
						class="hidden-text"
						autocomplete="off"
						spellcheck={false}
						value={value}
						onInput={(event) => setValue(event.currentTarget.value)}
					/>
				)}
			/>
			<Field
				label="For whom"
				optional
				hint="Everybody when empty; a tenant such as acme, or a person such as acme/ana."
				error={wrong ? "Write it as tenant, or as tenant/user." : (at.tenant ?? at.user)}
				control={(attributes) => (
					<input
						{...attributes}
						value={whose}
						onInput={(event) => setWhose(event.currentTarget.value)}
					/>
				)}
			/>
			{conflict ? <Conflict onAnyway={() => void store.run(true)} /> : null}
		</FormDialog>
	);
}

/** Somebody else stored another value: nobody sees which, and yours is stored if you want it. */
function Conflict({ onAnyway }: { onAnyway(): void }): JSX.Element {
	return (
		<div class="note stack tight" role="alert">
			<p>
				Somebody else stored or removed this value since you looked at it. Nothing of yours is
				stored.
			</p>
			<div>
				<Button onClick={onAnyway}>Store mine in its place</Button>
			</div>
		</div>
	);
}
