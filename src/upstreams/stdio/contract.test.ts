import { verifyDriver } from "../../../test/support/driver-contract.ts";
import { fixturePath } from "../../../test/support/fixtures.ts";
import { nodeSpec } from "../../../test/support/upstream-harness.ts";
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
