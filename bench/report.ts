import { cpus, totalmem } from "node:os";
import type { Figures } from "./figures.ts";
import { ratio } from "./figures.ts";
import type { CaseResult, Verdict } from "./targets.ts";

/** The machine the figures are from: they mean little on another. */
export interface Machine {
	readonly platform: string;
	readonly cpu: string;
	readonly cores: number;
	readonly memory_gb: number;
	readonly node: string;
}

/** This machine. */
export function thisMachine(): Machine {
	const all = cpus();
	return {
		platform: `${process.platform} ${process.arch}`,
		cpu: all[0]?.model ?? "unknown",
		cores: all.length,
		memory_gb: Math.round(totalmem() / 1024 ** 3),
		node: process.version,
	};
}

/** The document that `--json` prints. */
export function jsonReport(machine: Machine, results: readonly CaseResult[]): string {
	const cases = results.map(({ name, sides, values, skipped }) => ({
		name,
		...nested(sides),
		...values,
		...(skipped === undefined ? {} : { skipped }),
	}));
	return `${JSON.stringify({ machine, cases }, null, "\t")}\n`;
}

/** Sides by their names; those of other gateways under `peers`. */
function nested(sides: Readonly<Record<string, Figures>>): object {
	const own = Object.entries(sides).filter(([side]) => !side.startsWith(peer_prefix));
	const others = Object.entries(sides).flatMap(([side, figures]) =>
		side.startsWith(peer_prefix) ? [[side.slice(peer_prefix.length), figures] as const] : [],
	);
	const peers = others.length === 0 ? {} : { peers: Object.fromEntries(others) };
	return { ...Object.fromEntries(own), ...peers };
}

/** What the names of sides begin with that are other gateways. */
export const peer_prefix = "peer:";

const columns = [
	"",
	"calls/s",
	"p50 ms",
	"p99 ms",
	"p99.9 ms",
	"CPU us",
	"RSS MiB",
	"loop p99 ms",
	"calls/s of it",
];

/** One case as a table for people: the gateway first, and how it stands to each other side. */
export function caseTable({ name, title, sides, values, skipped }: CaseResult): string {
	const lines = [`${name}: ${title}`];
	if (skipped !== undefined) lines.push(`  skipped: ${skipped}`);
	const entries = Object.entries(sides);
	if (entries.length > 0) {
		const own = sides["moorage"];
		const rows = [columns, ...entries.map(([side, figures]) => row(side, figures, own))];
		lines.push(...aligned(rows));
	}
	for (const [key, value] of Object.entries(values))
		lines.push(`  ${key} ${shown(value, digitsOf(value))}`);
	return lines.join("\n");
}

/** One promise and how it came out, as a line. */
export function verdictLine({ target, value, met, passed }: Verdict): string {
	const mark = value === null ? "-" : met ? "✓" : passed ? "~" : "✗";
	const sign = target.at === "least" ? ">=" : "<=";
	const got = value === null ? "not measured" : shown(value, 2);
	return `${mark} ${target.name}: ${target.what}: ${got} (${sign} ${target.limit})`;
}

function row(side: string, figures: Figures, own: Figures | undefined): string[] {
	const { rps, p50_ms, p99_ms, p999_ms, cpu_us, rss_mb, loop_p99_ms } = figures;
	const share = figures === own ? null : ratio(own?.rps, rps);
	return [
		side,
		shown(rps, 0),
		shown(p50_ms, 2),
		shown(p99_ms, 2),
		shown(p999_ms, 2),
		shown(cpu_us, 1),
		shown(rss_mb, 1),
		shown(loop_p99_ms, 1),
		share === null ? "" : `${shown(share, 2)} x`,
	];
}

function aligned(rows: readonly (readonly string[])[]): string[] {
	const widths = columns.map((_, index) =>
		Math.max(...rows.map((cells) => (cells[index] ?? "").length)),
	);
	return rows.map((cells) => {
		const padded = cells.map((cell, index) => {
			const width = widths[index] ?? 0;
			return index === 0 ? cell.padEnd(width) : cell.padStart(width);
		});
		return `  ${padded.join("  ")}`.trimEnd();
	});
}

/** Small values need more digits; counts need none. */
function digitsOf(value: number): number {
	if (Number.isInteger(value)) return 0;
	return Math.abs(value) < 10 ? 2 : 1;
}

function shown(value: number | null, digits: number): string {
	return value === null ? "" : value.toFixed(digits);
}
