import type { Plan } from "../config/plan.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { isLoopbackHost } from "../lib/addresses.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import { listenProblem, type StartProblem } from "./start-problem.ts";

/**
 * Listens where the plan says, or on a socket that was handed over, and tells the base URL for
 * clients on this machine.
 */
export async function listenUrl(
	gateway: Gateway,
	plan: Plan,
	fd: number | undefined,
): Promise<Result<string, StartProblem>> {
	const { host, port } = plan.listen;
	const listening = await gateway.listen(fd === undefined ? { host, port } : { fd });
	if (!listening.ok) return fail(listenProblem(listening.problem.code, host, port));
	const { address, port: found } = listening.value;
	if (fd === undefined) return succeed(baseUrl(host, found));
	// Whoever made the socket chose its address: the rule for addresses holds for it as well.
	if (plan.identity === undefined && !isLoopbackHost(address)) {
		return fail({
			message: `The socket that was handed over listens on ${address}, not only on this machine.`,
			next: "Let it listen on 127.0.0.1, or configure `identity`, so that callers are known.",
		});
	}
	const anywhere = address === "0.0.0.0" || address === "::";
	return succeed(baseUrl(anywhere ? "127.0.0.1" : address, found));
}

function baseUrl(host: string, port: number): string {
	return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
