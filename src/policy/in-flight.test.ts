import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Flight, InFlight } from "./in-flight.ts";

test("what has begun and not ended is in flight, and nothing is kept of the rest", () => {
	fc.assert(
		fc.property(fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.boolean())), (events) => {
			const flights = new InFlight();
			const begun: Record<string, Flight[]> = { a: [], b: [], c: [] };
			const expected: Record<string, number> = { a: 0, b: 0, c: 0 };
			for (const [key, begins] of events) {
				const flight = begins ? flights.begin(key) : begun[key]?.pop();
				if (flight === undefined) continue;
				if (begins) begun[key]?.push(flight);
				else flights.end(flight);
				expected[key] = (expected[key] ?? 0) + (begins ? 1 : -1);
			}
			for (const [key, count] of Object.entries(expected)) assert.equal(flights.of(key), count);
			const kept = Object.values(expected).filter((count) => count > 0).length;
			assert.equal(flights.size, kept);
		}),
	);
});
