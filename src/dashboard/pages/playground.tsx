import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type ApiProblem, problemIn } from "../lib/api.ts";
import { type Draft, draftOf, type Mistakes, readDraft } from "../lib/drafts.ts";
import { parseExact, stringifyExact } from "../lib/exact-json.ts";
import { plain, plainLines } from "../lib/format.ts";
import { type PlayState, play, withoutQuestion } from "../lib/play.ts";
import { useQuery } from "../lib/query.ts";
import { ask, linkTo, type Place } from "../lib/router.ts";
import { hasRole, useSession } from "../lib/session.ts";
import { type Shape, shapeOf } from "../lib/shapes.ts";
import { snippetsOf } from "../lib/snippets.ts";
import { AppFrame } from "../ui/app-frame.tsx";
import { Button, Copyable, Empty, Field, Loading, PageHead, Problem } from "../ui/parts.tsx";
import { ObjectForm } from "../ui/schema-form.tsx";
import { type Item, type ItemKind, itemsOf, kinds } from "./play-items.ts";
import { Messages, Outcome, resultIn } from "./play-outcome.tsx";
import { QuestionCard } from "./play-question.tsx";

/** Any tool, resource or prompt, called by hand. */
export function PlaygroundPage({ place }: { place: Place }): JSX.Element {
	const status = useQuery("getStatus");
	const servers = status.value?.servers ?? [];
	const server = place.query.get("server") ?? servers[0]?.name ?? "";
	const kind = kinds.find(({ id }) => id === place.query.get("kind"))?.id ?? "tools";
	return (
		<>
			<PageHead title="Playground" about="Calls made by hand, the way a client makes them." />
			<Problem problem={status.problem} />
			{status.value !== undefined && servers.length === 0 ? (
				<Empty title="No server yet">
					<a href={linkTo("add")}>Add the first one</a>
				</Empty>
			) : null}
			{servers.length === 0 ? null : (
				<>
					<div class="filters">
						<Field
							label="Server"
							control={(attributes) => (
								<select
									{...attributes}
									value={server}
									onChange={(event) => ask({ server: event.currentTarget.value, tool: undefined })}
								>
									{servers.map(({ name }) => (
										<option key={name} value={name}>
											{name}
										</option>
									))}
								</select>
							)}
						/>
						<Field
							label="What it offers"
							control={(attributes) => (
								<select
									{...attributes}
									value={kind}
									onChange={(event) => ask({ kind: event.currentTarget.value, tool: undefined })}
								>
									{kinds.map(({ id, title }) => (
										<option key={id} value={id}>
											{title}
										</option>
									))}
								</select>
							)}
						/>
					</div>
					<Chooser
						key={`${server}/${kind}`}
						server={server}
						kind={kind}
						wanted={place.query.get("tool")}
					/>
				</>
			)}
		</>
	);
}

interface ChooserProps {
	readonly server: string;
	readonly kind: ItemKind;
	readonly wanted: string | null;
}

function Chooser({ server, kind, wanted }: ChooserProps): JSX.Element {
	const operation = kinds.find(({ id }) => id === kind)?.operation ?? "listTools";
	const { value, problem } = useQuery(operation, {
		path: { name: server },
		on: ["state", "catalog"],
	});
	const [find, setFind] = useState("");
	const items = useMemo(() => (value === undefined ? [] : itemsOf(kind, value)), [kind, value]);
	const item = items.find(({ name }) => name === wanted) ?? items[0];
	if (value === undefined) {
		return problem === undefined ? (
			<Loading what={`Asking ${server}`} />
		) : (
			<Problem problem={problem} />
		);
	}
	if (items.length === 0) return <Empty title={`${server} offers none of these`} />;
	const text = find.toLowerCase();
	return (
		<div class="aside">
			<section class="card" aria-label="What can be called">
				<Field
					label="Find"
					control={(attributes) => (
						<input
							{...attributes}
							type="search"
							value={find}
							onInput={(event) => setFind(event.currentTarget.value)}
						/>
					)}
				/>
				<div class="pick">
					{items
						.filter(({ name, title }) => `${name} ${title}`.toLowerCase().includes(text))
						.map((one) => (
							<button
								type="button"
								key={one.name}
								aria-pressed={one.name === item?.name}
								onClick={() => ask({ tool: one.name })}
							>
								{plain(one.title, 100)}
							</button>
						))}
				</div>
			</section>
			{item === undefined ? null : (
				<Trial key={item.name} server={server} kind={kind} item={item} />
			)}
		</div>
	);
}

interface TrialProps {
	readonly server: string;
	readonly kind: ItemKind;
	readonly item: Item;
}

