import js from "@eslint/js";
import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

export default defineConfig(
  globalIgnores([
    "**/dist/",
    "**/temp/",
    "**/coverage/",
    // Compiled inside a folder of its own, against the packed packages.
    "scripts/consumer/",
    "scripts/start/",
    "scripts/runtimes/",
  ]),
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  js.configs.recommended,
  tseslint.configs.strictTypeChecked,
  tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: {
      parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname },
    },
    rules: {
      // A promise that nobody waits for is how a lock gets lost without anyone noticing.
      "@typescript-eslint/no-floating-promises": ["error", { checkThenables: true }],
      "@typescript-eslint/no-misused-promises": "error",
      // Inside try, so that its catch and finally see the outcome; nowhere else, where it says nothing.
      "@typescript-eslint/return-await": ["error", "error-handling-correctness-only"],
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-unsafe-type-assertion": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      // A number in a message needs no String() around it.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      // An empty text from the environment means the same as none.
      "@typescript-eslint/prefer-nullish-coalescing": [
        "error",
        { ignorePrimitives: { string: true } },
      ],
      "@typescript-eslint/no-confusing-void-expression": ["error", { ignoreArrowShorthand: true }],
      // tsc looks for these too, and counts a name in a doc comment's {@link} as used.
      "@typescript-eslint/no-unused-vars": "off",
      // What TypeScript knows of a field outlives an await, where anyone may have changed it.
      "@typescript-eslint/no-unnecessary-condition": "off",
      // For objects that inherit nothing, and of which V8 makes many quickly.
      "@typescript-eslint/no-extraneous-class": ["error", { allowEmpty: true }],
      // isolatedDeclarations wants types written out, also where a reader could guess them.
      "@typescript-eslint/no-inferrable-types": "off",
      "@typescript-eslint/no-empty-function": "off",
      // An async function without await turns a throw into a rejection, which is what callers expect.
      "@typescript-eslint/require-await": "off",
      eqeqeq: "error",
    },
  },
  // Core's rooms, the lowest first: a room imports from those below it only, so there is no circle.
  ...["time", "keys", "redis", "lua", "primitives", "lease", "acquire"].map(
    (room, floor, rooms) => ({
      files: [`packages/core/src/${room}/**`],
      rules: /** @type {import("eslint").Linter.RulesRecord} */ ({
        "no-restricted-imports": [
          "error",
          {
            patterns: [
              {
                regex: `^\\.\\./(${[...rooms.slice(floor + 1), "quorum", "(?!errors|events)[\\w-]+\\.js"].join("|")})`,
                message: "a room imports from the rooms below it, and from errors and events",
              },
            ],
          },
        ],
      }),
    }),
  ),
  {
    files: ["packages/nestjs/**"],
    rules: {
      // A module of Nest is an empty class that a decorator describes.
      "@typescript-eslint/no-extraneous-class": ["error", { allowWithDecorator: true }],
    },
  },
  {
    files: ["**/test/**"],
    rules: {
      // How a test says that something must not compile.
      "@typescript-eslint/ban-ts-comment": ["error", { "ts-expect-error": false }],
    },
  },
  {
    files: ["**/*.js", "**/*.mjs"],
    rules: {
      // tsc checks these files too, and knows what Node defines.
      "no-undef": "off",
      // JSON.parse gives any, and plain JavaScript has no way to say more than a doc comment does.
      "@typescript-eslint/no-unsafe-assignment": "off",
      "@typescript-eslint/no-unsafe-argument": "off",
      "@typescript-eslint/no-unsafe-return": "off",
    },
  },
);
