import base from "../../jest.config.base.js";

/** With the newest Nest, the package's own. Older ones lie below test/, each with a configuration beside it. */
export default {
  ...base,
  displayName: "Nest 12",
  // What the docs show imports the package by its name: one copy of it, that of the sources.
  moduleNameMapper: { ...base.moduleNameMapper, "^@redislock/nestjs$": "<rootDir>/src/index" },
};
