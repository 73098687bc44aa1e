import { httpDriverWith } from "../../src/upstreams/http/driver.ts";

/** The http driver without anybody to authorize at servers. */
export const httpDriver = httpDriverWith(undefined);
