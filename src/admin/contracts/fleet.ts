import { z } from "zod";
import { server_state_schema } from "../contract.ts";

/** What the fleet does now: the part of the contract about rates. */

const number_schema = z.number().nonnegative();

export const traffic_schema = z.object({
	calls_per_s: number_schema.describe("Over the last ten seconds."),
	error_rate: z.number().min(0).max(1).describe("Share of the last minute's calls that failed."),
	calls: z.int().nonnegative().describe("Calls of the last minute."),
	p50_ms: number_schema.optional().describe("Of the last minute; absent without calls."),
	p99_ms: number_schema.optional(),
	spark: z
		.array(z.int().nonnegative())
		.describe("Calls in each of the last 60 seconds, oldest first; empty without calls."),
});

export const fleet_server_schema = z.object({
	name: z.string(),
	title: z.string(),
	driver: z.string(),
	state: server_state_schema,
	reason: z.string().optional(),
	code: z.string().optional(),
	next_try_at_ms: z.int().optional(),
	instances: z.int().nonnegative().describe("Instances that run or sleep."),
	in_use: z.int().nonnegative().describe("Calls and streams that use them now."),
	waiting: z.int().nonnegative().describe("Calls that wait."),
	tools: z.int().nonnegative(),
	memory_bytes: number_schema.optional().describe("Of all its processes, where that is known."),
	url: z.string(),
	traffic: traffic_schema,
});

export const fleet_schema = z.object({
	at_ms: z.int(),
	url: z.string(),
	sessions: z.int().nonnegative(),
	traffic: traffic_schema.describe("Of all servers together."),
	servers: z.array(fleet_server_schema),
});
