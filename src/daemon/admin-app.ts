import { createAdminApi } from "../admin/api.ts";
import { type AdminListener, createAdminListener } from "../admin/listener.ts";
import type { AdminApiOptions } from "../admin/options.ts";
import { type BackendRooms, DaemonBackend } from "./backend.ts";
import type { DashboardParts } from "./dashboard/backend.ts";

/** What the admin API is made of, on the running house. */
export interface AdminAppParts extends AdminApiOptions {
	readonly backend: Pick<DashboardParts, "traffic" | "frames" | "clientLines">;
}

/** The admin API on the running house. */
export function createAdminApp(
	rooms: BackendRooms,
	{ backend, ...options }: AdminAppParts,
): AdminListener {
	return createAdminListener(createAdminApi(new DaemonBackend(rooms, backend), options));
}
