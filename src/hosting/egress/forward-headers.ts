/**
 * Headers that concern one connection only, and are not passed on by a proxy (RFC 9110, 7.6.1).
 * `Host` is written anew from the address that was judged (RFC 9112, 3.2.2); `Expect` has been
 * answered already.
 */
const hop_headers: ReadonlySet<string> = new Set([
	"connection",
	"expect",
	"host",
	"keep-alive",
	"proxy-authenticate",
	"proxy-authorization",
	"proxy-connection",
	"te",
	"trailer",
	"transfer-encoding",
	"upgrade",
]);

/** Raw headers, name and value by turns, without those of this connection. */
export function withoutHopHeaders(raw: readonly string[]): string[] {
	const named = new Set(hop_headers);
	for (const [name, value] of pairs(raw)) {
		if (name !== "connection") continue;
		for (const option of value.split(",")) named.add(option.trim().toLowerCase());
	}
	// A message keeps its length, whatever its `Connection` says of that.
	named.delete("content-length");
	const kept: string[] = [];
	for (let index = 0; index + 1 < raw.length; index += 2) {
		const [name = "", value = ""] = [raw[index], raw[index + 1]];
		if (!named.has(name.toLowerCase())) kept.push(name, value);
	}
	return kept;
}

function* pairs(raw: readonly string[]): Generator<readonly [string, string]> {
	for (let index = 0; index + 1 < raw.length; index += 2) {
		yield [raw[index]?.toLowerCase() ?? "", raw[index + 1] ?? ""];
	}
}
