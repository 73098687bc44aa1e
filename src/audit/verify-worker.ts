import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../lib/assert.ts";
import { system_disk } from "./disk.ts";
import { verifierFrom } from "./signing-key.ts";
import { verifyLog } from "./verify.ts";
import type { VerifyWorkerData } from "./verify-thread.ts";

/** The thread that checks a log and tells what it found. */

assert(parentPort !== null, "this module runs as a worker");
const { folder, public_key } = workerData as VerifyWorkerData;
const verifier = verifierFrom(public_key);
assert(verifier !== undefined, "the key was one when the thread was started");
parentPort.postMessage(verifyLog(folder, { disk: system_disk, verifier }), []);
