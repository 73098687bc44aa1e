import type { CallLine } from "../telemetry/call-line.ts";
import type { PackedCalls } from "../telemetry/packed/layout.ts";
import { ascii, LineWriter } from "../telemetry/packed/line-writer.ts";
import { type UnpackedRow, unpackCalls } from "../telemetry/packed/unpack-calls.ts";

/** Lines of the call log that came packed; each side of them is made when it is asked for. */
export class Lines {
	readonly #batches: readonly PackedCalls[];
	readonly #afterEach: () => void;

	/** `afterEach` is called whenever something was made of one of them. */
	constructor(batches: readonly PackedCalls[], afterEach: () => void = nothing) {
		this.#batches = batches;
		this.#afterEach = afterEach;
	}

	/** As JSON, whole lines at a time; a piece is overwritten by the next. */
	*pieces(): Generator<Buffer> {
		writer.at = 0;
		for (const row of this.#rows()) {
			const is_text = typeof row === "string";
			const bytes_max = is_text ? (row.length + 1) * bytes_per_unit_max : row.bytes_max + 3;
			if (writer.at + bytes_max > memory.length) {
				yield memory.subarray(0, writer.at);
				writer.at = 0;
			}
			if (is_text) {
				writer.at += memory.write(row, writer.at, "utf8");
			} else {
				writer.bytes(open);
				row.writeMembers(writer);
				writer.bytes(close);
			}
			writer.bytes(newline);
		}
		if (writer.at > 0) yield memory.subarray(0, writer.at);
	}

	/** As members, one after the other: what was made for one is gone before the next. */
	*[Symbol.iterator](): Generator<CallLine> {
		for (const row of this.#rows()) {
			yield typeof row === "string" ? (JSON.parse(row) as CallLine) : row.line();
		}
	}

	*#rows(): Generator<UnpackedRow> {
		for (const packed of this.#batches) {
			for (const row of unpackCalls(packed)) {
				yield row;
				this.#afterEach();
			}
		}
	}
}

const nothing = () => undefined;
/** Of some forty members each has at most 512 characters, so that any line has room. */
const memory = Buffer.alloc(512 * 1024);
const writer = new LineWriter(memory, 0);
const [open, close, newline] = [ascii("{"), ascii("}"), ascii("\n")];
/** UTF-8 has at most three bytes for a unit of a JavaScript text. */
const bytes_per_unit_max = 3;
