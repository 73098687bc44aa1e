import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call } from "../lib/api.ts";
import { type Action, useAction } from "../lib/query.ts";
import { Button, Field, PageHead } from "../ui/parts.tsx";
import { type Proposed, ProposedCard } from "./add-proposed.tsx";

const file_bytes_max = 1024 * 1024;

/** From nothing to a server that answers. */
export function AddPage(): JSX.Element {
	return (
		<>
			<PageHead
				title="Add a server"
				about="Nothing is started before you have seen what it is and said so."
			/>
			<div class="stack">
				<Pasted />
			</div>
		</>
	);
}

/** From a pasted text to servers. */
function Pasted(): JSX.Element {
	const [text, setText] = useState("");
	const [too_large, setTooLarge] = useState<string | undefined>(undefined);
	const [proposed, setProposed] = useState<readonly Proposed[] | undefined>(undefined);
	const look = useAction(async (pasted: string) => {
		const { servers } = await call("proposeServers", { body: { text: pasted } });
		setProposed(servers);
	});
	const take = (file: File | undefined) => {
		if (file === undefined) return;
		setTooLarge(undefined);
		if (file.size > file_bytes_max) return setTooLarge(file.name);
		void file.text().then((content) => {
			setText(content);
			void look.run(content);
		});
	};
	return (
		<>
			<PasteCard
				text={text}
				look={look}
				too_large={too_large}
				onFile={take}
				onText={(next) => {
					setText(next);
					setTooLarge(undefined);
					setProposed(undefined);
				}}
			/>
			{proposed?.map((server, at) => (
				<ProposedCard key={`${server.name}-${at}`} server={server} />
			))}
		</>
	);
}

interface PasteProps {
	readonly text: string;
	readonly look: Action<string>;
	/** A file that was chosen and is larger than a configuration is. */
	readonly too_large: string | undefined;
	onText(text: string): void;
	onFile(file: File | undefined): void;
}

function PasteCard({ text, look, too_large, onText, onFile }: PasteProps): JSX.Element {
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
					too_large !== undefined
						? `${too_large} is larger than 1 MB, which no configuration is.`
						: look.problem && `${look.problem.message} ${look.problem.next}`
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
