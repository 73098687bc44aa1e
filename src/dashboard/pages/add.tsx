import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { ServerEntry } from "../../admin/contract.ts";
import { call, type Reply } from "../lib/api.ts";
import { plain } from "../lib/format.ts";
import { type Action, useAction } from "../lib/query.ts";
import { linkTo } from "../lib/router.ts";
import { Button, Field, PageHead, Problem } from "../ui/parts.tsx";
import { ClientLines } from "./client-lines.tsx";

type Proposed = Reply<"proposeServers">["servers"][number];

const file_bytes_max = 1024 * 1024;

/** From a pasted text to a server that answers. */
export function AddPage(): JSX.Element {
	const [text, setText] = useState("");
	const [proposed, setProposed] = useState<readonly Proposed[] | undefined>(undefined);
	const look = useAction(async (pasted: string) => {
		const { servers } = await call("proposeServers", { body: { text: pasted } });
		setProposed(servers);
	});
	const take = (file: File | undefined) => {
		if (file === undefined) return;
		if (file.size > file_bytes_max)
			return setText(`# ${file.name} is larger than a configuration is`);
		void file.text().then((content) => {
			setText(content);
			void look.run(content);
		});
	};
	return (
		<>
			<PageHead
				title="Add a server"
				about="Nothing is started before you have seen what it is and said so."
			/>
			<div class="stack">
				<PasteCard
					text={text}
					look={look}
					onFile={take}
					onText={(next) => {
						setText(next);
						setProposed(undefined);
					}}
				/>
				{proposed?.map((server, at) => (
					<ProposedCard key={`${server.name}-${at}`} server={server} />
				))}
			</div>
		</>
	);
}

interface PasteProps {
	readonly text: string;
	readonly look: Action<string>;
	onText(text: string): void;
	onFile(file: File | undefined): void;
}

function PasteCard({ text, look, onText, onFile }: PasteProps): JSX.Element {
	const [over, setOver] = useState(false);
	return (
		<section
			class="card"
			data-over={over}
			onDragOver={(event) => {
				event.preventDefault();
				setOver(true);
			}}
			onDragLeave={() => setOver(false)}
			onDrop={(event) => {
				event.preventDefault();
				setOver(false);
				onFile(event.dataTransfer?.files[0]);
			}}
		>
			<Field
				label="A command, an address, or a client's mcp.json"
				hint="Paste it, or drop a file here. For example: npx -y @modelcontextprotocol/server-memory"
				error={
					look.problem === undefined ? undefined : `${look.problem.message} ${look.problem.next}`
				}
				control={(attributes) => (
					<textarea
						{...attributes}
						spellcheck={false}
						value={text}
						onInput={(event) => onText(event.currentTarget.value)}
					/>
				)}
			/>
			<div class="row">
				<Button
					kind="main"
					busy={look.busy}
					why_not={text.trim() === "" ? "Paste something first." : undefined}
					onClick={() => void look.run(text)}
				>
					Look at it
				</Button>
				<label class="button">
					Choose a file
					<input
						class="sr"
						type="file"
						accept=".json,.yaml,.yml,.txt"
						onChange={(event) => onFile(event.currentTarget.files?.[0])}
					/>
				</label>
			</div>
		</section>
	);
}

/** One server: what would run, what it asks for, and the button that adds it. */
function ProposedCard({ server }: { server: Proposed }): JSX.Element {
	const [name, setName] = useState(server.name);
	const [values, setValues] = useState<Readonly<Record<string, string>>>({});
	const [added, setAdded] = useState<string | undefined>(undefined);
	const add = useAction(async () => {
		const entry = filled(server, values) as unknown as ServerEntry;
		const { name: made } = await call("addServer", { body: { name, entry } });
		setAdded(made);
	});
	if (added !== undefined) return <AddedCard name={added} />;
	const missing = server.asks.find((one) => (values[one.name] ?? "") === "");
	return (
		<section class="card" aria-label={`Server ${server.name}`}>
			<header>
				<h2>{plain(server.name)}</h2>
			</header>
			{server.taken ? (
				<p class="note">A server of the wanted name is there already, so this one has another.</p>
			) : null}
			<WhatRuns server={server} />
			{server.notes.map((note) => (
				<p class="note" key={note}>
					{plain(note, 400)}
				</p>
			))}
			<Field
				label="Name"
				hint={`Its address will be ${window.location.origin}/${name}/mcp`}
				error={add.problem?.code === "server_exists" ? add.problem.message : undefined}
				control={(attributes) => (
					<input
						{...attributes}
						value={name}
						onInput={(event) => setName(event.currentTarget.value)}
					/>
				)}
			/>
			<Asks asks={server.asks} values={values} onChange={setValues} />
			{add.problem?.code === "server_exists" ? null : <Problem problem={add.problem} />}
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

function Asks(props: {
	asks: Proposed["asks"];
	values: Readonly<Record<string, string>>;
	onChange(values: Readonly<Record<string, string>>): void;
}): JSX.Element {
	const { asks, values, onChange } = props;
	return (
		<>
			{asks.map((asked) => (
				<Field
					key={asked.name}
					label={asked.name}
					hint={
						asked.kind === "env"
							? "An environment variable that it is given."
							: "A header that is sent with every request."
					}
					control={(attributes) => (
						<input
							{...attributes}
							class={asked.secret ? "hidden-text" : ""}
							autocomplete="off"
							value={values[asked.name] ?? ""}
							onInput={(event) => onChange({ ...values, [asked.name]: event.currentTarget.value })}
						/>
					)}
				/>
			))}
		</>
	);
}

function WhatRuns({ server }: { server: Proposed }): JSX.Element {
	if (server.runs === undefined) {
		return (
			<div class="field">
				<strong>What will be called</strong>
				<pre tabIndex={0} aria-label="What will be called">
					{plain(server.url ?? "", 2_000)}
				</pre>
			</div>
		);
	}
	return (
		<div class="field">
			<strong>What will run on the gateway's machine, word by word</strong>
			<pre tabIndex={0} aria-label="What will run">
				{server.runs.map((word) => plain(word, 2_000)).join("\n")}
			</pre>
			<p class="hint">No shell is involved: each line is one word, passed on as it is.</p>
		</div>
	);
}

function AddedCard({ name }: { name: string }): JSX.Element {
	return (
		<section class="card" aria-live="polite">
			<h2>{name} is added</h2>
			<p>It has an address, and starts now. Its first call may have to wait for its package.</p>
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

/** The entry with the values that were asked for. */
function filled(
	server: Proposed,
	values: Readonly<Record<string, string>>,
): Record<string, unknown> {
	const entry: Record<string, unknown> = { ...server.entry };
	for (const { kind, name } of server.asks) {
		const key = kind === "env" ? "env" : "headers";
		entry[key] = { ...(entry[key] as object | undefined), [name]: values[name] ?? "" };
	}
	return entry;
}
