import type { ServerStatus } from "../admin/contract.ts";
import { describeClosing, describeEgress } from "../hosting/egress/describe.ts";
import { type Output, printable } from "./output.ts";
import { stateWord } from "./server-table.ts";

/** Prints one server: its state, its instances, and what it asked of the network. */
export function printServer(server: ServerStatus, output: Output): void {
	output.line(`${output.look("bold", server.name)} ${stateWord(server)}`);
	if (server.reason !== undefined) output.line(printable(server.reason));
	if (server.instances.length > 0) {
		output.line();
		output.table(
			["INSTANCE", "STATE", "REVISION", "IN USE", "WAITING"],
			server.instances.map((instance) => [
				String(instance.id),
				instance.state,
				instance.revision ?? "",
				String(instance.leases),
				String(instance.waiting),
			]),
		);
	}
	if (server.egress === undefined) return;
	output.line();
	for (const line of describeEgress(server.egress)) output.line(printable(line));
	const closing = describeClosing(server.egress);
	if (closing !== undefined) output.line(closing);
}
