import { isEncrypted } from "../config/front.ts";
import { unencryptedProblem } from "../config/listen.ts";
import type { Plan } from "../config/plan.ts";
import type { TlsPlan } from "../config/plan-front.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { readTls, watchTls } from "../gateway/tls-files.ts";
import { isLoopbackHost } from "../lib/addresses.ts";
import type { Clock } from "../lib/clock.ts";
import { fail, type Result, succeed } from "../lib/result.ts";
import type { Log } from "../telemetry/log.ts";
import type { DaemonOptions } from "./options.ts";
import { listenProblem, type StartProblem } from "./start-problem.ts";

/**
 * Listens where the plan says, or on a socket that was handed over, and tells the base URL for
 * clients on this machine.
 */
export async function listenUrl(
	{ gateway, plan }: { readonly gateway: Gateway; readonly plan: Plan },
	{ listen_fd: fd, clock, log }: Pick<DaemonOptions, "listen_fd" | "clock" | "log">,
	signal: AbortSignal,
): Promise<Result<string, StartProblem>> {
	const { host, port } = plan.listen;
	const tls = plan.front.tls === undefined ? undefined : await readTls(plan.front.tls);
	if (tls?.ok === false) return fail(tls.problem);
	const listening = await gateway.listen(fd === undefined ? { host, port } : { fd }, tls?.value);
	if (!listening.ok) return fail(listenProblem(listening.problem.code, host, port));
	// Whoever made the socket chose its address: the rules for addresses hold for it as well.
	const refused = fd === undefined ? undefined : refusedSocket(listening.value.address, plan);
	if (refused !== undefined) return fail(refused);
	if (plan.front.tls !== undefined) followTls(gateway, plan.front.tls, { clock, log, signal });
	const is_named = fd === undefined && tls === undefined;
	return succeed(is_named ? baseUrl(host, listening.value.port) : gateway.local_base);
}

/** Why a socket that was handed over is not used. */
function refusedSocket(address: string, plan: Plan): StartProblem | undefined {
	if (isLoopbackHost(address)) return undefined;
	if (plan.identity === undefined) {
		return {
			message: `The socket that was handed over listens on ${address}, not only on this machine.`,
			next: "Let it listen on 127.0.0.1, or configure `identity`, so that callers are known.",
		};
	}
	return unencryptedProblem(address, { identity: true, encrypted: isEncrypted(plan.front) });
}

/** Reads certificates again whenever their files change; what does not fit is not taken. */
function followTls(
	gateway: Gateway,
	tls: TlsPlan,
	{ clock, log, signal }: { clock: Clock; log: Log; signal: AbortSignal },
): void {
	const watch = watchTls(tls, clock, () => {
		void readTls(tls).then((read) => {
			if (!read.ok) {
				log.warn({ problem: read.problem }, "the new TLS files were refused");
				return;
			}
			gateway.replaceTls(read.value);
			log.info({ cert: tls.cert }, "the TLS files were read again");
		});
	});
	signal.addEventListener("abort", () => watch.close(), { once: true });
}

function baseUrl(host: string, port: number): string {
	return `http://${host.includes(":") ? `[${host}]` : host}:${port}`;
}
