/** What every package's jest.config.js passes on. Tests run as ES modules, as the sources are. */
export default {
  testEnvironment: "node",
  testMatch: ["<rootDir>/test/**/*.test.ts"],
  testTimeout: 90_000,
  extensionsToTreatAsEsm: [".ts"],
  // Sources import "./lock.js", as Node will; here the file is still called lock.ts.
  moduleNameMapper: { "^(\\.{1,2}/.*)\\.js$": "$1" },
  transform: { "^.+\\.ts$": ["ts-jest", { useESM: true, tsconfig: "<rootDir>/tsconfig.json" }] },
};
