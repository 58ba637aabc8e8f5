import base from "../../jest.config.base.js";

// Most of the time is spent waiting for leases to end: in files whose tests keep to a server's own
// corner, ten tests at a time; and more files than there are cores, unless each test is there for every
// kind of client. Then they are many, and take what time they need.
const ALL = process.env["REDISLOCK_TESTS"] === "all";

export default {
  ...base,
  maxWorkers: ALL ? 2 : 4,
  maxConcurrency: 10,
  testTimeout: ALL ? 120_000 : base.testTimeout,
};
