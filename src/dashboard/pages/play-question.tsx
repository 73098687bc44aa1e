import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { call } from "../lib/api.ts";
import { type Draft, draftOf, type Mistakes, readDraft } from "../lib/drafts.ts";
import { parseExact } from "../lib/exact-json.ts";
import { plain, plainLines, textOf } from "../lib/format.ts";
import type { PlayQuestion } from "../lib/play.ts";
import { useAction } from "../lib/query.ts";
import { linkTo } from "../lib/router.ts";
import { shapeOf } from "../lib/shapes.ts";
import { isObject } from "../lib/tools.ts";
import { JsonTree } from "../ui/json-tree.tsx";
import { Button, Field, Problem } from "../ui/parts.tsx";
import { ObjectForm } from "../ui/schema-form.tsx";

interface QuestionProps {
	readonly play: string;
	readonly question: PlayQuestion;
	onAnswered(id: string): void;
}

/** A question of the server in the middle of a call: a person answers in the client's place. */
export function QuestionCard({ play, question, onAnswered }: QuestionProps): JSX.Element {
	const { method, params } = useMemo(() => parse(question.text), [question.text]);
	const answer = useAction(async (body: object) => {
		await call("answerPlay", { path: { id: play, question: question.id }, body });
		onAnswered(question.id);
	});
	const decline = (action: "decline" | "cancel") => void answer.run({ action });
	const accept = (result: object) => void answer.run({ action: "accept", result });
	const approval = method === "elicitation/create" ? approvalIn(params) : undefined;
	if (approval !== undefined) {
		return (
			<section class="card" role="alert" aria-label="A call that waits">
				<h2>This call waits for an approval</h2>
				<Problem problem={answer.problem} />
				<Approval id={approval} busy={answer.busy} onWithdraw={() => decline("decline")} />
			</section>
		);
	}
	return (
		<section class="card" role="alert" aria-label="A question of the server">
			<h2>{titles[method] ?? plain(method)}</h2>
			<Problem problem={answer.problem} />
			{method === "elicitation/create" ? (
				<Elicitation params={params} busy={answer.busy} onAccept={accept} onDecline={decline} />
			) : (
				<Sampling
					method={method}
					params={params}
					busy={answer.busy}
					onAccept={accept}
					onDecline={decline}
				/>
			)}
		</section>
	);
}

const titles: Readonly<Record<string, string>> = {
	"elicitation/create": "The server asks you",
	"sampling/createMessage": "The server asks for a model's answer",
	"roots/list": "The server asks for your folders",
};

interface AnswerProps {
	readonly params: Readonly<Record<string, unknown>>;
	readonly busy: boolean;
	onAccept(result: object): void;
	onDecline(action: "decline" | "cancel"): void;
}

function Elicitation({ params, busy, onAccept, onDecline }: AnswerProps): JSX.Element {
	const { requestedSchema } = params;
	const schema = isObject(requestedSchema) ? requestedSchema : { type: "object", properties: {} };
	const shape = useMemo(() => shapeOf(schema, schema), [requestedSchema]);
	const [draft, setDraft] = useState<Draft>(() => draftOf(shape));
	const [mistakes, setMistakes] = useState<Mistakes>({});
	const submit = (event: Event) => {
		event.preventDefault();
		const read = readDraft(shape, draft);
		setMistakes(read.mistakes);
		if (Object.keys(read.mistakes).length === 0) onAccept(read.value ?? {});
	};
	return (
		<form class="stack" onSubmit={submit}>
			<p>{plainLines(textOf(params["message"]), 4_000)}</p>
			{typeof params["url"] === "string" ? (
				<p>
					It wants you to open <code>{plain(params["url"], 1_000)}</code>
				</p>
			) : (
				<ObjectForm shape={shape} draft={draft} path="" mistakes={mistakes} onChange={setDraft} />
			)}
			<div class="row">
				<Button type="submit" kind="main" busy={busy}>
					Accept
				</Button>
				<Button busy={busy} onClick={() => onDecline("decline")}>
					Decline
				</Button>
				<Button kind="quiet" busy={busy} onClick={() => onDecline("cancel")}>
					Cancel
				</Button>
			</div>
		</form>
	);
}

/**
 * The id in the address of an approval's page. No link is ever made of what a server says: this one
 * is to a page of ours, made anew of the id alone.
 */
function approvalIn({ url }: Readonly<Record<string, unknown>>): string | undefined {
	const address = typeof url === "string" ? URL.parse(url) : null;
	if (address?.origin !== window.location.origin) return undefined;
	return /^\/approvals\/([\w-]{1,64})$/.exec(address.pathname)?.[1];
}

/** A call that somebody has to agree to; it goes on by itself once they have. */
function Approval(props: { id: string; busy: boolean; onWithdraw(): void }): JSX.Element {
	return (
		<>
			<p>
				It runs once somebody who may has agreed to exactly these arguments, here or on another
				device, and goes on by itself then.
			</p>
			<div class="row">
				<a class="button main" href={linkTo("approvals", props.id)} target="_blank" rel="noopener">
					See the approval<span class="sr"> in a new tab</span>
				</a>
				<Button busy={props.busy} onClick={props.onWithdraw}>
					Take the call back
				</Button>
			</div>
		</>
	);
}

function Sampling(props: AnswerProps & { readonly method: string }): JSX.Element {
	const { method, params, busy, onAccept, onDecline } = props;
	const [text, setText] = useState("");
	const submit = (event: Event) => {
		event.preventDefault();
		if (method === "roots/list") return onAccept({ roots: [] });
		const content = { type: "text", text };
		return onAccept({ role: "assistant", content, model: "by-hand", stopReason: "endTurn" });
	};
	return (
		<form class="stack" onSubmit={submit}>
			<div class="tree">
				<JsonTree value={params} />
			</div>
			{method === "roots/list" ? (
				<p>Accepting answers that there are none.</p>
			) : (
				<Field
					label="Answer in the place of the model"
					control={(attributes) => (
						<textarea
							{...attributes}
							value={text}
							onInput={(event) => setText(event.currentTarget.value)}
						/>
					)}
				/>
			)}
			<div class="row">
				<Button type="submit" kind="main" busy={busy}>
					Answer
				</Button>
				<Button busy={busy} onClick={() => onDecline("decline")}>
					Decline
				</Button>
			</div>
		</form>
	);
}

function parse(text: string): { method: string; params: Readonly<Record<string, unknown>> } {
	try {
		const message = parseExact(text);
		const params = isObject(message) && isObject(message["params"]) ? message["params"] : {};
		return { method: isObject(message) ? String(message["method"]) : "", params };
	} catch {
		return { method: "", params: {} };
	}
}
