import assert from "node:assert/strict";
import { test } from "node:test";
import { childEnvironment, folderEnvironment } from "./environment.ts";

test("a server inherits where things are, its language and its proxy, and nothing else", () => {
	const environment = {
		PATH: "/bin",
		HOME: "/home/me",
		LC_ALL: "C",
		LC_TIME: "de_DE",
		https_proxy: "http://proxy",
		GITHUB_TOKEN: "secret",
		MOORAGE_OWNER: "outer/1/",
		AWS_SECRET_ACCESS_KEY: "secret",
	};
	assert.deepEqual(childEnvironment(environment, {}, "linux"), {
		SHLVL: "1",
		PATH: "/bin",
		HOME: "/home/me",
		LC_ALL: "C",
		LC_TIME: "de_DE",
		https_proxy: "http://proxy",
	});
});

test("the gateway's own Node settings are not inherited, but a server may set its own", () => {
	const environment = { NODE_OPTIONS: "--inspect", NODE_EXTRA_CA_CERTS: "/ca.pem" };
	const spec_env = { NODE_OPTIONS: "--max-old-space-size=64", SHLVL: "7" };
	assert.deepEqual(childEnvironment(environment, spec_env, "linux"), {
		SHLVL: "7",
		NODE_OPTIONS: "--max-old-space-size=64",
	});
});

test("a server's own setting wins over the inherited one", () => {
	assert.equal(childEnvironment({ PATH: "/bin" }, { PATH: "/mine" }, "linux")["PATH"], "/mine");
});

test("unset variables and exported shell functions stay behind", () => {
	const environment = { TERM: undefined, SHELL: "() { echo pwned; }" };
	assert.deepEqual(childEnvironment(environment, {}, "linux"), { SHLVL: "1" });
});

test("names are compared without case on Windows only", () => {
	const environment = { Path: "C:\\bin", SystemRoot: "C:\\Windows", Secret: "x" };
	assert.deepEqual(childEnvironment(environment, {}, "win32"), {
		Path: "C:\\bin",
		SystemRoot: "C:\\Windows",
	});
	assert.deepEqual(childEnvironment(environment, {}, "linux"), { SHLVL: "1" });
});

test("a program is told of the folders that are its own", () => {
	const folders = { volume: "/v", temp: "/t" };
	assert.deepEqual(folderEnvironment(folders, "linux"), { MOORAGE_VOLUME: "/v", TMPDIR: "/t" });
	assert.deepEqual(folderEnvironment(folders, "win32"), {
		MOORAGE_VOLUME: "/v",
		TEMP: "/t",
		TMP: "/t",
	});
});
