/**
 * Loaded into a `moorage up` of its own process before anything else: every message that is wrong
 * becomes a line of the file that `MOORAGE_WIRE_COMPLAINTS` names, at once, because the process
 * may be killed at any time.
 */
import { appendFileSync } from "node:fs";
import { watchWire } from "./watch.ts";

const file = process.env["MOORAGE_WIRE_COMPLAINTS"];
// What this process starts must not write there too.
delete process.env["MOORAGE_WIRE_COMPLAINTS"];
if (file !== undefined) {
	watchWire({
		all_listeners: true,
		onComplaint: (complaint) => appendFileSync(file, `${JSON.stringify(complaint)}\n`),
	});
}
