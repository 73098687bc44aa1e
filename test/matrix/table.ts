import { type Cell, type ClientKind, client_kinds, type ServerKind, server_kinds } from "./cell.ts";

const marks: Readonly<Record<Cell["status"], string>> = { pass: "✓", fail: "✗", "ruled-out": "–" };

/** How the cells of a table came out. */
export interface Counts {
	readonly passed: number;
	readonly failed: number;
	readonly ruled_out: number;
}

export function countsOf(cells: readonly Cell[]): Counts {
	const count = (status: Cell["status"]) => cells.filter((cell) => cell.status === status).length;
	return { passed: count("pass"), failed: count("fail"), ruled_out: count("ruled-out") };
}

/** A row a feature, a column a pair: five columns, one for each server, under each client. */
export function textTable(cells: readonly Cell[]): string {
	const rows = [...new Set(cells.map(({ feature }) => feature))];
	const width = Math.max(...rows.map(({ length }) => length), 0);
	const columns = client_kinds.flatMap((client) => server_kinds.map((server) => [client, server]));
	const lines = rows.map((feature) => {
		const signs = columns.map(([client, server]) => {
			const cell = cells.find(
				(one) => one.feature === feature && one.client === client && one.server === server,
			);
			return cell === undefined ? " " : marks[cell.status];
		});
		const groups = client_kinds.map((_, at) => signs.slice(at * 5, at * 5 + 5).join(" "));
		return `${feature.padEnd(width)}  ${groups.map((group) => group.padEnd(14)).join("  ")}`;
	});
	const heads = client_kinds.map((client) => client.padEnd(14)).join("  ");
	const legend = `Under each client: ${server_kinds.join(", ")}.`;
	const reasons = [
		...new Set(cells.filter(({ status }) => status === "ruled-out").map(({ why }) => why)),
	];
	return [
		`${" ".repeat(width)}  ${heads}`.trimEnd(),
		...lines.map((line) => line.trimEnd()),
		"",
		legend,
		...reasons.map((why) => `– ${why}`),
	].join("\n");
}

/** Where the README's table begins and ends. */
export const markers = ["<!-- matrix -->", "<!-- /matrix -->"] as const;

/** Clients down, servers across; a cell says how many features work of those the pair can have. */
export function markdownTable(cells: readonly Cell[]): string {
	const head = `| Client | ${server_kinds.join(" | ")} |`;
	const rule = `|---|${server_kinds.map(() => "---:").join("|")}|`;
	const rows = client_kinds.map((client) => {
		const counts = server_kinds.map((server) => countText(cells, client, server));
		return `| ${client} | ${counts.join(" | ")} |`;
	});
	const reasons = [
		...new Set(
			cells
				.filter(({ status }) => status === "ruled-out")
				.map(({ feature, why }) => `Not counted: ${feature} across the eras. ${why}.`),
		),
	];
	return [head, rule, ...rows, "", ...reasons].join("\n").trimEnd();
}

function countText(cells: readonly Cell[], client: ClientKind, server: ServerKind): string {
	const own = cells.filter((cell) => cell.client === client && cell.server === server);
	const { passed, failed } = countsOf(own);
	return `${passed} of ${passed + failed}`;
}

/** The page with its table replaced; undefined when the page has lost its markers. */
export function withTable(page: string, table: string): string | undefined {
	const [start, end] = markers;
	const from = page.indexOf(start);
	const to = page.indexOf(end);
	if (from < 0 || to < from) return undefined;
	return `${page.slice(0, from)}${start}\n${table}\n${page.slice(to)}`;
}
