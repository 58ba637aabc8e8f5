/**
 * The tests of all packages as one run, which has files of several packages under way at once. Each package
 * can be tested alone, too.
 */
const ALL = process.env["REDISLOCK_TESTS"] === "all";

export default {
  projects: [
    "<rootDir>/packages/*/jest.config.js",
    "<rootDir>/packages/nestjs/test/nest-*/jest.config.js",
    "<rootDir>/examples/jest.config.js",
  ],
  // Each file starts servers of its own, and waits most of the time: more at once than there are cores.
  maxWorkers: ALL ? 3 : 4,
  // What a file's modules take is never given back: all garbage of a worker that has run many takes seconds.
  workerIdleMemoryLimit: "600MB",
  // In files whose tests keep to a server's own corner, so many tests at a time.
  maxConcurrency: 10,
  // Those of the projects do not count.
  testTimeout: 600_000,
};
