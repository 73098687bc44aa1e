import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type ApiProblem, call, type Reply } from "../lib/api.ts";
import { type Draft, draftOf, type Mistakes, readDraft } from "../lib/drafts.ts";
import { ExactNumber, losesNothing, stringifyExact } from "../lib/exact-json.ts";
import { plain, textOf } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { type Shape, shapeOf } from "../lib/shapes.ts";
import { isObject } from "../lib/tools.ts";
import { ChangedMeanwhile } from "../ui/changed-meanwhile.tsx";
import { Button, Loading, Problem } from "../ui/parts.tsx";
import { ObjectForm } from "../ui/schema-form.tsx";
import { tell } from "../ui/toasts.tsx";
import { Foot, PlanView } from "./config-editor.tsx";

type Settings = Reply<"getServerSettings">;
type Drafted = Reply<"draftSettings">;
type ObjectShape = Extract<Shape, { kind: "object" }>;

/** A server's entry as a form; the file behind it keeps its comments and everything else. */
export function SettingsForm({ name, onText }: { name: string; onText(): void }): JSX.Element {
	const { value, problem, reload } = useQuery("getServerSettings", {
		path: { name },
		on: ["reloaded"],
	});
	if (value === undefined) {
		return problem === undefined ? (
			<Loading what="Reading the entry" />
		) : (
			<Problem problem={problem} />
		);
	}
	return <Form key={name} settings={value} onReload={reload} onText={onText} />;
}

interface FormProps {
	readonly settings: Settings;
	onReload(): void;
	/** Shows the text of the file in its place. */
	onText(): void;
}

/** What is typed, what it was made from, and what can be done with it. */
function useSettings({ settings, onReload }: Omit<FormProps, "onText">) {
	/** What it was made from. */
	const [base, setBase] = useState(settings);
	const shape = useMemo(() => shapeOf(base.schema, base.schema) as ObjectShape, [base.schema]);
	/** What was known when the form was made anew from something later. */
	const old = useRef<Settings | undefined>(undefined);
	const [draft, setDraft] = useState<Draft>(() => draftOf(shape, base.entry));
	const [mistakes, setMistakes] = useState<Mistakes>({});
	const [seen, setSeen] = useState<(Drafted & { draft: Draft }) | undefined>(undefined);
	const read = useMemo(() => readDraft(shape, draft), [shape, draft]);
	const untouched = useMemo(
		() => readDraft(shape, draftOf(shape, base.entry)).value,
		[shape, base],
	);
	const changed = !same(read.value, untouched);
	const preview = useAction(async () => {
		setMistakes(read.mistakes);
		setSeen(undefined);
		if (Object.keys(read.mistakes).length > 0) return;
		const body = { entry: withTexts(read.value), etag: base.etag };
		const drafted = await call("draftSettings", { path: { name: base.server }, body });
		setSeen({ ...drafted, draft });
	});
	const apply = useAction(async () => {
		if (seen === undefined) return;
		const headers = { "if-match": seen.etag };
		await call("replaceConfig", { body: { text: seen.text }, headers });
		take(await call("getServerSettings", { path: { name: base.server } }));
		tell("The settings are applied.");
		onReload();
	});
	/** Made of something later; what was typed stays where `mine` says so. */
	const rebase = (fresh: Settings, mine: boolean) => {
		preview.clear();
		apply.clear();
		old.current = settings;
		setBase(fresh);
		setSeen(undefined);
		setMistakes({});
		if (!mine) setDraft(draftOf(shape, fresh.entry));
	};
	const take = (fresh: Settings) => rebase(fresh, false);
	const is_new = settings !== old.current && settings.etag !== base.etag;
	useEffect(() => {
		// Nobody has typed anything yet, so what is on the disk may take its place.
		if (is_new && !changed) take(settings);
	}, [settings]);
	const type = (next: Draft) => {
		setDraft(next);
		preview.clear();
		apply.clear();
	};
	const is_whole = isWhole(base.entry, untouched);
	return {
		base,
		shape,
		draft,
		mistakes,
		seen,
		changed,
		is_new,
		is_whole,
		preview,
		apply,
		rebase,
		type,
	};
}

function Form(props: FormProps): JSX.Element {
	const form = useSettings(props);
	const { base, draft, seen, changed, preview, apply } = form;
	const wrong = preview.problem ?? apply.problem;
	const told = useMemo(() => ({ ...mistakesIn(wrong), ...form.mistakes }), [wrong, form.mistakes]);
	const why_text =
		props.settings.why_text ??
		(form.is_whole
			? undefined
			: "This entry holds something that a form cannot show. Change it in the text of the file.");
	if (why_text !== undefined) {
		return (
			<div class="note stack tight">
				<p>{plain(why_text, 400)}</p>
				<div>
					<Button onClick={props.onText}>Change it in the text</Button>
				</div>
			</div>
		);
	}
	return (
		<form
			class="stack"
			noValidate
			onSubmit={(event) => {
				event.preventDefault();
				if (changed) void preview.run();
			}}
		>
			<Groups shape={form.shape} draft={draft} mistakes={told} onChange={form.type} />
			<Problem problem={wrong} />
			{form.is_new || wrong?.code === "edited_meanwhile" ? (
				<Conflict
					server={base.server}
					base={base}
					onTheirs={(fresh) => form.rebase(fresh, false)}
					onMine={(fresh) => form.rebase(fresh, true)}
				/>
			) : null}
			{seen === undefined ? null : <PlanView changes={seen.changes} old={seen.draft !== draft} />}
			<div class="stack tight">
				<p class="muted small">It is written to {base.path}; comments there stay.</p>
				<Foot
					preview={preview}
					apply={apply}
					changed={changed}
					seen={seen !== undefined && seen.draft === draft}
					submits
					onDiscard={() => form.rebase(props.settings, false)}
				/>
			</div>
		</form>
	);
}

