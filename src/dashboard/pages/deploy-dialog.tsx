import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { placed } from "../lib/fields.ts";
import { plain } from "../lib/format.ts";
import { useAction } from "../lib/query.ts";
import { FormDialog } from "../ui/form-dialog.tsx";
import { Button, Field } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";

type Deployed = Reply<"deployServer">;

/** What a dialog about the versions of a server is given. */
export interface VersionDialogProps {
	readonly name: string;
	onClose(): void;
	onDone(): void;
}

const outcomes: Readonly<Record<Deployed["state"], string>> = {
	checking: "is being started.",
	held: "is ready and waits for you to promote it.",
	sharing: "has its share of the calls and is watched.",
	live: "takes all calls.",
	failed: "did not take over.",
	planned: "was only looked at.",
};

interface DeployDialogProps extends VersionDialogProps {
	/** Whether a version is on its way already: there is room for one. */
	readonly on_its_way: boolean;
}

/** What is chosen, and what can be done with it. */
function useDeploy({ name, onClose, onDone }: VersionDialogProps) {
	const [update, setUpdate] = useState(false);
	const [how, setHow] = useState("all");
	const [percent, setPercent] = useState("10");
	const [seen, setSeen] = useState<Deployed | undefined>(undefined);
	const share = Number(percent);
	const wrong = how === "share" && !(Number.isInteger(share) && share >= 1 && share <= 100);
	const newest = update ? { update } : {};
	const look = useAction(async () => {
		deploy.clear();
		setSeen(undefined);
		const body = { ...newest, plan: true };
		setSeen(await call("deployServer", { path: { name }, body }));
	});
	const deploy = useAction(async () => {
		look.clear();
		const takes = how === "hold" ? { hold: true } : how === "share" ? { percent: share } : {};
		const body = { ...newest, ...takes };
		const { version, state } = await call("deployServer", { path: { name }, body });
		tell(`Version ${version} ${outcomes[state]}`);
		onDone();
		onClose();
	});
	/** Another package is another question. */
	const choose = (newest_wanted: boolean) => {
		setUpdate(newest_wanted);
		setSeen(undefined);
		look.clear();
		deploy.clear();
	};
	return { update, choose, how, setHow, percent, setPercent, wrong, seen, look, deploy };
}

/** Makes a new version of a server; what it would change can be looked at beforehand. */
export function DeployDialog(props: DeployDialogProps): JSX.Element {
	const { name, on_its_way, onClose } = props;
	const chosen = useDeploy(props);
	const { update, wrong, seen, look, deploy } = chosen;
	const busy = look.busy || deploy.busy;
	// Without an update, there being nothing to do is about a version that is on its way.
	const { at, rest } = placed(deploy.problem ?? look.problem, ["percent", "update"], {
		...(update ? { nothing_to_do: "update" as const } : {}),
	});
	return (
		<FormDialog
			title={`Deploy ${name}`}
			verb={deploy.busy ? "Starting it…" : "Deploy"}
			busy={busy}
			why_not={wrong ? "Correct the percentage first." : undefined}
			problem={rest}
			more={
				<Button
					busy={busy}
					why_not={
						on_its_way ? "A version is on its way: promote it, or go back first." : undefined
					}
					onClick={() => void look.run()}
				>
					{look.busy ? "Trying it…" : "See what changes"}
				</Button>
			}
			onSubmit={() => void deploy.run()}
			onClose={onClose}
		>
			<p>
				A new version is made from the configuration. It starts beside the one that runs and has to
				answer before it gets any calls.
			</p>
			<Choices chosen={chosen} at={at} />
			<div aria-live="polite">{seen === undefined ? null : <Preview seen={seen} />}</div>
		</FormDialog>
	);
}

interface ChoicesProps {
	readonly chosen: ReturnType<typeof useDeploy>;
	/** What is wrong, at its field. */
	readonly at: { readonly percent?: string; readonly update?: string };
}

function Choices({ chosen, at }: ChoicesProps): JSX.Element {
	const { update, choose, how, setHow, percent, setPercent, wrong } = chosen;
	return (
		<>
			<Field
				label="Package or image"
				error={at.update}
				control={(attributes) => (
					<select
						{...attributes}
						value={update ? "newest" : "locked"}
						onChange={(event) => choose(event.currentTarget.value === "newest")}
					>
						<option value="locked">The one that moorage.lock has</option>
						<option value="newest">The newest the command allows</option>
					</select>
				)}
			/>
			<Field
				label="How it takes over"
				control={(attributes) => (
					<select
						{...attributes}
						value={how}
						onChange={(event) => setHow(event.currentTarget.value)}
					>
						<option value="all">All calls, as soon as it answers</option>
						<option value="share">A share of the calls at first</option>
						<option value="hold">It waits until it is promoted</option>
					</select>
				)}
			/>
			{how === "share" ? (
				<Field
					label="Percent of the calls"
					error={wrong ? "A whole number from 1 to 100." : at.percent}
					control={(attributes) => (
						<input
							{...attributes}
							inputMode="numeric"
							value={percent}
							onInput={(event) => setPercent(event.currentTarget.value)}
						/>
					)}
				/>
			) : null}
		</>
	);
}

/** What a version that was tried, and ended again, would change. */
function Preview({ seen }: { seen: Deployed }): JSX.Element {
	return (
		<section class="stack tight" aria-label="What changes">
			<h3>What changes</h3>
			{seen.changes.length === 0 ? (
				<p>Nothing: it offers what the one that runs offers.</p>
			) : (
				<ul>
					{seen.changes.map((line) => (
						<li key={line} class="diff-line">
							{plain(line, 400)}
						</li>
					))}
				</ul>
			)}
			{seen.warnings.map((warning) => (
				<p class="note" key={warning}>
					{plain(warning, 600)}
				</p>
			))}
			<p class="muted small">
				It was started, compared and ended again: it would be version {seen.version}, and nothing is
				changed yet.
			</p>
		</section>
	);
}
