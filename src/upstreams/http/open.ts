import type { HttpSpec } from "../../config/plan.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import type { Fault } from "../../protocol/fault.ts";
import type { DriverContext, Upstream } from "../driver.ts";
import { shakeHands } from "./handshake.ts";
import { HttpLink } from "./link.ts";
import type { UpstreamAuth } from "./oauth/upstream-auth.ts";
import { openSse } from "./sse-upstream.ts";
import { HttpUpstream } from "./upstream.ts";

/** Connects to a remote server over whichever transport it speaks. */
export async function openHttp(
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
