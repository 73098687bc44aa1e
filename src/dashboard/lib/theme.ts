/** Light, dark, or as the system says. */
export type Theme = "auto" | "light" | "dark";

const key = "moorage-theme";
const order: readonly Theme[] = ["auto", "light", "dark"];

/** What the person chose. */
export function currentTheme(): Theme {
	const stored = window.localStorage.getItem(key);
	return order.find((one) => one === stored) ?? "auto";
}

/** Goes on to the next one, and gives it. */
export function nextTheme(): Theme {
	const next = order[(order.indexOf(currentTheme()) + 1) % order.length] ?? "auto";
	window.localStorage.setItem(key, next);
	applyTheme();
	return next;
}

/** Makes the page look as the person chose. */
export function applyTheme(): void {
	const theme = currentTheme();
	if (theme === "auto") document.documentElement.removeAttribute("data-theme");
	else document.documentElement.setAttribute("data-theme", theme);
}
