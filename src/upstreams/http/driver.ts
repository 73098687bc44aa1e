import type { HttpSpec } from "../../config/plan.ts";
import { fail } from "../../lib/result.ts";
import type { Driver } from "../driver.ts";
import { type AuthProblem, UpstreamFaults } from "../faults.ts";
import type { UpstreamAuths } from "./oauth/upstream-auths.ts";

const gone: AuthProblem = {
	code: "authorization_required",
	advice: "The session that it was to be used in is over: connect anew.",
};

/**
 * Servers reached over Streamable HTTP, in both eras, or over HTTP+SSE; with authorization at
 * the servers that want it, where there is somebody to keep it. What speaks HTTP is loaded with the
 * first of them: it takes memory that a gateway of programs alone has no use for.
 */
export function httpDriverWith(auths: UpstreamAuths | undefined): Driver<HttpSpec> {
	return {
		kind: "http",
		async open(spec, context) {
			const { owner, server, random } = context;
			if (owner !== "nobody" || spec.auth === undefined) {
				const auth = owner === "nobody" ? undefined : await auths?.of(server, spec, owner);
				const { openHttp } = await import("./open.ts");
				return openHttp(spec, context, auth);
			}
			const faults = new UpstreamFaults(server, random);
			return fail(faults.unauthorized(new URL(spec.url).origin, gone));
		},
	};
}
