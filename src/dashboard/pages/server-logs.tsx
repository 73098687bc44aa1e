import type { ComponentChildren, JSX } from "preact";
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { LogLine } from "../../admin/contract.ts";
import { addressOf } from "../lib/api.ts";
import { clockTime, counted, plain } from "../lib/format.ts";
import { Button, Field } from "../ui/parts.tsx";

/** Lines that are kept on the page. */
const lines_max = 5_000;
const tail = "1000";
const line_chars_max = 4_000;
/** Distance from the end at which one still follows it. */
const following_px = 40;

/** What a server writes, as it writes it. */
export function LogsTab({ name }: { name: string }): JSX.Element {
	const { lines, dropped, clear } = useLog(name);
	const [wanted, setWanted] = useState("");
	const [source, setSource] = useState("");
	const shown = useMemo(() => {
		const text = wanted.toLowerCase();
		return lines.filter(
			(line) =>
				(source === "" || line.source === source) &&
				(text === "" || line.text.toLowerCase().includes(text)),
		);
	}, [lines, wanted, source]);
	const box = useRef<HTMLDivElement>(null);
	const follow = useRef(true);
	useLayoutEffect(() => {
		if (follow.current) box.current?.scrollTo({ top: box.current.scrollHeight });
	}, [shown]);
	return (
		<>
			<LogFilters {...{ wanted, source, setWanted, setSource, clear }}>
				{shown.length === lines.length
					? counted(lines.length, "line")
					: `${shown.length} of ${lines.length} lines`}
				{dropped === 0 ? "" : `, ${dropped} came too fast to be shown`}
			</LogFilters>
			<div
				class="log"
				ref={box}
				tabIndex={0}
				role="log"
				aria-label={`What ${name} writes`}
				aria-live="off"
				onScroll={(event) => {
					const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
					follow.current = scrollHeight - scrollTop - clientHeight < following_px;
				}}
			>
				{shown.length === 0 ? <span class="muted">Nothing yet.</span> : null}
				{shown.map((line) => (
					<Line key={line.key} line={line} wanted={wanted} />
				))}
			</div>
		</>
	);
}

interface LogFiltersProps {
	readonly wanted: string;
	readonly source: string;
	/** How much is shown. */
	readonly children: ComponentChildren;
	setWanted(text: string): void;
	setSource(source: string): void;
	clear(): void;
}

function LogFilters(props: LogFiltersProps): JSX.Element {
	const { wanted, source, children, setWanted, setSource, clear } = props;
	return (
		<div class="filters">
			<Field
				label="Find in the lines"
				control={(attributes) => (
					<input
						{...attributes}
						type="search"
						value={wanted}
						onInput={(event) => setWanted(event.currentTarget.value)}
					/>
				)}
			/>
			<Field
				label="From"
				control={(attributes) => (
					<select
						{...attributes}
						value={source}
						onChange={(event) => setSource(event.currentTarget.value)}
					>
						<option value="">Everything</option>
						<option value="stderr">Its standard error</option>
						<option value="stdout">Its standard output</option>
						<option value="event">Moorage</option>
					</select>
				)}
			/>
			<Button onClick={clear}>Clear</Button>
			<p class="muted small" role="status">
				{children}
			</p>
		</div>
	);
}

type KeyedLine = LogLine & { readonly key: number };

function Line({ line, wanted }: { line: KeyedLine; wanted: string }): JSX.Element {
	const text = plain(line.text, line_chars_max);
	const at = wanted === "" ? -1 : text.toLowerCase().indexOf(wanted.toLowerCase());
	return (
		<p class={line.source}>
			<span class="muted">{clockTime(line.time_ms)}</span>
			<span class="muted">{line.source === "event" ? "moorage" : `#${line.instance}`}</span>
			{at < 0 ? (
				<span>{text}</span>
			) : (
				<span>
					{text.slice(0, at)}
					<mark>{text.slice(at, at + wanted.length)}</mark>
					{text.slice(at + wanted.length)}
				</span>
			)}
		</p>
	);
}

/** Follows a server's log; many lines at once are drawn once. */
function useLog(name: string) {
	const [lines, setLines] = useState<readonly KeyedLine[]>([]);
	const [dropped, setDropped] = useState(0);
	useEffect(() => {
		setLines([]);
		setDropped(0);
		let waiting: KeyedLine[] = [];
		let frame = 0;
		let last = 0;
		const address = addressOf("getLogs", { path: { name }, query: { follow: "1", tail } });
		const source = new EventSource(address);
		source.addEventListener("open", () => {
			// After a break the tail comes again.
			waiting = [];
			setLines([]);
		});
		source.addEventListener("line", (event) => {
			last += 1;
			waiting.push({ ...(JSON.parse(event.data as string) as LogLine), key: last });
			if (frame !== 0) return;
			frame = requestAnimationFrame(() => {
				frame = 0;
				const added = waiting;
				waiting = [];
				setLines((before) => [...before, ...added].slice(-lines_max));
			});
		});
		source.addEventListener("dropped", (event) => {
			const { lines: count } = JSON.parse(event.data as string) as { lines: number };
			setDropped((before) => before + count);
		});
		return () => {
			source.close();
			cancelAnimationFrame(frame);
		};
	}, [name]);
	return { lines, dropped, clear: () => setLines([]) };
}
