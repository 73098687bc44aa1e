import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { bytes, dateTime, duration, plain, plainLines } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { linkTo } from "../lib/router.ts";
import { useSession, whyNot } from "../lib/session.ts";
import { Badge, Button, Copyable, Facts, Loading, PageHead, Problem } from "../ui/parts.tsx";

type CallLine = Reply<"getCall">;

const payload_chars_max = 200_000;

/** The story of one call, from the client to the server and back. */
export function CallPage({ id }: { id: string }): JSX.Element {
	const { value, problem } = useQuery("getCall", { path: { id } });
	return (
		<>
			<p class="small">
				<a href={linkTo("calls")}>Calls</a>
			</p>
			<PageHead
				title={value === undefined ? "Call" : titleOf(value)}
				about={value && about(value)}
			/>
			{value === undefined && problem === undefined ? <Loading /> : null}
			<Problem problem={problem} />
			{value === undefined ? null : <Story line={value} />}
		</>
	);
}

function titleOf({ tool, name, method, server }: CallLine): string {
	const what = tool ?? name;
	return plain(what === null ? method : `${server ?? ""} ${what}`, 150);
}

function about(line: CallLine): JSX.Element {
	return (
		<>
			<Badge tone={line.status === "ok" ? "ok" : line.status}>{line.code ?? line.status}</Badge>{" "}
			{dateTime(Date.parse(line.ts))}, {duration(line.duration_ms)}
		</>
	);
}

function Story({ line }: { line: CallLine }): JSX.Element {
	return (
		<div class="stack">
			{line.error === null ? null : (
				<div class="problem">
					<strong>{plain(line.error, 1_000)}</strong>
					{line.error_id === null ? null : <p>In the gateway's log under {line.error_id}.</p>}
				</div>
			)}
			<section class="card">
				<h2>Where the time went</h2>
				<Waterfall line={line} />
			</section>
			<div class="split">
				<section class="card">
					<h2>Client</h2>
					<Facts
						rows={[
							["Requests", line.requests === 1 ? undefined : String(line.requests)],
							["Person", personOf(line)],
							["Made by", line.made_by === null ? undefined : plain(line.made_by)],
							["Client", plain(line.client_id ?? "not authenticated")],
							["Calls itself", plain(namesOf(line), 120)],
							["Speaks", speaksOf(line)],
							["Address", plain(line.endpoint)],
							["Session", line.session_id ?? undefined],
							["Decision", decisionOf(line)],
							["Approval", approvalOf(line)],
						]}
					/>
				</section>
				<section class="card">
					<h2>Server</h2>
					<Facts
						rows={[
							["Server", serverOf(line)],
							["Version", line.version ?? undefined],
							["Instance", line.instance ?? undefined],
							["Speaks", line.upstream_revision ?? undefined],
							["Risk", line.risk ?? undefined],
							["In and out", `${bytes(line.input_bytes)}, ${bytes(line.output_bytes)}`],
							["Trace", <Copyable text={line.trace_id} label="the trace id" />],
						]}
					/>
				</section>
			</div>
			<Payload id={line.id} />
		</div>
	);
}

/** Who called; of a request that was refused at the door it may be unknown. */
function personOf({ tenant_id, user }: CallLine): string {
	return tenant_id === null || user === null ? "unknown" : `${plain(tenant_id)}/${plain(user)}`;
}

function namesOf({ client_name, client_version }: CallLine): string {
	return client_name === null ? "unknown" : `${client_name} ${client_version ?? ""}`;
}

function speaksOf({ client_revision, client_era }: CallLine): string | undefined {
	return client_revision === null ? undefined : plain(`${client_revision} (${client_era})`);
}

function decisionOf({ decision, rule }: CallLine): string | undefined {
	if (decision === null) return undefined;
	return rule === null ? decision : `${decision}, by ${plain(rule, 120)}`;
}

function approvalOf({ approval_id }: CallLine): JSX.Element | undefined {
	if (approval_id === null) return undefined;
	return <a href={linkTo("approvals", approval_id)}>{plain(approval_id)}</a>;
}

function serverOf({ server }: CallLine): JSX.Element | string {
	return server === null ? "none alone" : <a href={linkTo("servers", server)}>{plain(server)}</a>;
}

/** The parts of a call, one after the other, as bars of one scale. */
function Waterfall({ line }: { line: CallLine }): JSX.Element {
	const { policy_ms, approval_ms, queue_ms, wake_ms, audit_ms, upstream_ms, duration_ms } = line;
	const known = policy_ms + approval_ms + queue_ms + wake_ms + audit_ms + upstream_ms;
	const steps = [
		["Policy", policy_ms],
		["Waiting for a person", approval_ms],
		["Waiting in line", queue_ms],
		["Start or wake", wake_ms],
		["Written to the audit", audit_ms],
		["The server", upstream_ms],
		["Moorage itself", Math.max(0, duration_ms - known)],
	] as const;
	const whole = Math.max(duration_ms, known, 0.001);
	let begin = 0;
	return (
		<div class="waterfall">
			{steps.map(([title, took_ms]) => {
				const x = (begin / whole) * 100;
				begin += took_ms;
				return (
					<div class="step" key={title}>
						<span>{title}</span>
						<svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
							<rect x={x} y="0" width={Math.max(0.4, (took_ms / whole) * 100)} height="10" />
						</svg>
						<span class="num">{duration(took_ms)}</span>
					</div>
				);
			})}
		</div>
	);
}

/** What went in and out, for those who may; whoever looks is written down. */
function Payload({ id }: { id: string }): JSX.Element {
	const why_not = whyNot(useSession(), "auditor");
	const [found, setFound] = useState<Reply<"getCallPayload"> | undefined>(undefined);
	const look = useAction(async () => setFound(await call("getCallPayload", { path: { id } })));
	return (
		<section class="card">
			<h2>Payload</h2>
			<Problem problem={look.problem} />
			{found === undefined ? (
				<>
					<p class="muted">
						It is kept encrypted in the audit. That you read it is written down there.
					</p>
					<div>
						<Button busy={look.busy} why_not={why_not} onClick={() => void look.run()}>
							Read it
						</Button>
					</div>
				</>
			) : (
				<>
					<Sealed title="In" payload={found.input} />
					<Sealed title="Out" payload={found.output} />
				</>
			)}
		</section>
	);
}

function Sealed(props: { title: string; payload: Reply<"getCallPayload">["input"] }): JSX.Element {
	const { title, payload } = props;
	return (
		<div class="stack tight">
			<h3>{title}</h3>
			{payload.kind === "text" ? (
				<pre tabIndex={0} aria-label={title}>
					{plainLines(payload.text, payload_chars_max)}
				</pre>
			) : payload.kind === "base64" ? (
				<p>{payload.base64.length} characters of base64, which are no text.</p>
			) : (
				<p class="muted">
					{payload.kind === "erased" ? "Erased: its key was destroyed." : "Nothing was kept."}
				</p>
			)}
		</div>
	);
}
