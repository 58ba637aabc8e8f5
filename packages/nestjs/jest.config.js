import shared from "../../jest.config.base.js";

/** What the docs show imports the package by its name: one copy of it, that of the sources. */
const base = {
  ...shared,
  moduleNameMapper: { ...shared.moduleNameMapper, "^@redislock/nestjs$": "<rootDir>/src/index" },
};

/** The same tests under each version of Nest: the newest is the package's own, others lie below test/. */
const older = [10, 11].map((version) => ({
  ...base,
  displayName: `Nest ${version}`,
  moduleNameMapper: {
    ...base.moduleNameMapper,
    "^(@nestjs/[\\w-]+|reflect-metadata|rxjs)$": `<rootDir>/test/nest-${version}/node_modules/$1`,
  },
}));

const { testTimeout, maxWorkers, ...newest } = base;
export default {
  testTimeout,
  maxWorkers,
  projects: [
    { ...newest, displayName: "Nest 12" },
    ...older.map(({ testTimeout: _, maxWorkers: __, ...project }) => project),
  ],
};
