/** How the secrets of one kind look, wherever they come from. */
export interface TokenPattern {
	readonly name: string;
	/**
	 * Texts of four characters or more, one of which every match has in it: the pattern is tried
	 * only where one was seen.
	 */
	readonly keywords: readonly string[];
	/** A sign that every match is followed by or holds; asked for before the pattern is tried. */
	readonly sign?: string;
	/** Linear in the length of the text. Group 1, where there is one, is kept. */
	readonly pattern: RegExp;
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+.".split("");

/** What tokens of well-known services look like, by what these say in their documentation. */
export const token_patterns: readonly TokenPattern[] = [
	token("aws-access-key", ["AKIA", "ASIA"], /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/g),
	token("anthropic", ["sk-ant-"], /\bsk-ant-[\w-]{20,}/g),
	token("openai", ["T3BlbkFJ"], /\bsk-[\w-]{8,200}T3BlbkFJ[\w-]{8,200}/g),
	token("openai-project", ["sk-proj-", "sk-svcacct-"], /\bsk-(?:proj|svcacct)-[\w-]{20,}/g),
	token(
		"github",
		["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
		/\b(?:gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{40,})/g,
	),
	token("gitlab", ["glpat-", "gloas-", "glptt-", "gldt-"], /\bgl(?:pat|oas|ptt|dt)-[\w-]{20,}/g),
	token("slack", ["xoxb-", "xoxa-", "xoxp-", "xoxr-", "xoxs-", "xoxe", "xapp-"], slack()),
	token("slack-webhook", ["hooks.slack.com"], /hooks\.slack\.com\/services\/[\w/]{20,}/g),
	token("google-api-key", ["AIza"], /\bAIza[\w-]{35}/g),
	token("google-oauth", ["ya29."], /\bya29\.[\w-]{20,}/g),
	token("google-client-secret", ["GOCSPX-"], /\bGOCSPX-[\w-]{20,}/g),
	token("stripe", ["_live_", "_test_"], /\b[rsp]k_(?:live|test)_[A-Za-z0-9]{16,}/g),
	token("stripe-webhook", ["whsec_"], /\bwhsec_[A-Za-z0-9+/=]{16,}/g),
	token("npm", ["npm_"], /\bnpm_[A-Za-z0-9]{36}\b/g),
	token("pypi", ["pypi-"], /\bpypi-[\w-]{50,}/g),
	token("hugging-face", withNext("hf_"), /\bhf_[A-Za-z0-9]{30,}/g),
	token("sendgrid", withNext("SG."), /\bSG\.[\w-]{16,32}\.[\w-]{30,60}/g),
	token("notion", ["ntn_"], /\bntn_[A-Za-z0-9]{40,}/g),
	token("linear", ["lin_api_", "lin_oauth_"], /\blin_(?:api|oauth)_[A-Za-z0-9]{30,}/g),
	token("sentry", ["sntrys_", "sntryu_"], /\bsntry[su]_[\w+/=-]{30,}/g),
	token("atlassian", ["ATATT3xFf"], /\bATATT3xFf[\w=-]{40,}/g),
	token("digitalocean", ["dop_v1_", "doo_v1_"], /\bdo[op]_v1_[a-f0-9]{64}/g),
	token("vault", ["hvs.", "hvb.", "hvr."], /\bhv[sbr]\.[\w-]{20,}/g),
	token("moorage", ["mrg_"], /\bmrg_[\w-]{20,}/g),
	token("jwt", [".eyJ"], /\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*/g),
	// No character of a key takes room of its own; of dashes within words headers have a few.
	token(
		"private-key",
		["PRIVATE KEY"],
		/-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[^-]*(?:\b-\b[^-]*){0,1000}(?:-----END [A-Z0-9 ]{0,50}-----)?/g,
	),
	token("bearer", ["earer", "EARER"], /\b(bearer[\s:=]+"?)[\w.~+/=-]{12,}/gi),
	token(
		"basic",
		["asic ", "ASIC "],
		/\b((?:authorization|auth)\W{1,6}basic\s+)[A-Za-z0-9+/=_-]{8,}/gi,
	),
	{
		name: "password-in-address",
		keywords: letters.map((letter) => `${letter}://`),
		sign: "@",
		pattern: /(:\/\/[^\s/:@"']{0,256}:)[^\s/@"']{1,1024}(?=@)/g,
	},
	token(
		"named",
		[
			"assw",
			"ASSW",
			"ecre",
			"ECRE",
			"oken",
			"OKEN",
			"pi_k",
			"PI_K",
			"pi-k",
			"piKe",
			"pike",
			"APIK",
		],
		named(),
	),
];

/**
 * `password=…`, `"api_key": "…"`, `--token …`: a value that stands behind the name of a secret.
 * Words of a sentence are let through, as in "token: expired".
 */
function named(): RegExp {
	const name = String.raw`(?:passw(?:or)?d|passphrase|secret|token|api[_-]?key|access[_-]?key)`;
	const between = String.raw`(?:\\?["']\s{0,4}[:=]\s{0,4}|\s{0,4}[:=]\s{0,4}|\s)\\?["']?`;
	const value = String.raw`(?=[^\s"'\\,;&]{0,200}\d|[^\s"'\\,;&]{16})[^\s"'\\,;&()[\]{}<>]{6,1024}`;
	return new RegExp(`(${name}${between})${value}`, "gi");
}

/** A beginning that is too short to be looked for alone, with whatever may come next. */
function withNext(beginning: string): string[] {
	return letters.map((letter) => beginning + letter);
}

function slack(): RegExp {
	return /\b(?:xox[abeprs](?:\.xox[bp])?-|xapp-)[\w-]{16,}/g;
}

function token(name: string, keywords: readonly string[], pattern: RegExp): TokenPattern {
	return { name, keywords, pattern };
}
