import base from "../../jest.config.base.js";

// Most of the time is spent waiting for leases to end: in files whose tests keep to a server's own
// corner, ten tests at a time; and more files than there are cores, unless each test is there for every
// kind of client.
const maxWorkers = process.env["REDISLOCK_TESTS"] === "all" ? 2 : 4;

export default { ...base, maxWorkers, maxConcurrency: 10 };
