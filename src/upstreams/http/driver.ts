import type { HttpSpec } from "../../config/plan.ts";
import { fail, type Result, succeed } from "../../lib/result.ts";
import type { Fault } from "../../protocol/fault.ts";
import type { Driver, DriverContext, Upstream } from "../driver.ts";
import { shakeHands } from "./handshake.ts";
import { HttpLink } from "./link.ts";
import { HttpUpstream } from "./upstream.ts";

/** Servers reached over Streamable HTTP, in both eras. */
export const httpDriver: Driver<HttpSpec> = {
	kind: "http",

	async open(spec: HttpSpec, context: DriverContext): Promise<Result<Upstream, Fault>> {
		const link = new HttpLink({ url: spec.url, headers: spec.headers, context });
		if (context.signal.aborted) {
			await link.remote.close();
			return fail(link.faults.notStarted("was not wanted any more"));
		}
		const agreement = await shakeHands(link);
		if (!agreement.ok) {
			link.is_closed = true;
			await link.remote.close();
			return agreement;
		}
		const { hello, session } = agreement.value;
		link.session = session;
		const upstream = new HttpUpstream(link, hello);
		await upstream.start();
		return succeed(upstream);
	},
};
