import type { JSX } from "preact";
import type { Reply } from "../lib/api.ts";
import { plain } from "../lib/format.ts";
import { useQuery } from "../lib/query.ts";
import { linkTo } from "../lib/router.ts";
import { Badge, Loading, Problem } from "../ui/parts.tsx";

type Row = Reply<"getChecklist">["rows"][number];

const words: Readonly<Record<Row["status"], readonly [tone: string, word: string]>> = {
	ok: ["ok", "Fine"],
	missing: ["warn", "Missing"],
	no_go: ["bad", "No-go"],
};
const order: readonly Row["status"][] = ["no_go", "missing", "ok"];

/** Whether others may be let in: what `moorage checklist` says, the gravest first. */
export function Checklist(): JSX.Element {
	const { value, problem } = useQuery("getChecklist", { on: ["reloaded", "state"] });
	if (value === undefined)
		return problem === undefined ? (
			<Loading what="Going through the list" />
		) : (
			<Problem problem={problem} />
		);
	const subjects = [...new Set(value.rows.map(({ server }) => server))];
	return (
		<section class="stack" aria-label="Launch checklist">
			<h2>Before others are let in</h2>
			<p role="status">{verdictOf(value)}</p>
			{subjects.map((server) => (
				<Subject
					key={server ?? ""}
					server={server}
					rows={value.rows.filter((row) => row.server === server)}
				/>
			))}
		</section>
	);
}

function verdictOf({ no_go, missing }: { no_go: number; missing: number }): string {
	if (no_go > 0) {
		const signs = no_go === 1 ? "One no-go sign stands" : `${no_go} no-go signs stand`;
		return `${signs}: with the profile \`public\` the gateway would not start.`;
	}
	if (missing === 0) return "Everything on the list is there.";
	return `Nothing stands against it; ${missing} ${missing === 1 ? "thing is" : "things are"} missing.`;
}

interface SubjectProps {
	readonly server: string | undefined;
	readonly rows: readonly Row[];
}

function Subject({ server, rows }: SubjectProps): JSX.Element {
	const sorted = rows.toSorted((a, b) => order.indexOf(a.status) - order.indexOf(b.status));
	const open = sorted.filter(({ status }) => status !== "ok").length;
	const title = server === undefined ? "The gateway" : plain(server, 100);
	return (
		<details class="card" open={server === undefined || sorted[0]?.status === "no_go"}>
			<summary>
				{title}{" "}
				<span class="muted">
					{rows.length - open} of {rows.length} are fine
				</span>
			</summary>
			<ul class="stack tight">
				{sorted.map((row) => {
					const [tone, word] = words[row.status];
					return (
						<li key={row.id}>
							<p>
								<Badge tone={tone}>{word}</Badge> <strong>{plain(row.title, 300)}</strong>
							</p>
							<p class="small">{plain(row.evidence, 800)}</p>
							{row.next === undefined ? null : <p class="note small">{plain(row.next, 800)}</p>}
						</li>
					);
				})}
			</ul>
			{server === undefined ? null : (
				<p>
					<a href={linkTo("servers", server, "settings")}>
						Its settings<span class="sr"> of {title}</span>
					</a>
				</p>
			)}
		</details>
	);
}
