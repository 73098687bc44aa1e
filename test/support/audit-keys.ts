/** Keys of audits in tests. */
export const audit_test_keys = { seed: Buffer.alloc(32, 3), box_key: Buffer.alloc(32, 4) };
