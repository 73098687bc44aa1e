import { randomBytes, randomUUIDv7 } from "node:crypto";

/** Randomness as a thing that is handed in, so that a test can replay it. */
export interface Random {
	/** `count` unpredictable bytes. */
	bytes(count: number): Buffer;
	/** A time-ordered UUID (RFC 9562 version 7), for ids that people see and databases sort. */
	uuid(): string;
	/** A number in [0, 1), for jitter. */
	fraction(): number;
}

/** The machine's own randomness. */
export const systemRandom: Random = {
	bytes: (count) => randomBytes(count),
	uuid: () => randomUUIDv7(),
	fraction: () => randomBytes(4).readUInt32BE() / 2 ** 32,
};