const groups: readonly (readonly [title: string, members: readonly string[]])[] = [
	[
		"What runs",
		[
			...["command", "args", "env", "files", "cwd", "url", "transport", "headers"],
			...["auth", "oauth", "image", "runtime"],
		],
	],
	["What it offers", ["tools", "arguments", "reviewed"]],
	[
		"When it runs, and for whom",
		[
			...["scope", "start", "keep", "idle", "warm", "replicas", "max_instances", "concurrency"],
			...["queue", "timeouts", "health"],
		],
	],
	["What it may use and reach", ["limits", "sandbox", "untrusted"]],
	["Versions and packages", ["version", "rollout", "packages"]],
];

interface GroupsProps {
	readonly shape: ObjectShape;
	readonly draft: Draft;
	readonly mistakes: Mistakes;
	onChange(draft: Draft): void;
}

function Groups({ shape, draft, mistakes, onChange }: GroupsProps): JSX.Element {
	const named = new Set(groups.flatMap(([, members]) => members));
	const others = shape.members.map(({ name }) => name).filter((name) => !named.has(name));
	const all = [...groups, ["More", others] as const];
	const value = readDraft(shape, draft).value;
	const set = isObject(value) ? value : {};
	return (
		<>
			{all.map(([title, names], at) => {
				const is_last = at === all.length - 1;
				const part: ObjectShape = {
					...shape,
					members: shape.members.filter(({ name }) => names.includes(name)),
					rest: is_last ? shape.rest : undefined,
				};
				if (part.members.length === 0 && part.rest === undefined) return null;
				const count = names.filter((name) => set[name] !== undefined).length;
				const wrong = Object.keys(mistakes).some((key) =>
					names.includes(key.split(/[.#]/)[0] ?? ""),
				);
				return (
					<details class="card" key={title} open={at === 0 || wrong}>
						<summary>
							{title} <span class="muted">{count === 0 ? "nothing set" : `${count} set`}</span>
						</summary>
						<div class="stack">
							<ObjectForm
								shape={part}
								draft={draft}
								path=""
								mistakes={mistakes}
								onChange={onChange}
							/>
						</div>
					</details>
				);
			})}
		</>
	);
}

interface ConflictProps {
	readonly server: string;
	readonly base: Settings;
	onTheirs(fresh: Settings): void;
	onMine(fresh: Settings): void;
}

/** Somebody else changed the same entry: neither loses a word without having been told. */
function Conflict({ server, base, onTheirs, onMine }: ConflictProps): JSX.Element {
	const { value, loading } = useQuery("getServerSettings", { path: { name: server } });
	const reading = loading || value === undefined ? "Theirs are being read." : undefined;
	const names = value === undefined ? [] : differing(base.entry, value.entry);
	return (
		<ChangedMeanwhile
			what={`the settings of ${server}`}
			differing={names.map((name) => plain(name, 60)).join(", ")}
			why_not={reading}
			onTheirs={() => value && onTheirs(value)}
			onMine={() => value && onMine(value)}
		/>
	);
}

/** Mistakes that the gateway found, by their fields. */
function mistakesIn(problem: ApiProblem | undefined): Mistakes {
	const placed = (problem?.config ?? []).flatMap(({ field, message, next }) =>
		field === undefined ? [] : [[field, plain(`${message} ${next}`, 400)] as const],
	);
	return Object.fromEntries(placed);
}

/** Numbers that no number here holds go as texts, as they came; all others as numbers. */
export function withTexts(value: unknown): unknown {
	if (value instanceof ExactNumber) {
		return losesNothing(value) ? Number(value.text) : value.text;
	}
	if (Array.isArray(value)) return value.map(withTexts);
	if (!isObject(value)) return value;
	return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withTexts(one)]));
}

function differing(a: Settings["entry"], b: Settings["entry"]): string[] {
	const names = [...new Set([...Object.keys(a), ...Object.keys(b)])];
	return names.filter((name) => !same(a[name], b[name]));
}

/** Whether a form holds all of an entry: numbers may be texts in it, what is empty may be gone. */
function isWhole(entry: unknown, read: unknown): boolean {
	return same(loosely(entry), loosely(read));
}

function loosely(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(loosely);
	if (value === undefined || value === null) return null;
	if (!isObject(value)) return textOf(value);
	const members = Object.entries(value).map(([name, one]) => [name, loosely(one)] as const);
	return Object.fromEntries(members.filter(([, one]) => !isEmpty(one)));
}

function isEmpty(value: unknown): boolean {
	if (Array.isArray(value)) return value.length === 0;
	return value === null || (isObject(value) && Object.keys(value).length === 0);
}

function same(a: unknown, b: unknown): boolean {
	if (a === undefined || b === undefined) return a === b;
	return sorted(a) === sorted(b);
}

function sorted(value: unknown): string {
	return stringifyExact(inOrder(value));
}

function inOrder(value: unknown): unknown {
	if (Array.isArray(value)) return value.map(inOrder);
	if (!isObject(value)) return value;
	const members = Object.entries(value).toSorted(byName);
	return Object.fromEntries(members.map(([name, one]) => [name, inOrder(one)]));
}

function byName([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
	return a < b ? -1 : 1;
}
