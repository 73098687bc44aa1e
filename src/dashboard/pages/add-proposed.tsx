import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { ServerEntry } from "../../admin/contract.ts";
import { call, type Reply } from "../lib/api.ts";
import { plain } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { linkTo } from "../lib/router.ts";
import { isObject } from "../lib/tools.ts";
import { Button, Field, Problem, StateBadge } from "../ui/parts.tsx";
import { AddValue, Asks } from "./add-values.tsx";
import { ClientLines } from "./client-lines.tsx";
import {
	type Answers,
	type Asked,
	answerOf,
	type Entry,
	filled,
	newSecrets,
	withFreeNames,
} from "./filled-entry.ts";

/** A server that was made of a pasted text, and is not in the configuration yet. */
export type Proposed = Reply<"proposeServers">["servers"][number];

/** One server: what would run, what it asks for, and the button that adds it. */
export function ProposedCard({ server }: { server: Proposed }): JSX.Element {
	const [name, setName] = useState(server.name);
	const [more, setMore] = useState<readonly Asked[]>([]);
	const [answers, setAnswers] = useState<Answers>({});
	const [added, setAdded] = useState<string | undefined>(undefined);
	const known = useQuery("listSecrets", { on: ["reloaded"] }).value?.secrets ?? [];
	const stored = known.map((secret) => secret.name);
	const asks = [...server.asks, ...withFreeNames(more, server.asks, stored)];
	const entry = filled(server.entry, asks, answers);
	const secrets = newSecrets(asks, answers);
	const add = useAction(async () => {
		const body = {
			name,
			entry: entry as unknown as ServerEntry,
			...(Object.keys(secrets).length > 0 && { secrets }),
		};
		const { name: made } = await call("addServer", { body });
		setAdded(made);
	});
	if (added !== undefined) return <AddedCard name={added} />;
	const missing = asks.find((one) => {
		const { value, stored } = answerOf(one, answers);
		return value === "" && !stored;
	});
	const taken = add.problem?.code === "server_exists";
	const refused =
		add.problem?.code === "secret_refused"
			? `${add.problem.message} ${add.problem.next}`
			: undefined;
	return (
		<section class="card" aria-label={`Server ${server.name}`}>
			<header>
				<h2>{plain(server.name)}</h2>
			</header>
			{server.taken ? (
				<p class="note">A server of the wanted name is there already, so this one has another.</p>
			) : null}
			<WhatRuns entry={entry} />
			{server.notes.map((note) => (
				<p class="note" key={note}>
					{plain(note, 400)}
				</p>
			))}
			<NameField name={name} error={taken ? add.problem?.message : undefined} onChange={setName} />
			<Asks asks={asks} answers={answers} refused={refused} onChange={setAnswers} />
			<AddValue
				server={server.name}
				kind={"url" in server.entry ? "header" : "env"}
				taken={asks.map((one) => one.name)}
				onAdd={(ask) => setMore([...more, ask])}
			/>
			{taken || refused !== undefined ? null : <Problem problem={add.problem} />}
			<div>
				<Button
					kind="main"
					busy={add.busy}
					why_not={missing === undefined ? undefined : `Fill in ${missing.name} first.`}
					onClick={() => void add.run()}
				>
					{server.runs === undefined ? "Add this address" : "Add and run this"}
				</Button>
			</div>
		</section>
	);
}

function NameField(props: {
	name: string;
	error: string | undefined;
	onChange(name: string): void;
}): JSX.Element {
	const { name, error, onChange } = props;
	return (
		<Field
			label="Name"
			hint={`Its address will be ${window.location.origin}/${name}/mcp`}
			error={error}
			control={(attributes) => (
				<input
					{...attributes}
					value={name}
					onInput={(event) => onChange(event.currentTarget.value)}
				/>
			)}
		/>
	);
}

/** Exactly what will run or be called, with what it is given; secrets as references. */
function WhatRuns({ entry }: { entry: Entry }): JSX.Element {
	const { command, args, url } = entry;
	const words = [command, ...(Array.isArray(args) ? (args as unknown[]) : [])].map(String);
	return (
		<>
			{command === undefined ? (
				<div class="field">
					<strong>What will be called</strong>
					<pre tabIndex={0} role="region" aria-label="What will be called">
						{plain(String(url), 2_000)}
					</pre>
				</div>
			) : (
				<div class="field">
					<strong>What will run on the gateway's machine, word by word</strong>
					<pre tabIndex={0} role="region" aria-label="What will run">
						{words.map((word) => plain(word, 2_000)).join("\n")}
					</pre>
					<p class="hint">No shell is involved: each line is one word, passed on as it is.</p>
				</div>
			)}
			<Given title="With these environment variables" values={entry["env"]} />
			<Given title="With these headers" values={entry["headers"]} />
		</>
	);
}

function Given({ title, values }: { title: string; values: unknown }): JSX.Element | null {
	if (!isObject(values) || Object.keys(values).length === 0) return null;
	return (
		<div class="field">
			<strong>{title}</strong>
			<pre tabIndex={0} role="region" aria-label={title}>
				{Object.entries(values)
					.map(([name, value]) => plain(`${name}: ${String(value)}`, 2_000))
					.join("\n")}
			</pre>
		</div>
	);
}

const refresh_ms = 2_000;

/** The server is in the configuration: how it gets on, its address, and what to do next. */
function AddedCard({ name }: { name: string }): JSX.Element {
	const { value } = useQuery("getServer", { path: { name }, on: ["state"], every_ms: refresh_ms });
	return (
		<section class="card" aria-live="polite" aria-label={`Server ${name}`}>
			<header>
				<h2>{name} is added</h2>
				{value === undefined ? null : <StateBadge state={value.state} />}
			</header>
			{value?.reason === undefined ? (
				<p>
					{value?.state === "ready"
						? "It runs and answers."
						: "It has an address, and starts now. Its first call may have to wait for its package."}
				</p>
			) : (
				<div class="problem">
					<strong>{plain(value.reason, 600)}</strong>
					<p>
						<a href={linkTo("servers", name, "logs")}>See what it wrote</a>, or{" "}
						<a href={linkTo("servers", name, "settings")}>change its settings</a>.
					</p>
				</div>
			)}
			<ClientLines endpoint={name} />
			<div class="row">
				<a class="button main" href={`${linkTo("playground")}?server=${encodeURIComponent(name)}`}>
					Try its tools
				</a>
				<a class="button" href={linkTo("servers", name)}>
					Look at it
				</a>
			</div>
		</section>
	);
}
