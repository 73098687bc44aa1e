import type { JSX } from "preact";
import { duration, plain } from "../lib/format.ts";
import { useQuery } from "../lib/query.ts";
import { Badge, Button, Facts, Loading, PageHead, Problem } from "../ui/parts.tsx";
import { Checklist } from "./checklist.tsx";

const words: Readonly<Record<string, string>> = {
	ok: "Fine",
	limited: "Limited",
	missing: "Missing",
};

/** What the gateway's machine can and cannot do: what `moorage doctor` says. */
export function HealthPage(): JSX.Element {
	const { value, problem, loading, reload } = useQuery("getDoctor");
	const status = useQuery("getStatus");
	return (
		<>
			<PageHead title="Health" about="What this installation can do, and what it lacks.">
				<Button busy={loading} onClick={reload}>
					Look again
				</Button>
			</PageHead>
			<div class="stack">
				{status.value === undefined ? null : (
					<section class="card">
						<h2>This gateway</h2>
						<Facts
							rows={[
								["Version", status.value.version],
								["Address", status.value.url],
								["Runs for", duration(status.value.uptime_ms)],
								["Process", String(status.value.pid)],
								["State folder", <code>{status.value.data}</code>],
								[
									"Configuration",
									status.value.config === undefined ? "none" : <code>{status.value.config}</code>,
								],
								["Sessions of clients", String(status.value.sessions)],
							]}
						/>
					</section>
				)}
				<h2>What this machine can do</h2>
				<Problem problem={problem} />
				{value === undefined && problem === undefined ? (
					<Loading what="Looking at the machine" />
				) : null}
				<div class="cards">
					{value?.checks.map((check) => (
						<section class="card" key={check.name}>
							<header>
								<h3>{plain(check.name)}</h3>
								<Badge tone={check.status}>{words[check.status] ?? check.status}</Badge>
							</header>
							<p>{plain(check.summary, 800)}</p>
							{check.next === undefined ? null : <p class="note">{plain(check.next, 800)}</p>}
						</section>
					))}
				</div>
				<Checklist />
			</div>
		</>
	);
}
