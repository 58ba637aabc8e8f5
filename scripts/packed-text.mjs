/** What must not be in any file that users get. */
import { readFileSync } from "node:fs";
import { homedir, hostname, userInfo } from "node:os";
import { join } from "node:path";
import { quietly, root } from "./shell.mjs";

/** As ranges in a manifest these mean something in this repository alone. */
const insideOnly = /"(workspace|catalog|link|file):[^"]*"/;

const secrets = [/_auth(Token)?\s*=/, /\bnpm_[A-Za-z0-9]{36}\b/, /-----BEGIN [A-Z ]*PRIVATE KEY/];

/** Below these, a path is one of whoever built it. */
const foldersOfPeople = /(?<![\w.:/])\/(home|Users|root|tmp|private|runner|var\/folders)\/\w/;

/**
 * @param {string} folder
 * @param {string[]} files in it
 * @returns {string[]} what is wrong
 */
export function textProblems(folder, files) {
  const forbidden = ofThisMachine();
  return files.flatMap((file) => {
    const text = readFileSync(join(folder, file), "utf8");
    const complaints = forbidden
      .filter((part) => text.includes(part))
      .map((part) => `${file} names "${part}", which is of this machine`);
    const path = foldersOfPeople.exec(text);
    if (path) complaints.push(`${file} has a path of somebody's machine: "${around(text, path)}"`);
    if (secrets.some((pattern) => pattern.test(text))) complaints.push(`${file} holds a secret`);
    const range = file === "package.json" ? insideOnly.exec(dependenciesOf(text)) : null;
    if (range) complaints.push(`package.json asks for ${range[0]}, which only this repository has`);
    return complaints;
  });
}

/** @returns {string[]} */
function ofThisMachine() {
  const registry = new URL(quietly("npm", ["config", "get", "registry"]).trim());
  return [root.replace(/\/$/, ""), homedir(), `${userInfo().username}@${hostname()}`].concat(
    registry.hostname,
  );
}

/** @param {string} manifest */
function dependenciesOf(manifest) {
  const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(manifest);
  return JSON.stringify([dependencies, optionalDependencies, peerDependencies]);
}

/**
 * @param {string} text
 * @param {RegExpExecArray} found
 */
function around(text, { index }) {
  return text.slice(Math.max(0, index - 20), index + 60).replaceAll("\n", " ");
}
