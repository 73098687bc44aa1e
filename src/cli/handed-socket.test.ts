import assert from "node:assert/strict";
import { test } from "node:test";
import { handedSocket } from "./handed-socket.ts";

test("the first of the sockets that are handed over is taken", () => {
	assert.equal(handedSocket({ LISTEN_PID: "12", LISTEN_FDS: "1" }, 12), 3);
	assert.equal(handedSocket({ LISTEN_PID: "12", LISTEN_FDS: "2" }, 12), 3);
});

test("what was handed to another process, or is no socket, is not taken", () => {
	assert.equal(handedSocket({ LISTEN_PID: "11", LISTEN_FDS: "1" }, 12), undefined);
	assert.equal(handedSocket({ LISTEN_PID: "12", LISTEN_FDS: "0" }, 12), undefined);
	assert.equal(handedSocket({ LISTEN_PID: "12", LISTEN_FDS: "x" }, 12), undefined);
	assert.equal(handedSocket({ LISTEN_PID: "12" }, 12), undefined);
	assert.equal(handedSocket({ LISTEN_FDS: "1" }, 12), undefined);
	assert.equal(handedSocket({}, 12), undefined);
});
