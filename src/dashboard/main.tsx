import { render } from "preact";
import { App } from "./app.tsx";
import { applyTheme } from "./lib/theme.ts";

applyTheme();
const root = document.getElementById("app");
if (root !== null) {
	root.replaceChildren();
	render(<App />, root);
}
