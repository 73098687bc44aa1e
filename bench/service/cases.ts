import type { HostingCase } from "../hosting/measured.ts";
import { added_latency } from "./added.ts";
import { burst } from "./burst.ts";
import { hot_tenant } from "./hot-tenant.ts";

/** What single callers notice of the gateway, and of each other. */
export const service_cases: readonly HostingCase[] = [added_latency, burst, hot_tenant];
