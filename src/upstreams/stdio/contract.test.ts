import { verifyDriver } from "../../../test/support/driver-contract.ts";
import { fixturePath } from "../../../test/support/fixtures.ts";
import { nodeSpec } from "../../../test/support/upstream-harness.ts";
import type { StdioSpec } from "../../config/plan.ts";
import type { Driver } from "../driver.ts";
import { EraVerdicts } from "../era-verdicts.ts";
import { stdioDriver } from "./driver.ts";

const nothing_to_stop = async () => {};

verifyDriver({
	name: "stdio, legacy",
	driver: stdioDriver,
	era: "legacy",
	start: async (fixture, args) => ({
		spec: nodeSpec(fixturePath(fixture), args),
		stop: nothing_to_stop,
	}),
});

verifyDriver({
	name: "stdio, modern",
	driver: stdioDriver,
	era: "modern",
	start: async (fixture, args) => ({
		spec: nodeSpec(fixturePath(fixture), ["--era", "modern", ...args]),
		stop: nothing_to_stop,
	}),
	skip: { notifications: "the fixture expects notifications/initialized" },
});

/** The driver as the gateway uses it: nothing is known of the server, and it is found out. */
const asking_driver: Driver<StdioSpec> = {
	kind: "stdio",
	open: (spec, context) => {
		const era_verdicts = new EraVerdicts({ clock: context.clock });
		return stdioDriver.open(spec, { ...context, era_verdicts });
	},
};

for (const [name, era] of [
	["legacy", "legacy"],
	["modern", "modern"],
	["dual", "modern"],
] as const) {
	verifyDriver({
		name: `stdio, asked for its era, ${name}`,
		driver: asking_driver,
		era,
		start: async (fixture, args) => ({
			spec: nodeSpec(fixturePath(fixture), ["--era", name, ...args]),
			stop: nothing_to_stop,
		}),
		...(era === "modern"
			? { skip: { notifications: "the fixture expects notifications/initialized" } }
			: {}),
	});
}
