import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { parseExact, stringifyExact } from "../lib/exact-json.ts";
import { exactJson, plain, relative } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { linkTo, type Place } from "../lib/router.ts";
import { isObject } from "../lib/tools.ts";
import { JsonTree } from "../ui/json-tree.tsx";
import { ListTools, More, useListed } from "../ui/listed.tsx";
import { Badge, Button, Empty, Facts, Field, Loading, PageHead, Problem } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";

type Approval = Reply<"getApproval">;

/** Calls that wait until a person has said yes. */
export function ApprovalsPage({ place }: { place: Place }): JSX.Element {
	const [, id] = place.parts;
	return id === undefined ? <Inbox /> : <OneApproval id={id} />;
}

function Inbox(): JSX.Element {
	const { value, problem, reload } = useQuery("listApprovals", {
		on: ["approval"],
		every_ms: 30_000,
	});
	if (value === undefined)
		return problem === undefined ? <Loading /> : <Problem problem={problem} />;
	const waiting = value.approvals.filter(({ state }) => state === "pending");
	const over = value.approvals.filter(({ state }) => state !== "pending");
	return (
		<>
			<PageHead title="Approvals" about="Calls that wait until a person has said yes." />
			<div class="stack">
				{waiting.length === 0 ? (
					<Empty title="Nothing waits">
						<p>
							A tool with <code>approval: required</code>, or a rule that asks, parks its call here.
						</p>
					</Empty>
				) : null}
				{waiting.map((approval) => (
					<ApprovalCard key={approval.id} approval={approval} onDone={reload} />
				))}
				{over.length === 0 ? null : <Past approvals={over} />}
			</div>
		</>
	);
}

function OneApproval({ id }: { id: string }): JSX.Element {
	const { value, problem, reload } = useQuery("getApproval", { path: { id }, on: ["approval"] });
	return (
		<>
			<p class="small">
				<a href={linkTo("approvals")}>Approvals</a>
			</p>
			<PageHead title="Approval" about={value === undefined ? undefined : plain(value.id)} />
			<Problem problem={problem} />
			{value === undefined && problem === undefined ? <Loading /> : null}
			{value === undefined ? null : <ApprovalCard approval={value} onDone={reload} />}
		</>
	);
}

const tones: Readonly<Record<string, string>> = {
	pending: "pending",
	approved: "ok",
	running: "ok",
	done: "ok",
	denied: "bad",
	unknown: "bad",
};

/** One call that waits, with exactly what would run, and the two answers. */
function ApprovalCard(props: { approval: Approval; onDone(): void }): JSX.Element {
	const { approval } = props;
	const title = `${plain(approval.server)} ${plain(approval.tool)}`;
	const exact = exactJson(approval.arguments_json, approval.arguments);
	return (
		<section class="card" aria-label={title}>
			<header>
				<h2>{title}</h2>
				<Badge tone={tones[approval.state] ?? ""}>{approval.state}</Badge>
			</header>
			<Facts
				rows={[
					["Asked by", plain(approval.principal)],
					["Made by", approval.made_by === undefined ? undefined : plain(approval.made_by)],
					["Client", plain(approval.client ?? approval.client_name)],
					["Risk", approval.risk],
					["Because of", becauseOf(approval.rule)],
					["Agreed", `${agreed(approval)} of ${approval.needed}`],
					["Asked", relative(approval.created_at_ms, now())],
					[
						"Ends",
						approval.state === "pending" ? relative(approval.expires_at_ms, now()) : undefined,
					],
				]}
			/>
			{approval.after === undefined ? null : (
				<p class="note">
					The same call was made before and may have been executed: nobody knows. See{" "}
					<a href={linkTo("approvals", approval.after)}>{plain(approval.after)}</a>.
				</p>
			)}
			<div class="stack tight">
				<h3>
					{approval.edited_by === undefined ? "Exactly this runs" : "Exactly this runs, as changed"}
				</h3>
				<div class="tree">
					<JsonTree value={approval.arguments} />
				</div>
				{exact === undefined ? null : (
					<>
						<p class="small muted">To the last digit and character:</p>
						<pre>{exact}</pre>
					</>
				)}
			</div>
			{approval.votes.map((vote) => (
				<p class="small" key={`${vote.approver}-${vote.at_ms}`}>
					{plain(vote.approver)}
					{vote.person === undefined ? "" : ` for ${plain(vote.person)}`}{" "}
					{vote.verdict === "approve" ? "agreed" : "said no"}{" "}
					<span class="muted">{relative(vote.at_ms, now())}</span>
					{vote.reason === undefined ? "" : `: ${plain(vote.reason, 400)}`}
				</p>
			))}
			{approval.state === "pending" ? <Decision {...props} /> : null}
		</section>
	);
}

