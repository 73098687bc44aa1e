import type { JSX } from "preact";
import type { Reply } from "../lib/api.ts";
import { plain } from "../lib/format.ts";
import { useQuery } from "../lib/query.ts";
import { ask, linkTo, placeOf } from "../lib/router.ts";
import { Badge, Button, Empty, Loading, Problem } from "../ui/parts.tsx";
import { AskFirst } from "./ask-first.tsx";

type Access = Reply<"getServerAccess">;
type AccessTool = Access["tools"][number];
type Caller = NonNullable<Access["callers"]>[number];

/** Who may call a server's tools, by the rules; what only a call can tell is said to be so. */
export function AccessTab({ name }: { name: string }): JSX.Element {
	const chosen = placeOf(window.location.hash).query.get("tool") ?? undefined;
	const { value, problem } = useQuery("getServerAccess", { path: { name }, on: ["reloaded"] });
	if (value === undefined)
		return problem === undefined ? <Loading /> : <Problem problem={problem} />;
	return (
		<div class="stack">
			<section class="card">
				<h2>By default</h2>
				<p>
					{value.identity
						? "People are told apart here."
						: "There is no identity: everybody who can connect is the same person."}{" "}
					A call that no rule is about is {value.default === "allow" ? "allowed" : "denied"}.
				</p>
				{value.notes.map((note) => (
					<p class="note" key={note}>
						{plain(note, 400)}
					</p>
				))}
				<p>
					<a href={linkTo("people", "rules")}>Ask the rules about an exact call</a>
				</p>
			</section>
			{value.tools.length === 0 ? (
				<Empty title="It is not known yet what it offers">
					<p>Wake it once: its tools are known from then on.</p>
				</Empty>
			) : null}
			{value.tools.map((tool) => (
				<ToolAccess key={tool.tool} server={name} tool={tool} chosen={tool.tool === chosen} />
			))}
		</div>
	);
}

interface ToolProps {
	readonly server: string;
	readonly tool: AccessTool;
	/** Whether its callers are asked for. */
	readonly chosen: boolean;
}

function ToolAccess({ server, tool, chosen }: ToolProps): JSX.Element {
	const title = plain(tool.tool, 120);
	return (
		<section class="card" aria-label={`Who may call ${title}`}>
			<header>
				<h2 class="wrap">{title}</h2>
				<div class="row">
					{tool.offered ? null : <Badge tone="bad">not offered</Badge>}
					{tool.approval ? <Badge tone="ask">a person is asked</Badge> : null}
					<Badge tone="">{tool.risk}</Badge>
					{tool.approval ? null : <AskFirst server={server} tool={tool.tool} />}
					<Button pressed={chosen} onClick={() => ask({ tool: chosen ? undefined : tool.tool })}>
						Who may call it?<span class="sr"> {title}</span>
					</Button>
				</div>
			</header>
			{tool.offered ? null : (
				<p>
					The server's <code>tools</code> in the configuration leave it out, so nobody sees it.
				</p>
			)}
			{tool.scopes.length === 0 ? null : (
				<p class="small">A token needs the scopes {plain(tool.scopes.join(" "), 300)}.</p>
			)}
			{tool.rules.length > 0 ? null : (
				<p class="muted small">
					{tool.approval
						? "No rule is about it; its settings have a person asked."
						: "No rule is about it."}
				</p>
			)}
			{tool.rules.map((rule) => (
				<div class="stack tight" key={`${rule.line}-${rule.name}`}>
					<p class="small">
						<strong>{plain(rule.name)}</strong>, line {rule.line}: {outcomeOf(rule)}
					</p>
					{rule.when === undefined ? null : <code>{plain(rule.when, 1_000)}</code>}
				</div>
			))}
			{chosen ? <Callers server={server} tool={tool.tool} /> : null}
		</section>
	);
}

function outcomeOf({ when, then, else: otherwise, looks_at }: AccessTool["rules"][number]): string {
	if (when === undefined) return `${then}, always.`;
	const args = looks_at.includes("args") ? " It looks at the arguments of each call." : "";
	return `${then} where this is true, else ${otherwise}.${args}`;
}

const answers: Readonly<Record<Caller["answer"], readonly [tone: string, word: string]>> = {
	yes: ["ok", "Yes"],
	no: ["bad", "No"],
	asks: ["ask", "Once a person agrees"],
	depends: ["warn", "It depends"],
};

/** Read for themselves, so that everything around them stays while they are. */
function Callers({ server, tool }: { server: string; tool: string }): JSX.Element {
	const { value, problem } = useQuery("getServerAccess", {
		path: { name: server },
		query: { tool },
		on: ["reloaded"],
	});
	if (value === undefined)
		return problem === undefined ? <Loading /> : <Problem problem={problem} />;
	return (
		<div class="table-box" tabIndex={0} role="region" aria-label="Callers">
			<table>
				<thead>
					<tr>
						<th scope="col">Who</th>
						<th scope="col">Roles</th>
						<th scope="col">May call it</th>
						<th scope="col">Why</th>
					</tr>
				</thead>
				<tbody>
					{value.callers?.map((caller) => {
						const [tone, word] = answers[caller.answer];
						return (
							<tr key={`${caller.kind}-${caller.name}`}>
								<td class="wrap">
									{caller.kind === "key" ? "the key " : ""}
									{plain(caller.name)}
								</td>
								<td class="wrap">{plain(caller.roles.join(", ") || "–")}</td>
								<td>
									<Badge tone={tone}>{word}</Badge>
								</td>
								<td class="wrap small">
									{caller.because.map((one) => plain(one, 400)).join(" ") ||
										"Nothing is against it."}
								</td>
							</tr>
						);
					})}
				</tbody>
			</table>
		</div>
	);
}
