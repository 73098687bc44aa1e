import { useEngine } from "../support/test-engine.ts";

/** All that holds with Docker holds with Podman of an ordinary user, or is said not to. */
useEngine("rootless");
await import("../../src/upstreams/container/containers.test.ts");
await import("../../src/upstreams/container/escape.test.ts");
