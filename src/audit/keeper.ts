import type { Random } from "../lib/random.ts";
import type { WorkerAnswer } from "../lib/worker-link.ts";
import { SecretBox } from "../secrets/box.ts";
import { ChainWriter } from "./chain-writer.ts";
import type { Disk } from "./disk.ts";
import type { AppendMessage, AuditWorkerData, DoneMessage, QuestionMessage } from "./messages.ts";
import { PayloadKeys } from "./payload-keys.ts";
import { PayloadRedaction } from "./payload-redaction.ts";
import { errorCode, Recorder } from "./recorder.ts";
import { keepMax, keepOf } from "./retention.ts";
import { firstAt, listSegments } from "./segments.ts";
import { signerOf } from "./signing-key.ts";

/** What a keeper works with. */
export interface KeeperParts {
	readonly disk: Disk;
	readonly random: Random;
	/** Wall-clock milliseconds. */
	readonly now: () => number;
	/** Called whenever an entry was read, and when it was made. */
	readonly afterPiece?: () => void;
}

interface Open {
	readonly writer: ChainWriter;
	readonly keys: PayloadKeys;
	readonly recorder: Recorder;
}

const day_ms = 24 * 3_600_000;

/**
 * The audit log of one folder: everything the worker does, without the thread. A folder that
 * cannot be used is tried again with every append.
 */
export class AuditKeeper {
	readonly #data: AuditWorkerData;
	readonly #parts: KeeperParts;
	readonly #redaction: PayloadRedaction;
	#open: Open | undefined;
	/** Entries that were lost while the log could not even be opened. */
	#lost = 0;

	constructor(data: AuditWorkerData, parts: KeeperParts) {
		this.#data = data;
		this.#parts = parts;
		this.#redaction = new PayloadRedaction(data.payload_bytes_max);
	}

	/** Appends the messages as one. */
	append(messages: readonly AppendMessage[]): DoneMessage {
		const lost = messages.reduce((sum, message) => sum + message.lost, 0);
		try {
			for (const { secrets } of messages) if (secrets !== undefined) this.#redaction.learn(secrets);
			const { recorder } = this.#opened();
			recorder.noteLost(lost + this.#lost);
			this.#lost = 0;
			return recorder.append(messages);
		} catch (error) {
			const entries = messages.reduce((sum, { sizes }) => sum + sizes.length / 3, 0);
			this.#lost += lost + entries;
			const batch = messages.at(-1)?.batch ?? 0;
			return { kind: "done", batch, kept: false, payloads_lost: 0, error: errorCode(error) };
		}
	}

	/** Signs what is not signed yet; when nothing else is to be done. */
	attest(): void {
		const open = this.#open;
		if (open === undefined || !open.writer.is_unattested) return;
		try {
			open.writer.checkpoint();
		} catch {
			// Tried again with the next.
		}
	}

	/** Answers a question. */
	answer(question: QuestionMessage): WorkerAnswer {
		const { id } = question;
		try {
			return { kind: "answer", id, value: this.#answer(question), error: undefined };
		} catch (error) {
			return { kind: "answer", id, value: undefined, error: errorCode(error) };
		}
	}

	#answer(question: QuestionMessage): unknown {
		switch (question.ask) {
			case "erase":
				return this.#erase(question.tenant, question.user);
			case "retain":
				return this.#retain(question.now_ms);
			case "close":
				this.#open?.writer.close();
				this.#open = undefined;
				return true;
		}
	}

	/** Destroys the keys of a person; returns how many. */
	#erase(tenant: string, user: string): number {
		const { keys, writer } = this.#opened();
		const at_ms = this.#parts.now();
		const gone = keys.idsOf((key) => key.tenant === tenant && key.user === user);
		const entry = { kind: "erased", at_ms, tenant, user, keys: gone.length, ids: gone };
		// Said before it is done: a key that is gone without a word was taken by somebody else.
		writer.append(() => [JSON.stringify(entry)]);
		keys.destroy(gone);
		writer.checkpoint();
		return gone.length;
	}

	/** Lets go of what is older than it is to be kept. */
	#retain(now_ms: number): { readonly keys: number; readonly segments: number } {
		const { keys, writer } = this.#opened();
		const { folder, retention } = this.#data;
		const { disk } = this.#parts;
		const gone = keys.idsOf(
			({ tenant, risk, day }) => (day + 1) * day_ms + keepOf(retention, tenant, risk) < now_ms,
		);
		if (gone.length > 0) {
			const at_ms = this.#parts.now();
			const entry = { kind: "expired", at_ms, keys: gone.length, ids: gone };
			writer.append(() => [JSON.stringify(entry)]);
			keys.destroy(gone);
		}
		const oldest_ms = now_ms - keepMax(retention);
		const segments = listSegments(folder, disk);
		// A segment may go when the one behind it begins before the time that is kept.
		const keep = segments.findLastIndex((segment, index) => {
			return index > 0 && firstAt(segment, disk) < oldest_ms;
		});
		const first = segments[keep];
		const pruned = first === undefined ? 0 : writer.prune(first.first_seq);
		return { keys: gone.length, segments: pruned };
	}

	#opened(): Open {
		if (this.#open !== undefined) return this.#open;
		const { folder, seed, box_key, segment_bytes_max } = this.#data;
		const { disk, random, now } = this.#parts;
		const signer = signerOf(Buffer.from(seed));
		const box = new SecretBox(Buffer.from(box_key), random);
		// Before the log says that they are signed.
		disk.mkdir(folder);
		const keys = new PayloadKeys(folder, { disk, box, random, signer });
		const writer = new ChainWriter({ folder, disk, signer, now, segment_bytes_max });
		const afterPiece = this.#parts.afterPiece ?? (() => undefined);
		const redaction = this.#redaction;
		const recorder = new Recorder({ writer, keys, random, redaction, afterPiece });
		this.#open = { writer, keys, recorder };
		return this.#open;
	}
}
