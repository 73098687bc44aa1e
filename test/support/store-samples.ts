import type { Repositories } from "../../src/store/repositories.ts";
import type { StoredSession } from "../../src/store/session-repository.ts";

/** An empty database of one kind, made for one test. */
export interface ContractStore {
	readonly repositories: Repositories;
	/** Runs `work` in one transaction that is rolled back when it rejects. */
	transaction(work: (repositories: Repositories) => Promise<void>): Promise<void>;
	close(): Promise<void>;
}

/** A session with every field set. */
export function sampleSession(id: string, change: Partial<StoredSession> = {}): StoredSession {
	return {
		id,
		endpoint: "time",
		principal: "local",
		revision: "2025-11-25",
		client_capabilities: '{"roots":{"listChanged":true},"x":1.0}',
		client_info: '{"name":"tester","version":"1"}',
		created_at_ms: 1_790_000_000_000,
		used_at_ms: 1_790_000_000_000,
		log_level: undefined,
		subscriptions: [],
		...change,
	};
}
