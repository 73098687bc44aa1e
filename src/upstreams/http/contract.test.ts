import { after } from "node:test";
import { verifyDriver } from "../../../test/support/driver-contract.ts";
import { type HttpFixture, startHttpFixture } from "../../../test/support/fixtures.ts";
import { httpDriver } from "../../../test/support/http-driver.ts";

/** A remote server serves many: every test has a session of its own, few a server. */
const shared = new Map<string, Promise<HttpFixture>>();

async function start(name: string, args: readonly string[], transport = "--http") {
	const made = [name, transport, ...args].join(" ");
	const is_mortal = name === "crashing";
	const starting = (!is_mortal && shared.get(made)) || startHttpFixture(name, [transport, ...args]);
	if (!is_mortal) shared.set(made, starting);
	const { url, stop } = await starting;
	const spec = { driver: "http" as const, url, headers: {} };
	return { spec, stop: is_mortal ? stop : async () => {} };
}

after(async () => {
	for (const fixture of shared.values()) await (await fixture).stop();
});

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

const stateless = "a server without sessions does not know one request from another";
verifyDriver({
	name: "http, legacy without sessions",
	driver: httpDriver,
	era: "legacy",
	start: (fixture, args) => start(fixture, ["--stateless", "--no_get", ...args]),
	skip: { gone, pushes: stateless, asks: stateless, notifications: stateless, cancel: stateless },
});

const modern = "the modern revision has no such messages over HTTP";
verifyDriver({
	name: "http, modern",
	driver: httpDriver,
	era: "modern",
	start: (fixture, args) => start(fixture, ["--era", "modern", ...args]),
	skip: { gone, pushes: modern, asks: modern, notifications: modern },
});

// What a fixture remembers must not reach from one variant into the other: each has its own.
for (const [transport, more] of [
	["found out", []],
	["configured", ["--json"]],
] as const) {
	verifyDriver({
		name: `http, the HTTP+SSE transport, ${transport}`,
		driver: httpDriver,
		era: "legacy",
		start: async (fixture, args) => {
			const { spec, stop } = await start(fixture, [...args, ...more], "--sse");
			return {
				spec: transport === "configured" ? { ...spec, transport: "sse" as const } : spec,
				stop,
			};
		},
		skip: { gone, oversize: "on one stream of events it cannot be told whose reply was too long" },
	});
}
