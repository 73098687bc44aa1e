import assert from "node:assert/strict";

/** What a browser needs for a page that it has signed in on. */
export interface SignedIn {
	/** The status of the answer to the form: 303 where it was taken. */
	readonly status: number;
	/** The `Set-Cookie` of the session. */
	readonly set: string;
	/** The `Cookie` header from then on. */
	readonly cookie: string;
	/** Where it leads. */
	readonly location: string | null;
	readonly headers: Headers;
	readonly text: string;
}

/** Fills in the form on a gateway's sign-in page, as a browser without scripts does. */
export async function signInAt(
	url: string,
	fields: Readonly<Record<string, string>>,
	{ to = "/", before = "" }: { readonly to?: string; readonly before?: string } = {},
): Promise<SignedIn> {
	const page = await fetch(`${url}/sign-in?${new URLSearchParams({ to })}`, {
		headers: { cookie: before },
	});
	const attempt = page.headers.getSetCookie()[0]?.split(";")[0] ?? "";
	const token = /name="token" value="([^"]+)"/.exec(await page.text())?.[1] ?? "";
	assert.ok(attempt !== "" && token !== "", "the page has a form");
	const answer = await fetch(`${url}/sign-in`, {
		method: "POST",
		redirect: "manual",
		headers: { cookie: [before, attempt].filter(Boolean).join("; ") },
		body: new URLSearchParams({ token, to, ...fields }),
	});
	const set = answer.headers.getSetCookie()[0] ?? "";
	return {
		status: answer.status,
		set,
		cookie: set.split(";")[0] ?? "",
		location: answer.headers.get("location"),
		headers: answer.headers,
		text: await answer.text(),
	};
}
