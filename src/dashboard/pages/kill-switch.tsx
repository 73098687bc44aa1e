import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { placed } from "../lib/fields.ts";
import { plain, relative } from "../lib/format.ts";
import { type Query, useAction, useQuery } from "../lib/query.ts";
import { useSession, whyNot } from "../lib/session.ts";
import { FormDialog } from "../ui/form-dialog.tsx";
import { Line } from "../ui/line.tsx";
import { Button, Problem } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";

interface KillProps {
	/** What it is; a server where nothing is said. */
	readonly kind?: "server" | "tenant";
	readonly name: string;
	/** Whether the button says so, beside its sign. */
	readonly words?: boolean;
	/** Whether it is switched off already. */
	readonly off?: boolean;
}

const consequences = {
	server: "Every call to it is refused from now on, for everybody",
	tenant: "Every call of its people is refused from now on, whatever they come with",
} as const;

/** Switches a server off for everybody, or a tenant off for everything, at once. */
export function KillButton({ kind = "server", name, words, off }: KillProps): JSX.Element {
	const is_off = off === true ? "It is switched off already." : undefined;
	const why_not = whyNot(useSession(), "operator") ?? is_off;
	const [asked, setAsked] = useState(false);
	const [reason, setReason] = useState("");
	const kill = useAction(async () => {
		await call("kill", { body: { kind, name, reason: reason.trim() } });
		tell(`${name} is switched off.`);
		setAsked(false);
	});
	const { at, rest } = placed(kill.problem, ["reason"]);
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
				<FormDialog
					title={`Switch ${name} off?`}
					verb="Switch off"
					kind="danger"
					busy={kill.busy}
					why_not={reason.trim() === "" ? "Say why first." : undefined}
					problem={rest}
					onSubmit={() => void kill.run()}
					onClose={() => setAsked(false)}
				>
					<p>
						{consequences[kind]}, and what is in flight is cancelled. It stays off over restarts,
						until somebody switches it on again.
					</p>
					<Line
						label="Reason"
						hint="Told to whoever is refused."
						error={at.reason}
						value={reason}
						onChange={setReason}
					/>
				</FormDialog>
			) : null}
		</>
	);
}

/** What is switched off now. */
export function useKillSwitches(): Query<Reply<"listKillSwitches">> {
	return useQuery("listKillSwitches", { on: ["kill_switch"] });
}

/** The names of the servers among what is switched off. */
export function serversOff({ value }: ReturnType<typeof useKillSwitches>): ReadonlySet<string> {
	const switches = value?.kill_switches ?? [];
	return new Set(switches.flatMap(({ kind, name }) => (kind === "server" ? (name ?? []) : [])));
}

interface SwitchesProps {
	readonly query: ReturnType<typeof useKillSwitches>;
	/** The server that is looked at; all of them where none is. */
	readonly server?: string;
}

/** What is switched off now, and the way to switch it on again. */
export function KillSwitches({ query, server }: SwitchesProps): JSX.Element | null {
	const { value, problem, reload } = query;
	if (problem !== undefined) return <Problem problem={problem} />;
	const shown = (value?.kill_switches ?? []).filter(
		({ kind, name }) => server === undefined || (kind === "server" && name === server),
	);
	if (shown.length === 0) return null;
	return (
		<section class="problem" aria-label="What is switched off">
			{shown.map((one) => (
				<div class="row" key={one.id}>
					<span class="grow">
						<strong>{plain(one.id, 200)}</strong> is switched off, by {plain(one.set_by)}{" "}
						{relative(one.set_at_ms, now())}: {plain(one.reason, 300)}
					</span>
					<LiftButton id={one.id} onDone={reload} />
				</div>
			))}
		</section>
	);
}

/** Switches something on again. */
export function LiftButton({ id, onDone }: { id: string; onDone?(): void }): JSX.Element {
	const why_not = whyNot(useSession(), "operator");
	const lift = useAction(async () => {
		await call("unkill", { path: { id } });
		tell(`${id} is switched on again.`);
		onDone?.();
	});
	return (
		<div>
			<Problem problem={lift.problem} />
			<Button why_not={why_not} busy={lift.busy} onClick={() => void lift.run()}>
				Switch on
			</Button>
		</div>
	);
}
