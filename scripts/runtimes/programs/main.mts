import { program } from "./program.js";

const ended = program(process.argv.slice(2));
// Bun and Deno go on as long as a top-level await does; Node ends in the middle of it, with 13.
if (!("Bun" in globalThis || "Deno" in globalThis)) await ended;
