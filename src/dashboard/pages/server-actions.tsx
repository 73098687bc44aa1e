import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { type ApiProblem, call, problemIn } from "../lib/api.ts";
import { plain } from "../lib/format.ts";
import { type Action, useAction } from "../lib/query.ts";
import { useSession, whyNot } from "../lib/session.ts";
import { Button, Confirm } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";
import { KillButton } from "./kill-switch.tsx";

type Deed = "wake" | "freeze" | "restart";

const deeds = {
	wake: { operation: "wakeServer", done: "is woken" },
	freeze: { operation: "freezeServer", done: "sleeps" },
	restart: { operation: "restartServer", done: "was started anew" },
} as const;

function told(name: string, { message, next }: ApiProblem): string {
	return `${name}: ${plain(message, 300)} ${plain(next, 300)}`;
}

interface ServerActionsProps {
	readonly name: string;
	readonly state: string;
	/** Whether buttons have words. */
	readonly words?: boolean;
	/** Whether a switch keeps every call from it. */
	readonly off: boolean;
	onDone(): void;
}

/** What can be done with a server right where it stands. */
export function ServerActions({
	name,
	state,
	words,
	off,
	onDone,
}: ServerActionsProps): JSX.Element {
	const why_not = whyNot(useSession(), "operator");
	const [asked, setAsked] = useState(false);
	const act = useAction(async (deed: Deed) => {
		try {
			await call(deeds[deed].operation, { path: { name } });
		} catch (error) {
			// There is no place beside these buttons: what went wrong is told where news are.
			if (deed !== "restart") tell(told(name, problemIn(error)));
			throw error;
		}
		tell(`${name} ${deeds[deed].done}.`);
		setAsked(false);
		onDone();
	});
	const perform = (deed: Deed) => void act.run(deed);
	const awake = state === "ready" || state === "starting";
	const asleep = "It is asleep or not running already.";
	return (
		<>
			<Button
				icon="wake"
				kind="quiet"
				label={`Wake ${name}`}
				why_not={why_not ?? (awake ? "It is awake already." : undefined)}
				onClick={() => perform("wake")}
			>
				{words === true ? "Wake" : undefined}
			</Button>
			<Button
				icon="freeze"
				kind="quiet"
				label={`Freeze ${name}`}
				why_not={why_not ?? (state === "ready" ? undefined : asleep)}
				onClick={() => perform("freeze")}
			>
				{words === true ? "Freeze" : undefined}
			</Button>
			<Button
				icon="restart"
				kind="quiet"
				label={`Restart ${name}`}
				why_not={why_not}
				onClick={() => setAsked(true)}
			>
				{words === true ? "Restart" : undefined}
			</Button>
			<KillButton name={name} words={words === true} off={off} />
			{asked ? (
				<RestartConfirm
					name={name}
					act={act}
					onConfirm={() => perform("restart")}
					onClose={() => setAsked(false)}
				/>
			) : null}
		</>
	);
}

function RestartConfirm(props: {
	name: string;
	act: Action<Deed>;
	onConfirm(): void;
	onClose(): void;
}): JSX.Element {
	const { name, act, onConfirm, onClose } = props;
	return (
		<Confirm
			title={`Restart ${name}?`}
			verb="Restart"
			busy={act.busy}
			problem={act.problem}
			onConfirm={onConfirm}
			onClose={onClose}
		>
			<p>
				What runs of it is ended, after its calls had time to finish, and started anew. What is in
				its memory alone is lost; its volume stays.
			</p>
		</Confirm>
	);
}