/** What wants a person asked; `tools` is how records call a tool's own setting. */
function becauseOf(rule: string | undefined): string | undefined {
	return rule === "tools" ? "the setting of this tool" : rule && plain(rule);
}

function agreed({ votes }: Approval): number {
	return votes.filter(({ verdict, counts }) => verdict === "approve" && counts).length;
}

function Decision({ approval, onDone }: { approval: Approval; onDone(): void }): JSX.Element {
	const [reason, setReason] = useState("");
	const [edited, setEdited] = useState<string | undefined>(undefined);
	const decide = useAction(async (verdict: "approve" | "deny") => {
		const changed = verdict === "approve" ? parsed(edited) : undefined;
		const body = {
			verdict,
			arguments_hash: approval.arguments_hash,
			...(reason.trim() === "" ? {} : { reason: reason.trim() }),
			...(changed === undefined ? {} : { arguments: changed }),
		};
		await call("decideApproval", { path: { id: approval.id }, body });
		tell(verdict === "approve" ? "Approved." : "Denied.");
		onDone();
	});
	if (!approval.may_decide) {
		return (
			<p class="note">
				{approval.other_than_caller
					? "Somebody else than the caller has to decide, with the role that may."
					: "You are not among those who may decide about this one."}
			</p>
		);
	}
	const wrong = edited !== undefined && parsed(edited) === undefined;
	return (
		<div class="stack tight">
			{approval.may_edit ? (
				<EditArguments approval={approval} text={edited} wrong={wrong} onChange={setEdited} />
			) : null}
			<Field
				label="Reason"
				optional
				hint="Told to the caller, and kept."
				control={(attributes) => (
					<input
						{...attributes}
						maxLength={1_000}
						value={reason}
						onInput={(event) => setReason(event.currentTarget.value)}
					/>
				)}
			/>
			<Problem problem={decide.problem} />
			<div class="row">
				<Button
					kind="main"
					busy={decide.busy}
					why_not={wrong ? "Correct the arguments first." : undefined}
					onClick={() => void decide.run("approve")}
				>
					Approve
				</Button>
				<Button kind="danger" busy={decide.busy} onClick={() => void decide.run("deny")}>
					Deny
				</Button>
			</div>
		</div>
	);
}

function EditArguments(props: {
	approval: Approval;
	text: string | undefined;
	wrong: boolean;
	onChange(text: string | undefined): void;
}): JSX.Element {
	const { approval, text, wrong, onChange } = props;
	if (text === undefined) {
		const begin = () => onChange(stringifyExact(parseExact(approval.arguments_json), "  "));
		return (
			<div>
				<Button kind="quiet" onClick={begin}>
					Change the arguments
				</Button>
			</div>
		);
	}
	return (
		<>
			<Field
				label="Arguments to run with"
				error={wrong ? "This is no JSON object." : undefined}
				control={(attributes) => (
					<textarea
						{...attributes}
						spellcheck={false}
						value={text}
						onInput={(event) => onChange(event.currentTarget.value)}
					/>
				)}
			/>
			<div>
				<Button kind="quiet" onClick={() => onChange(undefined)}>
					Leave them as they are
				</Button>
			</div>
		</>
	);
}

function parsed(text: string | undefined): Record<string, unknown> | undefined {
	if (text === undefined) return undefined;
	try {
		const value = parseExact(text);
		return isObject(value) ? value : undefined;
	} catch {
		return undefined;
	}
}

function wordsOf({ server, tool, state, principal, rule }: Approval): string {
	return [server, tool, state, principal, rule].filter(Boolean).join(" ");
}

function Past({ approvals }: { approvals: readonly Approval[] }): JSX.Element {
	const list = useListed(approvals, wordsOf);
	return (
		<section class="card" aria-label="Decided">
			<h2>Decided</h2>
			<ListTools list={list} what="calls" label="Find a decided call" />
			<ul class="stack tight">
				{list.shown.map((one) => (
					<li class="row" key={one.id}>
						<Badge tone={tones[one.state] ?? ""}>{one.state}</Badge>
						<a class="grow" href={linkTo("approvals", one.id)}>
							{plain(one.server)} {plain(one.tool)}
						</a>
						<span class="muted small">{relative(one.created_at_ms, now())}</span>
					</li>
				))}
			</ul>
			<More list={list} />
		</section>
	);
}
