import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { plain, relative } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { useSession, whyNot } from "../lib/session.ts";
import { Button, Dialog, Field, Problem } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";

/** Switches a server off for everybody, at once. */
export function KillButton({ name, words }: { name: string; words?: boolean }): JSX.Element {
	const why_not = whyNot(useSession(), "operator");
	const [asked, setAsked] = useState(false);
	const [reason, setReason] = useState("");
	const kill = useAction(async () => {
		await call("kill", { body: { kind: "server", name, reason: reason.trim() } });
		tell(`${name} is switched off.`);
		setAsked(false);
	});
	return (
		<>
			<Button
				icon="kill"
				kind="quiet"
				label={`Switch off ${name}`}
				why_not={why_not}
				onClick={() => setAsked(true)}
			>
				{words === true ? "Switch off" : undefined}
			</Button>
			{asked ? (
				<Dialog title={`Switch ${name} off?`} onClose={() => setAsked(false)}>
					<p>
						Every call to it is refused from now on, for everybody, and what is in flight is
						cancelled. It stays off over restarts, until somebody switches it on again.
					</p>
					<Field
						label="Reason"
						hint="Told to whoever is refused."
						control={(attributes) => (
							<input
								{...attributes}
								value={reason}
								onInput={(event) => setReason(event.currentTarget.value)}
							/>
						)}
					/>
					<Problem problem={kill.problem} />
					<div class="row end">
						<Button onClick={() => setAsked(false)}>Cancel</Button>
						<Button
							kind="danger"
							busy={kill.busy}
							why_not={reason.trim() === "" ? "Say why first." : undefined}
							onClick={() => void kill.run()}
						>
							Switch off
						</Button>
					</div>
				</Dialog>
			) : null}
		</>
	);
}

/** What is switched off now, and the way to switch it on again. */
export function KillSwitches(): JSX.Element | null {
	const { value, problem, reload } = useQuery("listKillSwitches", { on: ["kill_switch"] });
	const why_not = whyNot(useSession(), "operator");
	const lift = useAction(async (one: KillSwitch) => {
		await call("unkill", { path: { id: one.id } });
		tell(`${one.id} is switched on again.`);
		reload();
	});
	if (problem !== undefined) return <Problem problem={problem} />;
	if (value === undefined || value.kill_switches.length === 0) return null;
	return (
		<section class="problem" aria-label="What is switched off">
			<Problem problem={lift.problem} />
			{value.kill_switches.map((one) => (
				<div class="row" key={one.id}>
					<span class="grow">
						<strong>{plain(one.id, 200)}</strong> is switched off, by {plain(one.set_by)}{" "}
						{relative(one.set_at_ms, now())}: {plain(one.reason, 300)}
					</span>
					<Button why_not={why_not} busy={lift.busy} onClick={() => void lift.run(one)}>
						Switch on
					</Button>
				</div>
			))}
		</section>
	);
}

type KillSwitch = Reply<"listKillSwitches">["kill_switches"][number];
