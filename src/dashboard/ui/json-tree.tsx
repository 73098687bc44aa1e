import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { ExactNumber } from "../lib/exact-json.ts";
import { plain } from "../lib/format.ts";
import { Button } from "./parts.tsx";

/** Members shown at first; more on demand. */
const members_shown = 100;
const depth_open = 3;
const text_chars = 2_000;

interface TreeProps {
	readonly value: unknown;
	readonly name?: string;
	readonly depth?: number;
}

/** Any JSON as a tree that opens and closes. Nothing in it is taken for markup. */
export function JsonTree({ value, name, depth = 0 }: TreeProps): JSX.Element {
	const label = name === undefined ? null : <span class="key">{plain(name, 120)}: </span>;
	if (typeof value !== "object" || value === null || value instanceof ExactNumber) {
		return (
			<div class="leaf">
				{label}
				<Leaf value={value} />
			</div>
		);
	}
	return <Branch value={value} label={label} depth={depth} />;
}

function Leaf({ value }: { value: unknown }): JSX.Element {
	const [whole, setWhole] = useState(false);
	if (typeof value !== "string") return <span class="atom">{String(value)}</span>;
	const cut = value.length > text_chars && !whole;
	return (
		<>
			<span class="text">“{plain(value, cut ? text_chars : value.length)}”</span>
			{cut ? (
				<Button kind="quiet" onClick={() => setWhole(true)}>
					{`all ${value.length} characters`}
				</Button>
			) : null}
		</>
	);
}

function Branch(props: { value: object; label: JSX.Element | null; depth: number }): JSX.Element {
	const { value, label, depth } = props;
	const entries = Object.entries(value as Record<string, unknown>);
	const [open, setOpen] = useState(depth < depth_open);
	const [shown, setShown] = useState(members_shown);
	const is_list = Array.isArray(value);
	const size = `${entries.length} ${is_list ? "item" : "member"}${entries.length === 1 ? "" : "s"}`;
	return (
		<details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
			<summary>
				{label}
				<span class="muted">{is_list ? `[ ${size} ]` : `{ ${size} }`}</span>
			</summary>
			{open ? (
				<div class="branch">
					{entries.slice(0, shown).map(([key, member]) => (
						<JsonTree key={key} name={key} value={member} depth={depth + 1} />
					))}
					{entries.length > shown ? (
						<Button kind="quiet" onClick={() => setShown(shown + members_shown * 10)}>
							{`${entries.length - shown} more`}
						</Button>
					) : null}
				</div>
			) : null}
		</details>
	);
}
