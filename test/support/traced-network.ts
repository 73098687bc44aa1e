import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { addressKind } from "../../src/lib/addresses.ts";

/** System calls by which something leaves a process for an address. */
const network_calls = "trace=connect,sendto,sendmsg,sendmmsg";
/** System calls by which a process becomes another program. */
export const program_calls = "trace=execve,execveat";
/** Enough of each text to find a word in it. */
const text_chars = 4_096;

/** Why no network use can be traced here; false where it can. */
export function tracingObstacle(): string | false {
	try {
		execFileSync("strace", ["-f", "-qq", "-e", network_calls, "true"], { stdio: "ignore" });
		return false;
	} catch {
		return "needs strace, and the right to trace one's own processes";
	}
}

/** A program, all that it starts, and every address any of it turns to, or what `calls` say. */
export function spawnTraced(
	trace_path: string,
	command: readonly string[],
	calls: string = network_calls,
) {
	const chars = calls === network_calls ? 0 : text_chars;
	const args = ["-f", "-q", "-s", `${chars}`, "-e", calls, "-o", trace_path, "--", ...command];
	return spawn("strace", args, { stdio: ["ignore", "pipe", "inherit"] });
}

/** Addresses outside this machine that a trace has, and name servers wherever they are. */
export function addressesIn(trace: string): string[] {
	const found = trace.split("\n").flatMap((line) => {
		const [, v4, v6] = /inet_addr\("([^"]+)"\)|inet_pton\(AF_INET6, "([^"]+)"/.exec(line) ?? [];
		const address = v4 ?? v6;
		if (address === undefined) return [];
		const is_name_server = /port=htons\(53\)/.test(line);
		return addressKind(address) === "loopback" && !is_name_server ? [] : [address];
	});
	return [...new Set(found)];
}

/** Runs a program to its end; the addresses that it turned to. */
export async function addressesOf(
	trace_path: string,
	command: readonly string[],
): Promise<readonly string[]> {
	const child = spawnTraced(trace_path, command);
	child.stdout.resume();
	await once(child, "close");
	return addressesIn(await readFile(trace_path, "utf8"));
}
