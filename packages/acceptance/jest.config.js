import base from "../../jest.config.base.js";

// Most of the time is spent waiting for leases to end: in files whose tests keep to a server's own
// corner, ten tests at a time.
export default { ...base, maxConcurrency: 10 };
