import newest from "./jest.config.js";

/**
 * The same tests with an older Nest, whose packages lie below test/.
 *
 * @param {number} version
 */
export function withNest(version) {
  const theirs = `<rootDir>/test/nest-${version}/node_modules/$1`;
  return {
    ...newest,
    rootDir: import.meta.dirname,
    displayName: `Nest ${version}`,
    moduleNameMapper: {
      ...newest.moduleNameMapper,
      "^(@nestjs/[\\w-]+|reflect-metadata|rxjs)$": theirs,
    },
  };
}
