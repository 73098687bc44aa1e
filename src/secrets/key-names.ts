/** A key with one of these words in it names a secret. */
const secret_words = new Set([
	"authorization",
	"bearer",
	"cookie",
	"cookies",
	"credential",
	"credentials",
	"jwt",
	"passphrase",
	"passwd",
	"password",
	"passwords",
	"secret",
	"secrets",
	"token",
	"tokens",
]);

/** And so does one with one of these pairs of words. */
const secret_pairs = /(^| )(api|access|private|signing|encryption|master) ?keys?( |$)/;

/** The same few hundred keys come by all the time. */
const verdicts = new Map<string, boolean>();
const verdicts_max = 2_000;

/** True when a key's words say that its value is secret: `accessToken`, `X-Api-Key`. */
export function namesSecret(key: string): boolean {
	const known = verdicts.get(key);
	if (known !== undefined) return known;
	if (verdicts.size >= verdicts_max) verdicts.clear();
	const verdict = wordsNameSecret(key);
	verdicts.set(key, verdict);
	return verdict;
}

function wordsNameSecret(key: string): boolean {
	const words = key
		.slice(0, 200)
		.replace(/([a-z0-9])([A-Z])/g, "$1 $2")
		.toLowerCase()
		.replace(/[^a-z0-9]+/g, " ");
	return words.split(" ").some((word) => secret_words.has(word)) || secret_pairs.test(words);
}
