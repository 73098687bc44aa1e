import { verifyDriver } from "../../../test/support/driver-contract.ts";
import { startHttpFixture } from "../../../test/support/fixtures.ts";
import { httpDriver } from "./driver.ts";

async function start(fixture: string, args: readonly string[]) {
	const { url, stop } = await startHttpFixture(fixture, ["--http", ...args]);
	return { spec: { driver: "http" as const, url, headers: {} }, stop };
}

const gone = "a remote server's end is seen by its calls only";

verifyDriver({
	name: "http, legacy with sessions, event streams",
	driver: httpDriver,
	era: "legacy",
	start,
	skip: { gone },
});

verifyDriver({
	name: "http, legacy with sessions, JSON",
	driver: httpDriver,
	era: "legacy",
	start: (fixture, args) => start(fixture, ["--json", ...args]),
	skip: { gone },
});

const stateless = "there is no way back from a server without sessions";
verifyDriver({
	name: "http, legacy without sessions",
	driver: httpDriver,
	era: "legacy",
	start: (fixture, args) => start(fixture, ["--stateless", "--no_get", ...args]),
	skip: { gone, pushes: stateless, asks: stateless, notifications: stateless },
});

const modern = "the modern revision has no such messages over HTTP";
verifyDriver({
	name: "http, modern",
	driver: httpDriver,
	era: "modern",
	start: (fixture, args) => start(fixture, ["--era", "modern", ...args]),
	skip: { gone, pushes: modern, asks: modern, notifications: modern },
});
