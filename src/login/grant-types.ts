/** The grant of enterprise-managed authorization (RFC 7523, ID-JAG). */
export const jwt_bearer = "urn:ietf:params:oauth:grant-type:jwt-bearer";
