import { type Direction, schemaComplaint, type WireRequest } from "../support/wire-schema.ts";

/** A request that waits for its answer, and the revision it was said in. */
interface Asked extends WireRequest {
	readonly revision: string;
}

/** What of a message decides how it is judged. */
interface Heard {
	readonly id?: unknown;
	readonly method?: unknown;
	readonly params?: Readonly<Record<string, unknown>>;
	readonly result?: Readonly<Record<string, unknown>>;
}

const modern_revision = "2026-07-28";
const latest_legacy_revision = "2025-11-25";
/** What a server has to assume that is told nothing (transports, 2025-11-25). */
const untold_revision = "2025-03-26";
const known_revisions = new Set([
	"2024-11-05",
	untold_revision,
	"2025-06-18",
	latest_legacy_revision,
	modern_revision,
]);
const meta_version = "io.modelcontextprotocol/protocolVersion";

/**
 * What one client and one server have said to each other on one hop. It learns the revision
 * from what is said, and remembers what has been asked, so that each answer is held to the form
 * that belongs to its question.
 */
export class Conversation {
	#revision: string | undefined;
	readonly #asked = {
		"to-server": new Map<string, Asked>(),
		"to-client": new Map<string, Asked>(),
	};

	/** `declared` is what a header says of the revision; what is agreed in the body wins. */
	constructor(declared?: string) {
		this.#revision = declared;
	}

	/** Takes what was said; what is wrong with it, or undefined. */
	said(direction: Direction, text: string): string | undefined {
		let message: unknown;
		try {
			message = JSON.parse(text);
		} catch {
			return "not JSON";
		}
		if (!Array.isArray(message) || this.#spoken() !== untold_revision) {
			return this.#judge(direction, message);
		}
		if (message.length === 0) return "an empty batch";
		const complaints = message.map((one) => this.#judge(direction, one));
		return complaints.find((complaint) => complaint !== undefined);
	}

	#judge(direction: Direction, message: unknown): string | undefined {
		const heard = (message ?? {}) as Heard;
		const answers = this.#answered(direction, heard);
		const revision = this.#revisionOf(direction, heard, answers);
		if (typeof heard.method === "string" && heard.id !== undefined) {
			const asked = { method: heard.method, params: heard.params, revision };
			this.#asked[direction].set(JSON.stringify(heard.id), asked);
		}
		return schemaComplaint({ revision, direction, message, answers });
	}

	/** The request that a response answers; it is answered once. */
	#answered(direction: Direction, { id, method }: Heard): Asked | undefined {
		if (method !== undefined || id === undefined) return undefined;
		const asked = this.#asked[direction === "to-client" ? "to-server" : "to-client"];
		const key = JSON.stringify(id);
		const found = asked.get(key);
		asked.delete(key);
		return found;
	}

	#revisionOf(direction: Direction, heard: Heard, answers: Asked | undefined): string {
		if (answers?.method === "initialize") {
			const agreed = heard.result?.["protocolVersion"];
			if (typeof agreed === "string") this.#revision = agreed;
			return known_revisions.has(String(agreed)) ? String(agreed) : answers.revision;
		}
		if (answers !== undefined) return answers.revision;
		if (direction === "to-client") return this.#spoken();
		if (heard.method === "initialize") {
			const wanted = String(heard.params?.["protocolVersion"]);
			return known_revisions.has(wanted) ? wanted : latest_legacy_revision;
		}
		const meta = heard.params?.["_meta"] as Readonly<Record<string, unknown>> | undefined;
		const version = meta?.[meta_version];
		if (typeof version === "string") this.#revision = version;
		return this.#spoken();
	}

	/** What a revision that nobody knows says is judged by the newest. */
	#spoken(): string {
		const revision = this.#revision ?? untold_revision;
		return known_revisions.has(revision) ? revision : modern_revision;
	}
}
