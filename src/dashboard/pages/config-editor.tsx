import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Changes } from "../../admin/contract.ts";
import { ApiProblem, call, type Reply } from "../lib/api.ts";
import { plain } from "../lib/format.ts";
import { type Action, useAction, useQuery } from "../lib/query.ts";
import { Button, Field, Loading, Problem } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";

type ConfigFile = Reply<"getConfig">;

/**
 * The configuration file itself, comments and all. What a change would do is shown before it is
 * done, and nobody overwrites what somebody else wrote meanwhile.
 * @param server whose entry is shown first
 */
export function ConfigEditor({ server }: { server?: string }): JSX.Element {
	const { value, problem, reload } = useQuery("getConfig");
	if (value === undefined) {
		return problem === undefined ? (
			<Loading what="Reading the file" />
		) : (
			<Problem problem={problem} />
		);
	}
	return <Editor key={value.path} file={value} server={server} onReload={reload} />;
}

interface EditorProps {
	readonly file: ConfigFile;
	readonly server: string | undefined;
	onReload(): void;
}

function Editor({ file, server, onReload }: EditorProps): JSX.Element {
	/** What it was made from, and what it is now. */
	const [base, setBase] = useState(file);
	const [text, setText] = useState(file.text);
	const [plan, setPlan] = useState<{ text: string; changes: Changes } | undefined>(undefined);
	const area = useRef<HTMLTextAreaElement>(null);
	const changed = text !== base.text;
	const line = base.servers.find(({ name }) => name === server)?.line;
	useEffect(() => {
		if (line !== undefined) showLine(area.current, base.text, line);
	}, [line]);
	useEffect(() => {
		// Nobody has typed anything yet, so what is on the disk may take its place.
		if (!changed && file.etag !== base.etag) take(file);
	}, [file]);
	const take = (fresh: ConfigFile) => {
		setBase(fresh);
		setText(fresh.text);
		setPlan(undefined);
	};
	const preview = useAction(async () => {
		setPlan({ text, changes: await call("previewConfig", { body: { text } }) });
	});
	const apply = useAction(async () => {
		const headers = { "if-match": base.etag };
		take(await call("replaceConfig", { body: { text }, headers }));
		tell("The configuration is applied.");
		onReload();
	});
	const readAgain = (fresh: ConfigFile) => {
		apply.clear();
		take(fresh);
	};
	const conflict = apply.problem?.code === "edited_meanwhile";
	const wrong = preview.problem ?? apply.problem;
	const seen = plan !== undefined && plan.text === text;
	return (
		<div class="stack">
			<Field
				label={base.path}
				hint={line === undefined ? undefined : `The entry of ${server} begins in line ${line}.`}
				error={firstMistake(wrong)}
				control={(attributes) => (
					<textarea
						{...attributes}
						ref={area}
						class="editor"
						spellcheck={false}
						wrap="off"
						value={text}
						onInput={(event) => setText(event.currentTarget.value)}
					/>
				)}
			/>
			<Problem problem={wrong} />
			{conflict ? <Conflict onRead={readAgain} /> : null}
			{plan === undefined ? null : <PlanView changes={plan.changes} old={!seen} />}
			<Foot
				preview={preview}
				apply={apply}
				changed={changed}
				seen={seen}
				onDiscard={() => take(base)}
			/>
		</div>
	);
}

function Conflict({ onRead }: { onRead(file: ConfigFile): void }): JSX.Element {
	return (
		<div class="note stack tight">
			<p>
				Somebody else changed the file. Copy what you need from your text, then read theirs and make
				your change again.
			</p>
			<Button onClick={() => void call("getConfig").then(onRead, () => undefined)}>
				Read the file as it is now
			</Button>
		</div>
	);
}

interface FootProps {
	readonly preview: Action<void>;
	readonly apply: Action<void>;
	readonly changed: boolean;
	/** Whether what this change would do was looked at. */
	readonly seen: boolean;
	/** Whether Preview submits the form that it stands in, which runs it. */
	readonly submits?: boolean;
	onDiscard(): void;
}

/** What can be done with a change of the configuration: it is looked at before it is applied. */
export function Foot(props: FootProps): JSX.Element {
	const { preview, apply, changed, seen, submits = false, onDiscard } = props;
	const unchanged = changed ? undefined : "Nothing is changed yet.";
	return (
		<div class="row">
			<Button
				type={submits ? "submit" : "button"}
				busy={preview.busy}
				why_not={unchanged}
				onClick={() => void (submits || preview.run())}
			>
				Preview
			</Button>
			<Button
				kind="main"
				busy={apply.busy}
				why_not={seen && changed ? undefined : "Preview the change first."}
				onClick={() => void apply.run()}
			>
				Apply
			</Button>
			<Button kind="quiet" why_not={unchanged} onClick={onDiscard}>
				Discard
			</Button>
		</div>
	);
}

/** What applying a configuration would do. */
export function PlanView({ changes, old }: { changes: Changes; old: boolean }): JSX.Element {
	const { added, removed, changed, settings } = changes;
	const nothing = added.length + removed.length + changed.length === 0;
	return (
		<section class="card" aria-live="polite">
			<h2>{old ? "What the earlier text would do" : "What this will do"}</h2>
			{nothing ? <p>No server changes.</p> : null}
			<ul class="stack tight">
				{added.map((name) => (
					<li key={name}>
						<strong>{plain(name)}</strong> is added and starts.
					</li>
				))}
				{removed.map((name) => (
					<li key={name}>
						<strong>{plain(name)}</strong> is removed: it is ended once its calls are over.
					</li>
				))}
				{changed.map(({ server, differences }) => (
					<li key={server}>
						<strong>{plain(server)}</strong> is started anew, beside the one that runs:
						<ul>
							{differences.map((difference) => (
								<li key={difference} class="diff-line">
									{plain(difference, 600)}
								</li>
							))}
						</ul>
					</li>
				))}
				{settings.length === 0 ? null : <li>Settings that change: {settings.join(", ")}.</li>}
				{changes.held.map(({ server, version }) => (
					<li key={server}>
						{plain(server)} stays at version {version}, where it is held.
					</li>
				))}
			</ul>
			{changes.warnings.map((warning) => (
				<p class="note" key={warning}>
					{plain(warning, 600)}
				</p>
			))}
		</section>
	);
}

function firstMistake(problem: ApiProblem | undefined): string | undefined {
	const first = problem?.config?.[0];
	return first === undefined ? undefined : `Line ${first.line}: ${plain(first.message, 300)}`;
}

/** Scrolls a text to a line and puts the cursor there. */
function showLine(area: HTMLTextAreaElement | null, text: string, line: number): void {
	if (area === null) return;
	const before = text
		.split("\n")
		.slice(0, line - 1)
		.join("\n").length;
	const at = line === 1 ? 0 : before + 1;
	area.setSelectionRange(at, at);
	const rows = Math.max(1, text.split("\n").length);
	area.scrollTop = Math.max(0, (area.scrollHeight / rows) * (line - 3));
}
