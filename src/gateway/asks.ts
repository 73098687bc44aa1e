import type { InstanceKey } from "../hosting/hosting.ts";
import { rpc_codes } from "../protocol/codes.ts";
import type { UpstreamAsk } from "../upstreams/driver.ts";
import type { GatewayContext } from "./context.ts";
import { legacySink } from "./edges/legacy-sink.ts";
import type { LegacyStates } from "./edges/legacy-state.ts";

/**
 * Questions of a server that no single call can be named for. An instance that belongs to one
 * session may ask that session; an instance that several callers share is refused with the
 * remedy, because asking the wrong person would be worse than asking nobody.
 */
export class UnattributedAsks {
	readonly #context: GatewayContext;
	readonly #states: LegacyStates;

	constructor(context: GatewayContext, states: LegacyStates) {
		this.#context = context;
		this.#states = states;
	}

	onRequest(key: InstanceKey, ask: UpstreamAsk): void {
		const state = key.scope_key === "" ? undefined : this.#states.find(key.scope_key);
		const stream = state?.anyStream();
		if (state !== undefined && stream !== undefined) {
			legacySink(stream, state).ask(ask);
			return;
		}
		const message =
			key.scope_key === ""
				? `Several callers share this instance of "${key.server}", so nobody in particular ` +
					"can be asked. Give each session its own instance: `scope: session`."
				: `The session that this instance of "${key.server}" belongs to has no open stream.`;
		this.#context.hosting.note(key.server, `${ask.message.method} was refused: ${message}`);
		const code = rpc_codes.internal_error;
		ask.answer({ kind: "error", json: JSON.stringify({ code, message }) });
	}
}
