import type { IncomingMessage, ServerResponse } from "node:http";
import type { AdminListener } from "../admin/listener.ts";
import { answerJson } from "../gateway/routes.ts";
import type { AdminAppParts } from "./admin-app.ts";
import type { BackendRooms } from "./backend.ts";

/** Said where the files of the program are not those any more that it was started from. */
const not_loaded = {
	error: "internal",
	message: "The admin API cannot be loaded. If Moorage was updated while it ran, restart it.",
};

/**
 * Where requests to the admin API come in. It is loaded with the first of them: with all that it
 * uses it takes more than ten megabytes, and a gateway that only carries calls is never asked.
 */
export function adminDoor(
	rooms: BackendRooms,
	parts: () => AdminAppParts,
): (request: IncomingMessage, response: ServerResponse) => void {
	let app: Promise<AdminListener> | undefined;
	const load = async () => (await import("./admin-app.ts")).createAdminApp(rooms, parts());
	return (request, response) => {
		app ??= load();
		app.then(
			(listener) => listener(request, response),
			(error: unknown) => {
				app = undefined;
				parts().onDefect(error, "load");
				answerJson(response, 500, not_loaded);
			},
		);
	};
}
