import type { InstanceStatus, ServerDetails, ServerStatus } from "../admin/contract.ts";
import { formatSize } from "../config/units.ts";
import { describeClosing, describeEgress } from "../hosting/egress/describe.ts";
import { counted } from "../lib/counted.ts";
import { duration, type Output, printable } from "./output.ts";
import { stateWord } from "./server-table.ts";

/** Longest scope that is shown; a session's id is a key to it. */
const scope_chars_max = 24;
/** Longest line of a server's own that is shown; `moorage logs` has more of it. */
const line_chars_max = 400;
/** Digits of a digest that tell packages apart. */
const digest_chars = 19;

/** Prints everything about one server. */
export function printServer(details: ServerDetails, now_ms: number, output: Output): void {
	const { status, closing, stderr, stdout, oddities } = details;
	const kind = `${status.driver}, ${details.scope}${details.untrusted ? ", untrusted" : ""}`;
	output.line(`${output.look("bold", status.name)} ${stateWord(status)} (${kind})`);
	for (const line of troubleLines(status, now_ms)) output.line(line);
	output.line();
	for (const [name, text] of factsOf(details)) output.line(`${name.padEnd(9)}${printable(text)}`);
	printInstances(details, now_ms, output);
	if (status.egress !== undefined) {
		output.line();
		for (const line of describeEgress(status.egress)) output.line(printable(line));
		const advice = closing === details.network ? undefined : describeClosing(status.egress);
		if (advice !== undefined) output.line(advice);
	}
	const odd = oddities.map(({ text, count, last_at_ms }) => {
		const ago = duration(Math.max(0, now_ms - last_at_ms));
		return `${text} (${counted(count, "time")}, last ${ago} ago)`;
	});
	printLines("What it did that no server should:", odd, output);
	printLines("Last lines of its standard error:", stderr, output);
	printLines("Last lines of its standard output that are no messages:", stdout, output);
}

function printLines(title: string, lines: readonly string[], output: Output): void {
	if (lines.length === 0) return;
	output.line();
	output.line(output.look("dim", title));
	for (const line of lines) output.line(`  ${shortened(printable(line))}`);
}

function shortened(line: string): string {
	return line.length <= line_chars_max ? line : `${line.slice(0, line_chars_max - 1)}…`;
}

function troubleLines(status: ServerStatus, now_ms: number): string[] {
	const { reason, detail, code, exit_code, next_try_at_ms, restarts, last_failure } = status;
	const more = [
		...(code === undefined ? [] : [code]),
		...(exit_code === undefined ? [] : [`exit code ${exit_code}`]),
		...(next_try_at_ms === undefined ? [] : [nextTry(status, next_try_at_ms - now_ms)]),
		...(restarts === 0 ? [] : [`restarted ${counted(restarts, "time")}`]),
	];
	return [
		...(reason === undefined ? [] : [printable(reason)]),
		...(detail === undefined ? [] : [`more of it: ${shortened(printable(detail))}`]),
		...(more.length === 0 ? [] : [more.join(", ")]),
		...(reason !== undefined || last_failure === undefined
			? []
			: [
					`last trouble ${duration(Math.max(0, now_ms - last_failure.at_ms))} ago: ` +
						printable(last_failure.reason),
				]),
	];
}

/** Once its pause is over, a server that nobody needs waits for somebody who does. */
function nextTry({ state }: ServerStatus, in_ms: number): string {
	if (in_ms > 0) return `next try in ${duration(in_ms)}`;
	const tried = state === "starting" || state === "resolving";
	return tried ? "being tried again" : "tried again with the next call";
}

function factsOf(details: ServerDetails): [string, string][] {
	const { status, version, rollout, network, package: runs } = details;
	const facts: [string, string][] = [];
	if (version !== undefined) {
		const next = rollout === undefined ? "" : `; ${rollout.version} on its way: ${rollout.state}`;
		facts.push(["version", `${version}${next}`]);
	}
	if (runs !== undefined) {
		const exact = runs.version === undefined ? "" : `@${runs.version}`;
		facts.push(["package", `${runs.name}${exact} ${runs.digest.slice(0, digest_chars)}`]);
	}
	if (network === undefined) return facts;
	const kinds = new Set(status.instances.flatMap(({ sandbox }) => sandbox?.kind ?? []));
	const now = kinds.size === 0 ? "" : `; now: ${[...kinds].join(", ")}`;
	facts.push(["sandbox", `${details.sandbox}${now}`]);
	facts.push(["network", kinds.has("none") ? `open, because nothing confines it` : network]);
	facts.push(["limits", `${limitsText(details)} (${details.limited_by})`]);
	return facts;
}

function limitsText({ limits }: ServerDetails): string {
	const size = (name: string, bytes: number | undefined): string[] =>
		bytes === undefined ? [] : [`${name} ${formatSize(bytes)}`];
	const number = (name: string, count: number | undefined): string[] =>
		count === undefined ? [] : [`${name} ${count}`];
	const set = [
		...size("memory", limits.memory_bytes_max),
		...number("processes", limits.processes_max),
		...number("cpus", limits.cpus_max),
		...size("file", limits.file_bytes_max),
		...number("descriptors", limits.descriptors_max),
		...size("disk", limits.disk_bytes_max),
	];
	return set.length === 0 ? "none" : set.join(", ");
}

function printInstances(details: ServerDetails, now_ms: number, output: Output): void {
	const { instances } = details.status;
	if (instances.length === 0) return;
	output.line();
	output.table(
		["INSTANCE", "STATE", "SINCE", "FOR", "IN USE", "WAITING", "MEMORY", "CPU", "PROCESSES"],
		instances.map((instance) => [
			String(instance.id),
			stateOf(instance),
			instance.ready_at_ms === undefined
				? ""
				: duration(Math.max(0, now_ms - instance.ready_at_ms)),
			scopeText(instance.scope_key, details.scope),
			String(instance.leases),
			String(instance.waiting),
			...usageCells(details, instance.id),
		]),
	);
	for (const { id, volume } of instances) {
		const whose = id === 0 ? "what does not run" : String(id);
		if (volume !== undefined) output.line(`volume of ${whose}: ${printable(volume)}`);
	}
	for (const note of notesOf(details.status)) output.line(printable(note));
}

/** What is to be known of a server's instances, each thing once. */
function notesOf({ instances }: ServerStatus): ReadonlySet<string> {
	return new Set(instances.flatMap(({ notes }) => notes ?? []));
}

function stateOf({ state, reclaimed_bytes }: InstanceStatus): string {
	if (state !== "frozen" || reclaimed_bytes === undefined) return state;
	return `frozen, ${mebibytes(reclaimed_bytes)} given back`;
}

/** Who an instance is for; only the beginning of what could be used to pass for somebody. */
function scopeText(key: string, scope: ServerDetails["scope"]): string {
	if (key === "") return scope === "shared" ? "everybody" : "nobody yet";
	const text = printable(key);
	return text.length <= scope_chars_max ? text : `${text.slice(0, scope_chars_max - 1)}…`;
}

function usageCells({ usage }: ServerDetails, id: number): string[] {
	const found = usage.find(({ instance }) => instance === id);
	if (found === undefined) return ["", "", ""];
	return [mebibytes(found.memory_bytes), duration(found.cpu_ms), String(found.processes)];
}

function mebibytes(bytes: number): string {
	return `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}
