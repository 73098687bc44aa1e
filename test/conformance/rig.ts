import { fixturePath, type HttpFixture, startHttpFixture } from "../support/fixtures.ts";
import { startGateway, type TestGateway } from "../support/gateway.ts";
import type { WrongOnPurpose } from "../wire/watch.ts";

/** How a fixture is reached behind the gateway. */
export type Transport = "stdio" | "http";

/** A fixture in test/servers/conformance/. */
export type Fixture = "legacy" | "modern" | "tasks" | "skills";

/** What a fixture is told on its command line. */
const fixture_args: Readonly<Record<Fixture, readonly string[]>> = {
	legacy: [],
	modern: [],
	tasks: ["--era", "modern"],
	skills: [],
};

/** A gateway with one fixture behind it. */
export interface Rig {
	/** The address of the fixture behind the gateway. */
	readonly url: URL;
	/** Another address with an instance of its own; stdio only. */
	urlOf(instance: number): URL;
	stop(): Promise<void>;
}

/** Starts a gateway with a fixture, and with more instances of it where they are wanted. */
export async function startRig(
	fixture: Fixture,
	transport: Transport,
	instances: number,
): Promise<Rig> {
	const args = fixture_args[fixture];
	let http: HttpFixture | undefined;
	const servers: Record<string, object> = {};
	if (transport === "http") {
		http = await startHttpFixture(`conformance/${fixture}`, ["--http", ...args]);
		servers["fixture"] = { url: http.url };
	} else {
		const entry = {
			command: process.execPath,
			args: [fixturePath(`conformance/${fixture}`), ...args],
		};
		servers["fixture"] = entry;
		for (let index = 0; index < instances; index += 1) servers[`fixture-${index}`] = entry;
	}
	const why = "The suite asks for what is wrong, to see what comes of it.";
	const wrong = (["clients", "servers", "pipes"] as const).map(
		(hop): WrongOnPurpose => ({ hop, direction: "to-server", complaint: /^/u, why }),
	);
	const gateway: TestGateway = await startGateway({ servers }, { wrong });
	return {
		url: gateway.address("fixture"),
		urlOf: (instance) => gateway.address(`fixture-${instance}`),
		async stop() {
			await gateway.stop();
			await http?.stop();
		},
	};
}
