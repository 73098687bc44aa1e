import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { now } from "../lib/clock.ts";
import { placed } from "../lib/fields.ts";
import { counted, plain, relative } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { useSession, whyNot } from "../lib/session.ts";
import { FormDialog } from "../ui/form-dialog.tsx";
import { Line } from "../ui/line.tsx";
import { ListTools, More, useListed } from "../ui/listed.tsx";
import { Badge, Button, Empty, Field, Loading, PageHead, Problem } from "../ui/parts.tsx";
import { tell } from "../ui/toasts.tsx";

type Alert = Reply<"listAlerts">["alerts"][number];

const hour_ms = 3_600_000;

/** What is wrong, or was, before anybody had to notice. */
export function AlertsPage(): JSX.Element {
	const { value, problem, reload } = useQuery("listAlerts", { on: ["alert"], every_ms: 30_000 });
	const why_not = whyNot(useSession(), "operator");
	const [silencing, setSilencing] = useState<Alert | undefined>(undefined);
	const end = useAction(async (id: string) => {
		await call("endSilence", { path: { id } });
		reload();
	});
	const open = value?.alerts.filter(({ state }) => state !== "resolved") ?? [];
	const over = value?.alerts.filter(({ state }) => state === "resolved") ?? [];
	return (
		<>
			<PageHead title="Alerts" about="What the gateway finds wrong by itself.">
				<TestButton why_not={why_not} />
			</PageHead>
			<div class="stack">
				<Problem problem={problem ?? end.problem} />
				{value === undefined && problem === undefined ? <Loading /> : null}
				{value !== undefined && open.length === 0 ? (
					<Empty title="All is well">
						<p>
							Error rates, latency, unknown tools, crash loops and more are watched from the start.
						</p>
					</Empty>
				) : null}
				{open.map((alert) => (
					<AlertCard
						key={alert.id}
						alert={alert}
						why_not={why_not}
						onSilence={() => setSilencing(alert)}
					/>
				))}
				{value === undefined || value.silences.length === 0 ? null : (
					<section class="card">
						<h2>Silenced</h2>
						{value.silences.map((one) => (
							<div class="row" key={one.id}>
								<span class="grow">
									{plain(one.rule)} of {plain(one.subject)}, by {plain(one.created_by)}, ends{" "}
									{relative(one.until_ms, now())}. {plain(one.reason, 300)}
								</span>
								<Button kind="quiet" why_not={why_not} onClick={() => void end.run(one.id)}>
									End it
								</Button>
							</div>
						))}
					</section>
				)}
				{over.length === 0 ? null : <Past alerts={over} />}
			</div>
			{silencing === undefined ? null : (
				<SilenceDialog alert={silencing} onClose={() => setSilencing(undefined)} onDone={reload} />
			)}
		</>
	);
}

const tones: Readonly<Record<string, string>> = { info: "", warning: "warn", critical: "bad" };

interface AlertCardProps {
	readonly alert: Alert;
	readonly why_not: string | undefined;
	onSilence(): void;
}

function AlertCard({ alert, why_not, onSilence }: AlertCardProps): JSX.Element {
	return (
		<section class="card" aria-label={`${alert.rule} of ${alert.subject}`}>
			<header>
				<h2>{plain(alert.summary, 300)}</h2>
				<div class="row">
					<Badge tone={tones[alert.severity] ?? ""}>{alert.severity}</Badge>
					<Badge tone={alert.state}>{alert.silenced ? "silenced" : alert.state}</Badge>
				</div>
			</header>
			<p class="muted small">
				{plain(alert.rule)} of {plain(alert.subject, 120)}, since {relative(alert.since_ms, now())}.{" "}
				{alert.told === 0
					? "Nobody was told yet."
					: `People were told ${counted(alert.told, "time")}.`}
			</p>
			<div>
				<Button why_not={why_not} onClick={onSilence}>
					Silence it
				</Button>
			</div>
		</section>
	);
}

function wordsOf({ rule, subject, summary }: Alert): string {
	return [rule, subject, summary].join(" ");
}

function Past({ alerts }: { alerts: readonly Alert[] }): JSX.Element {
	const list = useListed(alerts, wordsOf);
	return (
		<section class="card" aria-label="Over">
			<h2>Over</h2>
			<ListTools list={list} what="alerts" label="Find an alert" />
			<ul class="stack tight">
				{list.shown.map((one) => (
					<li class="row" key={one.id}>
						<Badge tone="">{plain(one.rule)}</Badge>
						<span class="grow">{plain(one.summary, 200)}</span>
						<span class="muted small">{relative(one.since_ms, now())}</span>
					</li>
				))}
			</ul>
			<More list={list} />
		</section>
	);
}

function SilenceDialog(props: { alert: Alert; onClose(): void; onDone(): void }): JSX.Element {
	const { alert, onClose, onDone } = props;
	const [hours, setHours] = useState("1");
	const [reason, setReason] = useState("");
	const silence = useAction(async () => {
		const body = {
			rule: alert.rule,
			subject: alert.subject,
			for_ms: Number(hours) * hour_ms,
			...(reason.trim() === "" ? {} : { reason: reason.trim() }),
		};
		await call("silenceAlerts", { body });
		tell("Nobody is told of it for now.");
		onDone();
		onClose();
	});
	const { at, rest } = placed(silence.problem, ["for_ms", "reason"]);
	return (
		<FormDialog
			title="Silence this alert"
			verb="Silence it"
			busy={silence.busy}
			problem={rest}
			onSubmit={() => void silence.run()}
			onClose={onClose}
		>
			<p>It stays on this page, but nobody is told of it meanwhile.</p>
			<Field
				label="For how long"
				error={at.for_ms}
				control={(attributes) => (
					<select
						{...attributes}
						value={hours}
						onChange={(event) => setHours(event.currentTarget.value)}
					>
						<option value="1">An hour</option>
						<option value="8">Eight hours</option>
						<option value="24">A day</option>
						<option value="168">A week</option>
					</select>
				)}
			/>
			<Line label="Reason" optional error={at.reason} value={reason} onChange={setReason} />
		</FormDialog>
	);
}

function TestButton({ why_not }: { why_not: string | undefined }): JSX.Element {
	const test = useAction(async () => {
		const { channels } = await call("testAlerts");
		if (channels.length === 0)
			tell("There is no channel yet: set one under `alerts` in the configuration.");
		for (const { channel, told, problem } of channels) {
			tell(told ? `${channel} was told.` : `${channel} was not told: ${problem ?? "unknown"}`);
		}
	});
	return (
		<Button why_not={why_not} busy={test.busy} onClick={() => void test.run()}>
			Test the channels
		</Button>
	);
}
