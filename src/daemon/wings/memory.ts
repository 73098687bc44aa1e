import { YoungSpace } from "../../lib/young-space.ts";
import type { Evidence } from "../../telemetry/call-record.ts";
import type { Wing, WingParts } from "../wings.ts";

/** More memory for what calls throw away, as long as there are many of them. */
export class MemoryWing implements Wing {
	readonly evidence: readonly Evidence[] = [{ after: () => this.#count() }];
	readonly #young_space: YoungSpace;

	constructor({ options }: WingParts) {
		this.#young_space = new YoungSpace(options.clock);
	}

	stop(): void {
		this.#young_space.stop();
	}

	#count(): undefined {
		this.#young_space.count();
	}
}
