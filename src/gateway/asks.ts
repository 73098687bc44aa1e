import type { InstanceKey } from "../hosting/hosting.ts";
import { rpc_codes } from "../protocol/codes.ts";
import type { UpstreamAsk } from "../upstreams/driver.ts";
import { unaskable } from "./bridge/askable.ts";
import type { GatewayContext } from "./context.ts";
import { legacySink } from "./edges/legacy-sink.ts";
import type { LegacyStates } from "./edges/legacy-state.ts";
import { sessionOfScope } from "./scope.ts";

/**
 * Questions of a server that no single call can be named for. An instance that belongs to one
 * session, or works for one only at the moment, may ask that session. Where several callers
 * could be meant the question is refused with the remedy, because asking the wrong person would
 * be worse than asking nobody.
 */
export class UnattributedAsks {
	readonly #context: GatewayContext;
	readonly #states: LegacyStates;

	constructor(context: GatewayContext, states: LegacyStates) {
		this.#context = context;
		this.#states = states;
	}

	/** `askers` are the sessions and calls that use the instance now. */
	onRequest(key: InstanceKey, ask: UpstreamAsk, askers: readonly string[]): void {
		const refused = unaskable(ask.message.method, key.capabilities);
		if (refused !== undefined) {
			this.#context.hosting.noteOddity(key.server, refused.text);
			ask.answer({ kind: "error", json: refused.json });
			return;
		}
		const off = this.#context.switches?.isServerOff(key.server) === true;
		const only = askers.length === 1 ? askers[0] : undefined;
		const session_id = sessionOfScope(key.scope_key) ?? only;
		const state = session_id === undefined ? undefined : this.#states.find(session_id);
		const stream = state?.anyStream();
		if (state !== undefined && stream !== undefined && !off) {
			legacySink(stream, state).ask(ask);
			return;
		}
		const message =
			askers.length > 1
				? `Several callers share this instance of "${key.server}", so nobody in particular ` +
					"can be asked. Let it have more instances (`max_instances`), or give each caller " +
					"one: `scope: user`, or `scope: session` for clients that have sessions."
				: `Nobody who uses this instance of "${key.server}" can be asked now: no call runs on ` +
					"it, or its client has no open stream.";
		this.#context.hosting.noteOddity(key.server, `${ask.message.method} was refused: ${message}`);
		const code = rpc_codes.internal_error;
		ask.answer({ kind: "error", json: JSON.stringify({ code, message }) });
	}
}