function Trial({ server, kind, item }: TrialProps): JSX.Element {
	const shape = useMemo(() => shapeOf(item.schema, item.schema), [item]);
	const [draft, setDraft] = useState<Draft>(() => draftOf(shape));
	const [mistakes, setMistakes] = useState<Mistakes>({});
	const [who, setWho] = useState("");
	const run = useRun();
	const form = useRef<HTMLFormElement>(null);
	const read = useMemo(() => readDraft(shape, draft), [shape, draft]);
	const args = (read.value ?? {}) as Readonly<Record<string, unknown>>;
	const submit = (event: Event) => {
		event.preventDefault();
		setMistakes(read.mistakes);
		if (Object.keys(read.mistakes).length > 0) {
			requestAnimationFrame(() =>
				form.current?.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus(),
			);
			return;
		}
		const [tenant = "", user = ""] = who.split("/");
		const as = tenant === "" || user === "" ? {} : { as: { tenant, user } };
		run.start({ server, ...item.request(args), ...as });
	};
	const { state } = run;
	const result = state?.result === undefined ? undefined : resultIn(state.result.reply);
	return (
		<div class="stack">
			<section class="card" aria-label="Arguments">
				<h2>{plain(item.title, 150)}</h2>
				<p class="muted">{plainLines(item.description, 8_000)}</p>
				<form class="stack" ref={form} onSubmit={submit} noValidate>
					<ObjectForm shape={shape} draft={draft} path="" mistakes={mistakes} onChange={setDraft} />
					<AsWhom value={who} onChange={setWho} />
					<div class="row">
						<Button type="submit" kind="main" busy={state?.running === true}>
							{state?.running === true ? "Calling…" : "Call it"}
						</Button>
						<Raw shape={shape} args={args} onChange={setDraft} />
					</div>
				</form>
			</section>
			<Problem problem={run.problem} />
			{state?.questions.map((question) => (
				<QuestionCard
					key={question.id}
					play={state.id ?? ""}
					question={question}
					onAnswered={run.answered}
				/>
			))}
			{state === undefined ? null : <Outcome state={state} onCancel={run.cancel} />}
			{result === undefined || item.app_uri === undefined ? null : (
				<AppFrame server={server} uri={item.app_uri} args={args} result={result} />
			)}
			{state === undefined ? null : <Messages messages={state.messages} />}
			{kind === "tools" ? <Snippets server={server} tool={item.name} args={args} /> : null}
		</div>
	);
}

/** Whom a call is made for, where an admin may act as somebody else. */
function AsWhom(props: { value: string; onChange(value: string): void }): JSX.Element | null {
	const session = useSession();
	if (!hasRole(session) || !session.identity) return null;
	return <ActAs {...props} />;
}

function ActAs(props: { value: string; onChange(value: string): void }): JSX.Element {
	const wrong = props.value !== "" && !/^[^/]+\/[^/]+$/.test(props.value);
	const users = useQuery("listUsers");
	const keys = useQuery("listKeys");
	const known = new Set([
		...(users.value?.users ?? []).map(({ id }) => id),
		...(keys.value?.keys ?? []).map(({ tenant, user }) => `${tenant}/${user}`),
	]);
	return (
		<Field
			label="As whom"
			optional
			hint="Tenant and user, such as acme/ana; you when empty. They come with the roles that are known of them here."
			error={wrong ? "Write it as tenant/user." : undefined}
			control={(attributes) => (
				<>
					<input
						{...attributes}
						list="known-people"
						autocomplete="off"
						value={props.value}
						onInput={(event) => props.onChange(event.currentTarget.value)}
					/>
					<datalist id="known-people">
						{[...known].map((id) => (
							<option key={id} value={id} />
						))}
					</datalist>
				</>
			)}
		/>
	);
}

/** The arguments as JSON, for those who have them as such. */
function Raw(props: {
	shape: Shape;
	args: Readonly<Record<string, unknown>>;
	onChange(draft: Draft): void;
}): JSX.Element {
	const [open, setOpen] = useState(false);
	const [text, setText] = useState("");
	const [wrong, setWrong] = useState(false);
	if (!open) {
		const show = () => {
			setText(stringifyExact(props.args, "  "));
			setOpen(true);
		};
		return (
			<Button kind="quiet" onClick={show}>
				Edit as JSON
			</Button>
		);
	}
	const take = () => {
		try {
			props.onChange(draftOf(props.shape, parseExact(text)));
			setOpen(false);
			setWrong(false);
		} catch {
			setWrong(true);
		}
	};
	return (
		<div class="stack tight grow">
			<Field
				label="Arguments as JSON"
				error={wrong ? "This is not JSON." : undefined}
				control={(attributes) => (
					<textarea
						{...attributes}
						spellcheck={false}
						value={text}
						onInput={(event) => setText(event.currentTarget.value)}
					/>
				)}
			/>
			<div class="row">
				<Button onClick={take}>Put into the form</Button>
				<Button kind="quiet" onClick={() => setOpen(false)}>
					Close
				</Button>
			</div>
		</div>
	);
}

function Snippets(props: {
	server: string;
	tool: string;
	args: Readonly<Record<string, unknown>>;
}): JSX.Element {
	const { identity } = useSession();
	const snippets = snippetsOf(window.location.origin, props, identity);
	return (
		<section class="card" aria-label="The same call elsewhere">
			<h2>The same call elsewhere</h2>
			<p class="muted small">
				Made by whoever makes it there. The first two are for those who run the gateway.
			</p>
			{snippets.map(({ id, title, text }) => (
				<details key={id}>
					<summary>{title}</summary>
					<Copyable block text={text} label={title} />
				</details>
			))}
		</section>
	);
}

/** One call at a time, with all that is known of it. */
function useRun() {
	const [state, setState] = useState<PlayState | undefined>(undefined);
	const [problem, setProblem] = useState<ApiProblem | undefined>(undefined);
	const cancel = useRef<AbortController | undefined>(undefined);
	useEffect(() => () => cancel.current?.abort(), []);
	const start = (body: object) => {
		const control = new AbortController();
		cancel.current = control;
		setProblem(undefined);
		play(body, control.signal, setState).catch((error: unknown) => {
			setState((before) => before && { ...before, running: false, questions: [] });
			if (!control.signal.aborted) setProblem(problemIn(error));
		});
	};
	return {
		state,
		problem,
		start,
		cancel: () => cancel.current?.abort(),
		answered: (id: string) => setState((before) => before && withoutQuestion(before, id)),
	};
}
