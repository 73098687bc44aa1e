import type { InstanceKey } from "../../hosting/hosting.ts";
import type { Principal } from "../../identity/principal.ts";
import { isLoudEnough } from "../../protocol/log-levels.ts";
import type { Session } from "../../sessions/sessions.ts";
import type { GatewayContext } from "../context.ts";
import type { Push, PushListener } from "../pushes.ts";
import { readRefusal } from "../read-refusal.ts";
import { sharesScope } from "../scope.ts";
import type { PushChannel } from "./legacy-state.ts";
import { clientOf } from "./session-client.ts";

/** What a legacy session hears on its push stream. */
export function pushListener(
	context: GatewayContext,
	endpoint: string,
	session: Session,
	who: Principal,
	channel: PushChannel,
): PushListener {
	const { id, principal } = session;
	const mayHearAll = (key: InstanceKey) =>
		context.served.mayTell(key, who.tenant) &&
		context.mayUse(who, { endpoint, server: key.server });
	return {
		endpoint,
		session_id: id,
		shares: (scope_key) => sharesScope(scope_key, { session_id: id, principal }),
		wants(push: Push, key) {
			// Asked anew each time: its level and its subscriptions change while it listens.
			const now = context.sessions.get(id, endpoint, principal);
			if (now === undefined) return false;
			// Only the modern revision has an extension with such news.
			if (push.kind === "task") return false;
			if (push.kind === "updated") {
				if (!now.subscriptions.has(push.uri)) return false;
				const { server, own_uri: name } = push;
				const by = { principal: who, client: clientOf(now), endpoint };
				return readRefusal(by, { method: "resources/read", server, name }, context) === undefined;
			}
			if (push.kind === "list_changed") return true;
			if (push.kind === "log" && !isLoudEnough(push.level, now.log_level)) return false;
			// It is about nobody knows what: about anything that the server was ever told.
			return key !== undefined && mayHearAll(key);
		},
		deliver: (_push, message) => channel.send(message.bytes),
		end: () => channel.end(),
	};
}
