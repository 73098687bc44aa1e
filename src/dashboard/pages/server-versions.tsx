import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { placed } from "../lib/fields.ts";
import { dateTime, plain } from "../lib/format.ts";
import { type Action, useAction, useQuery } from "../lib/query.ts";
import { linkTo } from "../lib/router.ts";
import { useSession, whyNot } from "../lib/session.ts";
import { FormDialog } from "../ui/form-dialog.tsx";
import { Line } from "../ui/line.tsx";
import { Badge, Button, Confirm, Loading, Problem } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";
import { DeployDialog, type VersionDialogProps } from "./deploy-dialog.tsx";

type Versions = Reply<"listVersions">;
type Version = Versions["versions"][number];

/** States of a version that has yet to take all calls. */
const ways: ReadonlySet<string | undefined> = new Set(["checking", "held", "sharing"]);

/** Every way in which a server ran, and how to go from one to the other. */
export function VersionsTab({ name }: { name: string }): JSX.Element {
	const { value, problem, reload } = useQuery("listVersions", { path: { name }, on: ["state"] });
	const session = useSession();
	const admin_only = whyNot(session);
	const operators = whyNot(session, "operator");
	const [asked, setAsked] = useState<"deploy" | "fork" | undefined>(undefined);
	const [back_to, setBackTo] = useState<Version | undefined>(undefined);
	const onClose = () => setAsked(undefined);
	const promote = useAction(async () => {
		const { version } = await call("promoteServer", { path: { name } });
		tell(`Version ${version} takes all calls.`);
		reload();
	});
	const rollback = useAction(async (number: number) => {
		await call("rollbackServer", { path: { name }, body: { version: number } });
		tell(`${name} is back at version ${number}.`);
		setBackTo(undefined);
		reload();
	});
	if (value === undefined)
		return problem === undefined ? <Loading /> : <Problem problem={problem} />;
	const on_its_way = ways.has(value.rollout?.state);
	const waiting = on_its_way && value.rollout?.state !== "checking";
	const nothing_waits = waiting ? undefined : "No version waits for its turn.";
	return (
		<div class="stack">
			<div class="row">
				<Button kind="main" why_not={admin_only} onClick={() => setAsked("deploy")}>
					Deploy
				</Button>
				<Button
					busy={promote.busy}
					why_not={operators ?? nothing_waits}
					onClick={() => void promote.run()}
				>
					Promote
				</Button>
				<Button why_not={admin_only} onClick={() => setAsked("fork")}>
					Fork
				</Button>
			</div>
			<Problem problem={promote.problem} />
			<Standing value={value} />
			{value.versions.toReversed().map((version) => (
				<VersionCard
					key={version.number}
					version={version}
					why_not={
						operators ?? (version.state === "active" ? "It is the one that runs." : undefined)
					}
					onBack={() => setBackTo(version)}
				/>
			))}
			{asked === "deploy" ? (
				<DeployDialog {...{ name, on_its_way, onClose, onDone: reload }} />
			) : null}
			{asked === "fork" ? <ForkDialog {...{ name, onClose, onDone: reload }} /> : null}
			{back_to === undefined ? null : (
				<BackConfirm
					number={back_to.number}
					rollback={rollback}
					onClose={() => setBackTo(undefined)}
				/>
			)}
		</div>
	);
}

/** Where the server stands between its versions. */
function Standing({ value }: { value: Versions }): JSX.Element {
	return (
		<>
			{value.held_at === undefined ? null : (
				<p class="note">
					It is held at version {value.held_at}, though the configuration says otherwise. Deploy to
					follow the configuration again.
				</p>
			)}
			{value.rollout === undefined ? null : (
				<p class="note">
					Version {value.rollout.version} is on its way: {value.rollout.state}.
				</p>
			)}
			{value.forks.length === 0 ? null : (
				<p>
					Forks:{" "}
					{value.forks.map((fork) => (
						<a key={fork} href={linkTo("servers", fork)}>
							{fork}{" "}
						</a>
					))}
				</p>
			)}
		</>
	);
}

function BackConfirm(props: {
	number: number;
	rollback: Action<number>;
	onClose(): void;
}): JSX.Element {
	const { number, rollback, onClose } = props;
	return (
		<Confirm
			title={`Go back to version ${number}?`}
			verb="Go back"
			busy={rollback.busy}
			problem={rollback.problem}
			onConfirm={() => void rollback.run(number)}
			onClose={onClose}
		>
			<p>
				Version {number} is started beside the one that runs, and takes its place once it answers.
				Calls that run now finish where they are. It stays until the next deploy.
			</p>
		</Confirm>
	);
}

const tones: Readonly<Record<string, string>> = { active: "ok", trial: "warn", failed: "bad" };

function VersionCard(props: {
	version: Version;
	why_not: string | undefined;
	onBack(): void;
}): JSX.Element {
	const { version, why_not, onBack } = props;
	const { package: found } = version;
	return (
		<section class="card">
			<header>
				<h2>Version {version.number}</h2>
				<div class="row">
					<Badge tone={tones[version.state] ?? ""}>{version.state}</Badge>
					<Button kind="quiet" why_not={why_not} onClick={onBack}>
						Roll back to it
					</Button>
				</div>
			</header>
			<p class="muted small">
				{dateTime(version.created_at_ms)}, by {version.source}
				{found === undefined
					? ""
					: `, ${found.name}${found.version === undefined ? "" : `@${found.version}`}`}
			</p>
			{version.reason === undefined ? null : <p>{plain(version.reason, 600)}</p>}
			<Diff title="How it is run otherwise" lines={version.differences ?? []} />
			<Diff title="What it offers otherwise" lines={version.changes} />
		</section>
	);
}

/** What differs from the version before; nothing where nothing does. */
function Diff({ title, lines }: { title: string; lines: readonly string[] }): JSX.Element | null {
	if (lines.length === 0) return null;
	return (
		<div class="stack tight">
			<h3>{title}</h3>
			<ul>
				{lines.map((line) => (
					<li key={line} class="diff-line">
						{plain(line, 400)}
					</li>
				))}
			</ul>
		</div>
	);
}

function ForkDialog({ name, onClose, onDone }: VersionDialogProps): JSX.Element {
	const [copy, setCopy] = useState("");
	const fork = useAction(async () => {
		const body = copy.trim() === "" ? {} : { name: copy.trim() };
		const made = await call("forkServer", { path: { name }, body });
		tell(`The copy is at ${made.url}.`);
		onDone();
		onClose();
	});
	const { at, rest } = placed(fork.problem, ["name"], { server_exists: "name" });
	return (
		<FormDialog
			title={`Fork ${name}`}
			verb="Fork"
			busy={fork.busy}
			problem={rest}
			onSubmit={() => void fork.run()}
			onClose={onClose}
		>
			<p>
				Its active version and its volumes are copied to an address of their own. Promote the copy
				later to put it in the place of {name}.
			</p>
			<Line label="Name of the copy" optional error={at.name} value={copy} onChange={setCopy} />
		</FormDialog>
	);
}
