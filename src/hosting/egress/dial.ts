import { connect, isIP, type LookupFunction, type Socket } from "node:net";
import type { Clock } from "../../lib/clock.ts";

/** Opens one TCP connection to the first of these addresses that answers. */
export type Dial = (addresses: readonly string[], port: number) => Socket;

/** The machine's own TCP. Addresses only: nothing is looked up. */
export const systemDial: Dial = (addresses, port) => {
	const options = { port, allowHalfOpen: true, keepAlive: true, noDelay: true };
	const [only] = addresses;
	if (addresses.length === 1 && only !== undefined) return connect({ ...options, host: only });
	const found = addresses.map((address) => ({ address, family: isIP(address) }));
	const lookup: LookupFunction = (_name, _options, done) => done(null, found);
	// The name is never used; a look-up of it by mistake could not succeed.
	return connect({ ...options, host: "pinned.invalid", lookup, autoSelectFamily: true });
};

/** What became of a connection. */
export type Dialled =
	| { readonly kind: "connected"; readonly socket: Socket }
	| { readonly kind: "failed"; readonly reason: string };

/** Waits for a connection; one that takes too long, or is no longer wanted, is given up. */
export function awaitConnection(
	socket: Socket,
	clock: Clock,
	connect_ms_max: number,
	signal: AbortSignal,
): Promise<Dialled> {
	return new Promise((resolve) => {
		const finish = (outcome: Dialled) => {
			timer.cancel();
			signal.removeEventListener("abort", giveUp);
			socket.off("connect", connected);
			if (outcome.kind === "failed") socket.destroy();
			resolve(outcome);
		};
		const giveUp = () => finish({ kind: "failed", reason: "it was no longer wanted" });
		const connected = () => finish({ kind: "connected", socket });
		const timer = clock.after(connect_ms_max, () =>
			finish({ kind: "failed", reason: "it did not answer in time" }),
		);
		// Stays for good: whoever uses the socket ends by its `close`.
		socket.on("error", (error: NodeJS.ErrnoException) =>
			finish({ kind: "failed", reason: reasonOf(error) }),
		);
		socket.once("connect", connected);
		signal.addEventListener("abort", giveUp, { once: true });
		if (signal.aborted) giveUp();
	});
}

function reasonOf({ code }: NodeJS.ErrnoException): string {
	if (code === "ECONNREFUSED") return "nothing listens there";
	if (code === "ENETUNREACH" || code === "EHOSTUNREACH") return "there is no way to it";
	return code ?? "the connection could not be made";
}

/** Ends a socket over which no byte went, in either direction, for this long. */
export function endWhenIdle(socket: Socket, clock: Clock, idle_ms_max: number): void {
	let seen = -1;
	let timer = clock.afterIdle(idle_ms_max, check);
	socket.once("close", () => timer.cancel());

	function check(): void {
		const bytes = socket.bytesRead + socket.bytesWritten;
		if (bytes === seen) {
			socket.destroy();
			return;
		}
		seen = bytes;
		timer = clock.afterIdle(idle_ms_max, check);
	}
}
