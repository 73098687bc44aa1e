import type { OnEvicted } from "../secrets/redactor.ts";
import type { Log } from "../telemetry/log.ts";

/** One line for so many of them: each one would be a line for every token that is renewed. */
const told_each = 10_000;

/** Says in the log that more secrets are known than can be redacted. */
export function tellEvicted(log: Pick<Log, "warn">): OnEvicted {
	return (kind, evicted) => {
		if (evicted % told_each !== 1) return;
		log.warn(
			{ kind, evicted },
			kind === "token"
				? "More tokens are in use than can be redacted: those used least recently are not any more."
				: "More secrets were used than can be redacted: those used least recently are not any more. Restart Moorage if they were exchanged often.",
		);
	};
}
