import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { call, type Reply } from "../lib/api.ts";
import { dateTime, plain } from "../lib/format.ts";
import { useAction, useQuery } from "../lib/query.ts";
import { linkTo } from "../lib/router.ts";
import { useSession, whyNot } from "../lib/session.ts";
import { Badge, Button, Copyable, Facts, PageHead, Problem } from "../ui/parts.tsx";

/** What the audit holds, and whether it is whole. */
export function AuditPage(): JSX.Element {
	const session = useSession();
	const { value, problem } = useQuery("getEvidence", { every_ms: 10_000 });
	const [found, setFound] = useState<Reply<"verifyAudit"> | undefined>(undefined);
	const verify = useAction(async () => setFound(await call("verifyAudit")));
	const audit = value?.audit;
	return (
		<>
			<PageHead title="Audit" about="What cannot be changed afterwards without being found.">
				<Button
					kind="main"
					busy={verify.busy}
					why_not={
						whyNot(session, "auditor") ?? (audit === undefined ? "The audit is off." : undefined)
					}
					onClick={() => void verify.run()}
				>
					{verify.busy ? "Checking every entry…" : "Verify it"}
				</Button>
			</PageHead>
			<div class="stack">
				<Problem problem={problem ?? verify.problem} />
				{found === undefined ? null : <Verdict found={found} />}
				{value === undefined ? null : (
					<div class="split">
						<section class="card">
							<h2>Audit</h2>
							{audit === undefined ? (
								<p>It is off. Calls are in the history, without payloads.</p>
							) : (
								<Facts
									rows={[
										["Mode", audit.mode],
										["Entries", String(audit.entries)],
										["Lost entries", String(audit.entries_lost)],
										["Lost payloads", String(audit.payloads_lost)],
										["Fails with", audit.failing],
										["Public key", <Copyable text={audit.public_key} label="the public key" />],
									]}
								/>
							)}
						</section>
						<section class="card">
							<h2>Call log</h2>
							<Facts
								rows={[
									["Lines", String(value.calls.lines)],
									["Dropped", String(value.calls.dropped)],
									["Failed", String(value.calls.failed)],
								]}
							/>
							<p class="muted small">Since the gateway started.</p>
						</section>
					</div>
				)}
			</div>
		</>
	);
}

function Verdict({ found }: { found: Reply<"verifyAudit"> }): JSX.Element {
	const { ok, problem, unknown_fates } = found;
	return (
		<section class="card" aria-live="polite">
			<header>
				<h2>{ok ? "It is whole" : "It was tampered with, or damaged"}</h2>
				<Badge tone={ok ? "ok" : "bad"}>{ok ? "verified" : (problem?.kind ?? "broken")}</Badge>
			</header>
			{problem === undefined ? null : (
				<p class="problem">
					Entry {problem.seq}, {plain(problem.segment)} line {problem.line}:{" "}
					{plain(problem.message, 600)}
				</p>
			)}
			<Facts
				rows={[
					["Entries", `${found.entries}, from ${found.first_seq} to ${found.last_seq}`],
					["Signed up to", String(found.attested_seq)],
					["Said to be lost", found.lost === 0 ? undefined : String(found.lost)],
				]}
			/>
			{unknown_fates.length === 0 ? null : (
				<div class="stack tight">
					<h3>Calls whose end nobody knows</h3>
					<ul class="stack tight">
						{unknown_fates.slice(0, 100).map(({ seq, call: id, at_ms }) => (
							<li key={seq}>
								<a href={linkTo("calls", id)}>{plain(id)}</a>{" "}
								<span class="muted">{dateTime(at_ms)}</span>
							</li>
						))}
					</ul>
				</div>
			)}
		</section>
	);
}
