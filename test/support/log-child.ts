/**
 * A process that logs to its stderr and ends.
 *
 *   log-child.ts FORMAT LEVEL
 */
import { systemClock } from "../../src/lib/clock.ts";
import { SecretRedactor } from "../../src/secrets/redactor.ts";
import { type LogLevel, openLog } from "../../src/telemetry/log.ts";

const [, , format, level] = process.argv;
const log = openLog({
	clock: systemClock,
	redactor: new SecretRedactor(),
	level: level as LogLevel,
	format: format as "auto" | "json" | "pretty",
});
log.debug({ n: 1 }, "a debug line");
log.child({ server: "git" }).info({ token: "s3cret" }, "an info line");
log.error({}, "an error line");
await log.close();
