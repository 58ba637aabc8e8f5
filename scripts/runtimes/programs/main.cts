import { program } from "./program.js";

void program(process.argv.slice(2));
