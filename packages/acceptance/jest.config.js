import base from "../../jest.config.base.js";

// Most of the time is spent waiting for leases to end: two files at a time, on any machine, and in
// those whose tests keep to a server's own corner, ten tests.
export default { ...base, maxWorkers: 2, maxConcurrency: 10 };
