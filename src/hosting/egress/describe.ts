import { isIP } from "node:net";
import { closingLine, type EgressRecord, type EgressReport } from "./ledger.ts";
import { formatTarget } from "./target.ts";

/** Hosts that are written out; the data has all. */
const hosts_shown_max = 10;

const past_proxy = "past its proxy";
const refused_note = "Its log says why, and what would allow it: moorage logs";
const unproxied_note =
	"It has no network but its proxy: what it tries past that fails. Tell its client of HTTPS_PROXY, " +
	"or have it use one that heeds it.";
/** Of names; a server that looks them up itself asks for this port. */
const name_port = 53;

/** What a server asked of the network, as lines for a person: nothing where it asked nothing. */
export function describeEgress(report: EgressReport): string[] {
	return [
		...describeHosts("refused", report.refused),
		...(report.refused.length === 0 ? [] : [refused_note]),
		...describeHosts(past_proxy, report.unproxied),
		...(report.unproxied.length === 0 ? [] : [unproxied_note]),
		...describeHosts("allowed", report.used),
	];
}

/** How to close a server to what it used; undefined where it used nothing, or too much to say. */
export function describeClosing(report: EgressReport): string | undefined {
	if (report.used.length === 0) return undefined;
	const line = closingLine(report);
	if (line === undefined) return undefined;
	return `To close its network to what it used: sandbox: { ${line} }`;
}

function describeHosts(word: string, records: readonly EgressRecord[]): string[] {
	const shown = records.slice(0, hosts_shown_max).map((record) => {
		const times = record.count === 1 ? "once" : `${record.count} times`;
		const is_name = word === past_proxy && record.port === name_port && isIP(record.host) === 0;
		const what = is_name ? `the address of ${record.host}` : formatTarget(record);
		return `${word}: ${what} (${times})`;
	});
	const rest = records.length - shown.length;
	return rest === 0 ? shown : [...shown, `${word}: ${rest} more hosts`];
}
