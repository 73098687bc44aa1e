import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Figures } from "./figures.ts";
import { ratio } from "./figures.ts";
import { type Machine, peer_prefix } from "./report.ts";
import type { CaseResult } from "./targets.ts";

const readme = fileURLToPath(new URL("../README.md", import.meta.url));
const picture = fileURLToPath(new URL("../docs/benchmark.svg", import.meta.url));
const begin = "<!-- benchmark begins -->";
const end = "<!-- benchmark ends -->";

/** The cases that are shown, in order, and what they are called there. */
const shown_cases = [
	{ name: "stdio-32-full", title: "everything on" },
	{ name: "stdio-32-plain", title: "checks and limits alone" },
] as const;

/** What contenders are called in the table and the picture. */
const titles: Readonly<Record<string, string>> = {
	moorage: "Moorage",
	ceiling: "bare multiplexer, no checks",
	sdk: "official SDK handler, no server behind it",
};

/** One bar of the picture, one line of the table. */
export interface Bar {
	readonly label: string;
	readonly figures: Figures;
	readonly own: boolean;
}

/** What is shown of a run: Moorage in each case, then whom it is compared with in the last one. */
export function barsOf(results: readonly CaseResult[]): Bar[] {
	const bars: Bar[] = [];
	let compared: CaseResult | undefined;
	for (const { name, title } of shown_cases) {
		const result = results.find((one) => one.name === name);
		const figures = result?.sides["moorage"];
		if (result === undefined || figures === undefined) continue;
		bars.push({ label: `Moorage, ${title}`, figures, own: true });
		compared = result;
	}
	for (const [side, figures] of Object.entries(compared?.sides ?? {})) {
		const is_peer = side.startsWith(peer_prefix);
		const label = is_peer ? side.slice(peer_prefix.length) : titles[side];
		if (side !== "moorage" && label !== undefined) bars.push({ label, figures, own: false });
	}
	return bars;
}

/** The table of the README, with how it was made. */
export function benchmarkTable(machine: Machine, bars: readonly Bar[]): string {
	const own = bars[0]?.figures;
	const rows = bars.map(({ label, figures }) => {
		const times = ratio(own?.rps, figures.rps);
		const { rps, p50_ms, p99_ms, cpu_us, rss_mb } = figures;
		const cells = [label, text(rps, 0), text(p50_ms, 2), text(p99_ms, 1), text(cpu_us, 0)];
		return `| ${[...cells, text(rss_mb, 0), times === null ? "" : `${times.toFixed(2)} x`].join(" | ")} |`;
	});
	return [
		"| `tools/call` to a stdio server, 32 in flight | calls/s | p50 ms | p99 ms | CPU us/call | MiB | Moorage's speed, of it |",
		"|---|---|---|---|---|---|---|",
		...rows,
		"",
		`Made by \`npm run bench -- --write stdio-32\` on ${machine.cores} cores (${machine.cpu}), Node ` +
			`${machine.node}: all of them in turns in one run, the clients on the same machine. ` +
			"[How, and the other cases](docs/benchmarks.md).",
	].join("\n");
}

const bar_height = 22;
const gap = 10;
const left = 260;
const width = 760;

/** A bar for each contender, as long as its calls a second. */
export function benchmarkPicture(bars: readonly Bar[]): string {
	const longest = Math.max(1, ...bars.map(({ figures }) => figures.rps ?? 0));
	const height = bars.length * (bar_height + gap) + gap;
	const lines = bars.map(({ label, figures, own }, at) => {
		const y = gap + at * (bar_height + gap);
		const long = Math.max(2, ((figures.rps ?? 0) / longest) * (width - left - 90));
		const middle = y + bar_height / 2 + 5;
		return (
			`<text x="${left - 10}" y="${middle}" text-anchor="end">${escaped(label)}</text>` +
			`<rect x="${left}" y="${y}" width="${long.toFixed(1)}" height="${bar_height}" rx="3" class="${own ? "own" : "other"}"/>` +
			`<text x="${(left + long + 8).toFixed(1)}" y="${middle}">${text(figures.rps, 0)}</text>`
		);
	});
	const style =
		"text{font:14px system-ui,sans-serif;fill:#1f2933}.own{fill:#0b7285}.other{fill:#adb5bd}" +
		"@media(prefers-color-scheme:dark){text{fill:#e6edf3}.own{fill:#3bc9db}.other{fill:#495057}}";
	return (
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" ` +
		`aria-label="Calls a second, Moorage and others"><style>${style}</style>\n` +
		`${lines.join("\n")}\n</svg>\n`
	);
}

/** Puts a table between the markers of a page; undefined where it has none. */
export function withBenchmark(page: string, table: string): string | undefined {
	const [from, to] = [page.indexOf(begin), page.indexOf(end)];
	if (from < 0 || to < from) return undefined;
	return `${page.slice(0, from + begin.length)}\n${table}\n${page.slice(to)}`;
}

/** Writes both; a run without the main cases leaves them as they are. */
export function writePictures(machine: Machine, results: readonly CaseResult[]): void {
	const bars = barsOf(results);
	if (bars.length === 0) return;
	const page = withBenchmark(readFileSync(readme, "utf8"), benchmarkTable(machine, bars));
	if (page !== undefined) writeFileSync(readme, page);
	writeFileSync(picture, benchmarkPicture(bars));
}

function text(value: number | null, digits: number): string {
	return value === null ? "" : value.toLocaleString("en-US", { maximumFractionDigits: digits });
}

function escaped(label: string): string {
	return label.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
