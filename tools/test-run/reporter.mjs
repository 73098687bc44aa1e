// @ts-check
/**
 * A reporter for node:test that appends one JSON line per event to the file named in
 * MOORAGE_TEST_EVENTS. Written at once, so that what a test file did is known even when it is
 * killed. Passed to Node with --test-reporter, which takes a default export.
 */
import { openSync, writeSync } from "node:fs";
import { inspect } from "node:util";

const file = process.env.MOORAGE_TEST_EVENTS ?? "";

/**
 * Outermost suites that were written, and who waits for one to be.
 * @type {Map<string, PromiseWithResolvers<void>>}
 */
const suites = new Map();

/**
 * Waits until the outermost suite of that name, and so everything in it, is in the file.
 * @param {string} name
 * @returns {Promise<void>}
 */
export function whenSuiteIsReported(name) {
	return suiteOf(name).promise;
}

/** @param {string} name */
function suiteOf(name) {
	const known = suites.get(name);
	if (known !== undefined) return known;
	/** @type {PromiseWithResolvers<void>} */
	const reported = Promise.withResolvers();
	suites.set(name, reported);
	return reported;
}

/** @param {AsyncIterable<{ type: string, data: any }>} source */
export default async function* report(source) {
	const descriptor = openSync(file, "a");
	for await (const { type, data } of source) {
		const line = describe(type, data);
		if (line !== undefined) writeSync(descriptor, `${JSON.stringify(line)}\n`);
		if (line?.is_suite && line.nesting === 0) suiteOf(line.name).resolve();
		yield "";
	}
}

/**
 * @param {string} type
 * @param {any} data
 */
function describe(type, data) {
	const { name, nesting } = data;
	switch (type) {
		case "test:dequeue":
			return { event: "begin", name, nesting };
		case "test:pass":
		case "test:fail":
			return {
				event: type === "test:pass" ? "pass" : "fail",
				name,
				nesting,
				line: data.line,
				is_suite: data.details.type === "suite",
				duration_ms: data.details.duration_ms,
				skip: reason(data.skip),
				todo: reason(data.todo),
				failure: data.details.error?.failureType,
				error: type === "test:fail" ? errorText(data.details.error) : undefined,
			};
		case "test:summary":
			return { event: "end" };
		default:
			return undefined;
	}
}

/** @param {unknown} mark */
function reason(mark) {
	if (mark === undefined || mark === false) return undefined;
	return typeof mark === "string" && mark !== "" ? mark : "no reason given";
}

/** @param {any} error */
function errorText(error) {
	const cause = error?.cause ?? error;
	return typeof cause === "string" ? cause : inspect(cause, { depth: 6, colors: false });
}
