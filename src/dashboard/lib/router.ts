import { useEffect, useState } from "preact/hooks";

/** Where the person is: the parts of the address after `#/`, and what is asked there. */
export interface Place {
	readonly parts: readonly string[];
	readonly query: URLSearchParams;
}

/** Reads a fragment such as `#/servers/time/logs?tail=5`. */
export function placeOf(fragment: string): Place {
	const [path = "", query = ""] = fragment.replace(/^#?\/?/, "").split("?");
	const parts = path.split("/").filter((part) => part !== "");
	return { parts: parts.map(decoded), query: new URLSearchParams(query) };
}

function decoded(part: string): string {
	try {
		return decodeURIComponent(part);
	} catch {
		return part;
	}
}

/** The fragment that leads to a place. */
export function linkTo(...parts: readonly string[]): string {
	return `#/${parts.map(encodeURIComponent).join("/")}`;
}

/** Goes to a place. */
export function goTo(...parts: readonly string[]): void {
	window.location.hash = linkTo(...parts);
}

/** Changes what is asked at this place, without a step in the history. */
export function ask(changes: Readonly<Record<string, string | undefined>>): void {
	const { parts, query } = placeOf(window.location.hash);
	for (const [name, value] of Object.entries(changes)) {
		if (value === undefined || value === "") query.delete(name);
		else query.set(name, value);
	}
	const text = query.toString();
	const address = linkTo(...parts) + (text === "" ? "" : `?${text}`);
	window.history.replaceState(null, "", address);
	window.dispatchEvent(new HashChangeEvent("hashchange"));
}

/** The place, now and whenever it changes. */
export function usePlace(): Place {
	const [fragment, setFragment] = useState(() => window.location.hash);
	useEffect(() => {
		const follow = () => setFragment(window.location.hash);
		window.addEventListener("hashchange", follow);
		return () => window.removeEventListener("hashchange", follow);
	}, []);
	return placeOf(fragment);
}
