import base from "../../jest.config.base.js";

// With every kind of client, ten tests of a file at a time are very many.
const ALL = process.env["REDISLOCK_TESTS"] === "all";

export default { ...base, testTimeout: ALL ? 120_000 : base.testTimeout };
