import { useEngine } from "../support/test-engine.ts";

/** All that holds with Docker holds with Podman, through its own service. */
useEngine("podman");
await import("../../src/upstreams/container/containers.test.ts");
await import("../../src/upstreams/container/escape.test.ts");
