import type { JSX } from "preact";
import { PageHead } from "../ui/parts.tsx";
import { ConfigEditor } from "./config-editor.tsx";

/** The whole configuration file. */
export function SettingsPage(): JSX.Element {
	return (
		<>
			<PageHead
				title="Configuration"
				about="The file that the gateway runs by. Comments stay as they are."
			/>
			<ConfigEditor />
		</>
	);
}
