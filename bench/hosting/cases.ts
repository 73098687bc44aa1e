import { container_cases } from "./containers.ts";
import { fleet_cases } from "./fleets.ts";
import { fork_cases } from "./forks.ts";
import type { HostingCase } from "./measured.ts";
import { sleep_cases } from "./sleep.ts";
import { start_cases } from "./starts.ts";

/** All rows of the hosting table, in its order. */
export const hosting_cases: readonly HostingCase[] = [
	...sleep_cases,
	...start_cases,
	...container_cases,
	...fork_cases,
	...fleet_cases,
];
