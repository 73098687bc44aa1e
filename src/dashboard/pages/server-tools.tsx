import type { JSX } from "preact";
import { useMemo, useState } from "preact/hooks";
import { counted, plain, plainLines } from "../lib/format.ts";
import { useQuery } from "../lib/query.ts";
import { linkTo } from "../lib/router.ts";
import { hintsOf, type Tool, toolOf, toolTitle } from "../lib/tools.ts";
import { JsonTree } from "../ui/json-tree.tsx";
import { Badge, Empty, Field, Loading, Problem } from "../ui/parts.tsx";

const description_chars_max = 20_000;

/** What a server offers: each tool with its schema, and what it costs a model to know it. */
export function ToolsTab({ name }: { name: string }): JSX.Element {
	const { value, problem } = useQuery("listTools", { path: { name }, on: ["state", "catalog"] });
	const [wanted, setWanted] = useState("");
	const tools = useMemo(() => (value?.tools ?? []).flatMap((raw) => toolOf(raw) ?? []), [value]);
	if (value === undefined)
		return problem === undefined ? <Loading /> : <Problem problem={problem} />;
	const total = tools.reduce((sum, tool) => sum + tool.tokens, 0);
	const text = wanted.toLowerCase();
	const shown = tools.filter((tool) =>
		`${tool.name} ${tool.description}`.toLowerCase().includes(text),
	);
	if (tools.length === 0) {
		return (
			<Empty title="It offers no tools">
				<p>It may offer resources or prompts, or none of them to you.</p>
			</Empty>
		);
	}
	return (
		<>
			<div class="filters">
				<Field
					label="Find a tool"
					control={(attributes) => (
						<input
							{...attributes}
							type="search"
							value={wanted}
							onInput={(event) => setWanted(event.currentTarget.value)}
						/>
					)}
				/>
				<p class="muted small" role="status">
					{counted(tools.length, "tool")}, about {counted(total, "token")} in a model's context
				</p>
			</div>
			{shown.length === 0 ? (
				<Empty title="No tool is like that">
					<p>Look for less.</p>
				</Empty>
			) : null}
			<div class="stack">
				{shown.map((tool) => (
					<ToolCard key={tool.name} server={name} tool={tool} />
				))}
			</div>
		</>
	);
}

function ToolCard({ server, tool }: { server: string; tool: Tool }): JSX.Element {
	const query = new URLSearchParams({ server, tool: tool.name }).toString();
	return (
		<section class="card">
			<header>
				<h2>{toolTitle(tool)}</h2>
				<div class="row">
					{hintsOf(tool).map((hint) => (
						<Badge key={hint} tone={hint === "may destroy" ? "bad" : ""}>
							{hint}
						</Badge>
					))}
					<Badge tone="">≈ {tool.tokens} tokens</Badge>
					<a class="button" href={`${linkTo("playground")}?${query}`}>
						Try it<span class="sr"> {plain(tool.name, 80)}</span>
					</a>
				</div>
			</header>
			{tool.title === undefined ? null : <code>{plain(tool.name, 200)}</code>}
			<p class="wrap">{plainLines(tool.description, description_chars_max)}</p>
			<details>
				<summary>Schema</summary>
				<div class="tree">
					<JsonTree value={tool.raw} />
				</div>
			</details>
		</section>
	);
}
