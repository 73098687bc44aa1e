import type { HttpSpec } from "../../config/plan.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import type { Fault } from "../../protocol/fault.ts";
import type { Driver, DriverContext, Upstream } from "../driver.ts";
import { type AuthProblem, UpstreamFaults } from "../faults.ts";
import { shakeHands } from "./handshake.ts";
import { HttpLink } from "./link.ts";
import type { UpstreamAuth } from "./oauth/upstream-auth.ts";
import type { UpstreamAuths } from "./oauth/upstream-auths.ts";
import { openSse } from "./sse-upstream.ts";
import { HttpUpstream } from "./upstream.ts";

const gone: AuthProblem = {
	code: "authorization_required",
	advice: "The session that it was to be used in is over: connect anew.",
};

/**
 * Servers reached over Streamable HTTP, in both eras, or over HTTP+SSE; with authorization at
 * the servers that want it, where there is somebody to keep it.
 */
export function httpDriverWith(auths: UpstreamAuths | undefined): Driver<HttpSpec> {
	return {
		kind: "http",
		async open(spec, context) {
			const { owner, server, random } = context;
			if (owner !== "nobody") return open(spec, context, await auths?.of(server, spec, owner));
			if (spec.auth === undefined) return open(spec, context, undefined);
			const faults = new UpstreamFaults(server, random);
			return fail(faults.unauthorized(new URL(spec.url).origin, gone));
		},
	};
}

async function open(
	spec: HttpSpec,
	context: DriverContext,
	auth: UpstreamAuth | undefined,
): Promise<Result<Upstream, Fault>> {
	if (spec.transport === "sse") {
		return (await openSse({ spec, context, auth, wait_ms: context.start_ms })).outcome;
	}
	const started_ms = context.clock.monotonic();
	const link = new HttpLink({ url: spec.url, headers: spec.headers, context, auth });
	if (context.signal.aborted) {
		await link.remote.close();
		return fail(link.faults.notStarted("was not wanted any more"));
	}
	const agreement = await shakeHands(link);
	if (!agreement.ok) {
		link.is_closed = true;
		await link.remote.close();
		if (!link.may_be_sse) return agreement;
		const left_ms = context.start_ms - (context.clock.monotonic() - started_ms);
		const older = await openSse({ spec, context, auth, wait_ms: Math.max(1, left_ms) });
		// Where there is no such stream either, the first refusal tells more.
		return older.found ? older.outcome : agreement;
	}
	const { hello, session } = agreement.value;
	link.session = session;
	const upstream = new HttpUpstream(link, hello);
	await upstream.start();
	return succeed(upstream);
}
